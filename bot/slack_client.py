"""Calls to Slack's Web API, thin and typed, with errors that say what became of the call.

One client per token; nothing here retries, waits or decides. What to say is for `views`, when
to say it for `outbox`.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.slack_errors import LostAnswerError, RateLimitedError, SlackError, UnreadyError, of_code
from bot.tls import tls_for

BASE_URL = WebClient.BASE_URL
PAGE = 200
HTTP_OK, HTTP_SLOW_DOWN, HTTP_BROKEN = 200, 429, 500

Answer: TypeAlias = Mapping[str, Any]
Block: TypeAlias = Mapping[str, Any]
OnRefused: TypeAlias = Callable[[str], None]
OnLimited: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says: blocks for the screen, `text` for notifications."""

    text: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose a token is, what it may do, and what time Slack has; None where Slack did not say."""

    whose: Answer
    scopes: str | None
    date: str | None


class SlackClient:
    """The Web API under one token.

    Every method raises `SlackError`: refused, not reached, slowed down, or answer lost.
    """

    def __init__(self, token: str, *, base_url: str = BASE_URL, timeout: float = 10.0) -> None:
        self._token = token
        self._base_url = base_url
        self._web = self._client(timeout)
        self._hurried: dict[float, WebClient] = {}
        self._guard = threading.Lock()
        self._on_refused: OnRefused = lambda _code: None
        self._on_limited: OnLimited = lambda _method, _after: None

    def use(self, token: str) -> None:
        """Make every call from now on with this token."""
        with self._guard:
            for one in (self._web, *self._hurried.values()):
                one.token = token
            self._token = token  # Last: a call that began before this may have had the old one.

    def on_refused(self, tell: OnRefused) -> None:
        """Say who is told when Slack objects to the token or to what it may do."""
        self._on_refused = tell

    def on_limited(self, tell: OnLimited) -> None:
        """Say who is told when Slack refuses a call for its rate, and for how long."""
        self._on_limited = tell

    def _client(self, timeout: float) -> WebClient:
        made = WebClient(
            token=self._token,
            base_url=self._base_url,
            # The SDK counts in whole seconds by its types only; urllib takes fractions.
            timeout=cast(int, timeout),
            ssl=tls_for(self._base_url),
            # Its own retry repeats a post whose answer was lost.
            retry_handlers=[],
        )
        # urllib reads the proxy variables itself, and honours NO_PROXY, which the SDK does not.
        made.proxy = None
        return made

    def _with(self, timeout: float | None) -> WebClient:
        if timeout is None:
            return self._web
        with self._guard:
            if timeout not in self._hurried:
                self._hurried[timeout] = self._client(timeout)
            return self._hurried[timeout]

    def under(self, token: str) -> "SlackClient":
        """Return the same Slack under another token."""
        return SlackClient(token, base_url=self._base_url)

    def complete_step(self, execution: str, outputs: Mapping[str, str]) -> None:
        """Let a Workflow Builder workflow go on that waits for our step."""
        self._call(
            "functions.completeSuccess",
            lambda: self._web.functions_completeSuccess(
                function_execution_id=execution, outputs=dict(outputs)
            ),
        )

    def fail_step(self, execution: str, error: str) -> None:
        """Stop a Workflow Builder workflow that waits for our step, and say why."""
        self._call(
            "functions.completeError",
            lambda: self._web.functions_completeError(function_execution_id=execution, error=error),
        )

    def post(
        self, channel: str, content: Content, *, thread: str | None, metadata: Answer
    ) -> Place:
        """Post a message, in `thread` if given, and say where it stands."""
        answer = self._call(
            "chat.postMessage",
            lambda: self._web.chat_postMessage(
                channel=channel,
                text=content.text,
                blocks=[dict(one) for one in content.blocks],
                thread_ts=thread,
                metadata=dict(metadata),
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        return Place(channel=str(answer["channel"]), ts=str(answer["ts"]))

    def update(self, place: Place, content: Content, *, metadata: Answer | None = None) -> None:
        """Replace what a message says; text and blocks together, or the blocks would go.

        Without `metadata` what the message carries stays.
        """
        self._call(
            "chat.update",
            lambda: self._web.chat_update(
                channel=place.channel,
                ts=place.ts,
                text=content.text,
                blocks=[dict(one) for one in content.blocks],
                metadata=None if metadata is None else dict(metadata),
                # Both fall back to their defaults at an update that leaves them out.
                parse="none",
                link_names=False,
            ),
        )

    def whisper(self, channel: str, user: str, content: Content, *, thread: str | None) -> None:
        """Show something to one person only, until they reload."""
        self._call(
            "chat.postEphemeral",
            lambda: self._web.chat_postEphemeral(
                channel=channel,
                user=user,
                text=content.text,
                blocks=[dict(one) for one in content.blocks] or None,
                thread_ts=thread,
            ),
        )

    def publish(self, user: str, view: Answer, *, known: str | None) -> str:
        """Show somebody their Home, and return its hash.

        With `known` it is refused (`hash_conflict`) where Slack shows another one than that.
        """
        answer = self._call(
            "views.publish",
            lambda: self._web.views_publish(user_id=user, view=dict(view), hash=known),
        )
        return str(answer["view"]["hash"])

    def open_direct(self, user: str) -> str:
        """Return the channel of the direct conversation with `user`."""
        answer = self._call("conversations.open", lambda: self._web.conversations_open(users=user))
        return str(answer["channel"]["id"])

    def permalink(self, place: Place) -> str:
        """Return the address of a message."""
        answer = self._call(
            "chat.getPermalink",
            lambda: self._web.chat_getPermalink(channel=place.channel, message_ts=place.ts),
        )
        return str(answer["permalink"])

    def messages(
        self, channel: str, *, thread: str | None, oldest: float = 0.0
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the messages of a channel (newest first) or of a thread, with their metadata."""
        method = "conversations.replies" if thread else "conversations.history"
        cursor: str | None = None
        while cursor != "":
            wanted: dict[str, Any] = {"cursor": cursor, "oldest": f"{oldest:.6f}", "limit": PAGE}
            answer = self._call(method, lambda: self._page(channel, thread, wanted))  # noqa: B023 - called before the next turn of the loop.
            yield from answer["messages"]
            cursor = _cursor(answer)

    def _page(self, channel: str, thread: str | None, wanted: dict[str, Any]) -> SlackResponse:
        if thread is None:
            return self._web.conversations_history(
                channel=channel, include_all_metadata=True, **wanted
            )
        return self._web.conversations_replies(
            channel=channel, ts=thread, include_all_metadata=True, **wanted
        )

    def channels(self, *, timeout: float | None = None) -> Iterator[list[Answer]]:
        """Yield the channels that the bot can see, a page at a call."""
        web = self._with(timeout)
        yield from self._pages(
            "conversations.list",
            lambda cursor: web.conversations_list(
                cursor=cursor, limit=PAGE, types="public_channel,private_channel"
            ),
            key="channels",
        )

    def channel(self, channel: str, *, timeout: float | None = None) -> Answer:
        """Return Slack's `channel` object."""
        web = self._with(timeout)
        answer = self._call("conversations.info", lambda: web.conversations_info(channel=channel))
        return cast(Answer, answer["channel"])

    def file(self, file: str, *, timeout: float | None = None) -> Answer:
        """Return Slack's `file` object."""
        web = self._with(timeout)
        answer = self._call("files.info", lambda: web.files_info(file=file))
        return cast(Answer, answer["file"])

    def user(self, user: str, *, timeout: float | None = None) -> Answer:
        """Return Slack's `user` object."""
        web = self._with(timeout)
        answer = self._call("users.info", lambda: web.users_info(user=user))
        return cast(Answer, answer["user"])

    def users(self, *, timeout: float | None = None) -> Iterator[list[Answer]]:
        """Yield everybody in the workspace, a page at a call."""
        web = self._with(timeout)
        yield from self._pages(
            "users.list", lambda cursor: web.users_list(cursor=cursor, limit=PAGE), key="members"
        )

    def groups(self, *, timeout: float | None = None) -> list[Answer]:
        """Return every user group with its people, the disabled ones too."""
        web = self._with(timeout)
        answer = self._call(
            "usergroups.list",
            lambda: web.usergroups_list(include_users=True, include_disabled=True),
        )
        return list(answer["usergroups"])

    def identity(self) -> Answer:
        """Return whose token this is: `team_id`, `user_id`, `bot_id`, `team`."""
        return self._call("auth.test", self._web.auth_test)

    def standing(self) -> Standing:
        """Return whose token this is, with what Slack says beside it: its scopes, the time."""
        heard: list[Mapping[str, Any]] = []

        def asked() -> SlackResponse:
            found = self._web.auth_test()
            heard.append(found.headers)
            return found

        whose = self._call("auth.test", asked)
        return Standing(
            whose=whose,
            scopes=_header(heard[-1], "x-oauth-scopes"),
            date=_header(heard[-1], "date"),
        )

    def open_socket(self) -> None:
        """Ask for an address of Socket Mode, which is not used; only an app token may."""
        self._call(
            "apps.connections.open",
            lambda: self._web.apps_connections_open(app_token=self._token),
        )

    def revoke(self) -> None:
        """Have Slack take this token no more."""
        self._call("auth.revoke", self._web.auth_revoke)

    def exchange(self, *, client_id: str, client_secret: str, refresh_token: str) -> Answer:
        """Return what Slack gives for a refresh token, which is used up by that."""
        return self._call(
            "oauth.v2.access",
            lambda: self._web.oauth_v2_access(
                client_id=client_id,
                client_secret=client_secret,
                grant_type="refresh_token",
                refresh_token=refresh_token,
            ),
        )

    @property
    def web(self) -> WebClient:
        """Return the SDK's client, for what is Bolt's to call."""
        return self._web

    def _pages(
        self, method: str, call: Callable[[str | None], SlackResponse], *, key: str
    ) -> Iterator[list[Answer]]:
        cursor: str | None = None
        while cursor != "":
            answer = self._call(method, lambda: call(cursor))  # noqa: B023 - called before the next turn of the loop.
            yield list(answer[key])
            cursor = _cursor(answer)

    def ask(self, method: str, call: Callable[[WebClient], SlackResponse]) -> Answer:
        """Return the answer to a call that has no method here, with the same errors."""
        return self._call(method, lambda: call(self._web))

    def _call(self, method: str, call: Callable[[], SlackResponse]) -> Answer:
        token = self._token
        try:
            return cast(Answer, call().data)
        except SlackApiError as error:
            refusal = _refusal(method, error.response)
            if not (_needs_a_person(refusal) and self._token != token):
                self._tell(method, refusal)
                raise refusal from error
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise _broken_line(method, error) from error
        # Refused, with nothing done, was a token that has been replaced meanwhile.
        return self._call(method, call)

    def _tell(self, method: str, refusal: SlackError) -> None:
        match refusal:
            case UnreadyError() if refusal.needs_a_person and not refusal.is_spared:
                self._on_refused(refusal.code)
            case RateLimitedError():
                self._on_limited(method, refusal.after)


def _needs_a_person(refusal: SlackError) -> bool:
    return isinstance(refusal, UnreadyError) and refusal.needs_a_person


def _cursor(answer: Answer) -> str:
    found = answer.get("response_metadata", {}).get("next_cursor") or ""
    return str(found) if answer.get("has_more", True) else ""


def _refusal(method: str, response: SlackResponse) -> SlackError:
    status, body = response.status_code, response.data
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    after = _retry_after(response.headers)
    if status == HTTP_SLOW_DOWN:
        return RateLimitedError(method, "ratelimited", after=after)
    if status >= HTTP_BROKEN:
        return LostAnswerError(method, f"http_{status}")
    if status != HTTP_OK or not code or " " in code:
        # Something other than Slack answered, a proxy perhaps: nobody knows what Slack saw.
        return LostAnswerError(method, "unreadable_answer")
    details = body.get("response_metadata", {}) if isinstance(body, dict) else {}
    messages = "; ".join(str(one) for one in details.get("messages", []))
    return of_code(method, code, detail=messages, after=after)


def _retry_after(headers: Mapping[str, Any]) -> float:
    try:
        return max(1.0, float(_header(headers, "retry-after") or 1))
    except ValueError:
        return 1.0


def _header(headers: Mapping[str, Any], wanted: str) -> str | None:
    """Return a header of an answer, in whatever letters and however often it is there."""
    found = next((value for name, value in headers.items() if name.lower() == wanted), None)
    return None if found is None else str(found[0] if isinstance(found, list) else found)


def _broken_line(method: str, error: Exception) -> SlackError:
    cause = error.reason if isinstance(error, URLError) else error
    name = type(cause).__name__
    # Only what fails before a connection stands proves that Slack saw nothing.
    if isinstance(cause, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return UnreadyError(method, "unreachable", detail=name)
    return LostAnswerError(method, "no_answer", detail=name)

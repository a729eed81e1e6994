"""The few calls to Slack that a person waits for: modals, private words, "am I in here?".

They happen inside a listener, before its answer, so each has two seconds and is never
repeated. What a message or a modal says is for the views.
"""

import json
import logging
from http.client import HTTPException
from typing import Any, cast

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.views import View
from slack_sdk.webhook import WebhookClient

from bot.tls import tls_for
from bot.views.pieces import Rendered
from workflows.errors import InterlockError

SECONDS = 2
PAGE = 999  # Slack's most; few people are in more channels.
LOOK_SECONDS = 0.75  # More is asked after it, and all of it in less than three.
UNREACHED = (OSError, HTTPException, SlackClientError)

log = logging.getLogger(__name__)

_TOO_LATE = frozenset({"expired_trigger_id", "trigger_exchanged", "exchanged_trigger_id"})


class PlacesUnreadableError(InterlockError):
    """Which channels somebody is in could not be read just now."""


class NotShownError(InterlockError):
    """Slack did not open or change a modal."""


class Hurried:
    """Slack under one token, for calls within a listener. Safe to share between threads."""

    def __init__(self, token: str, *, base_url: str) -> None:
        self._web = self._client(token, base_url, SECONDS)
        self._looking = self._client(token, base_url, LOOK_SECONDS)

    def _client(self, token: str, base_url: str, seconds: float) -> WebClient:
        return WebClient(
            token=token,
            base_url=base_url,
            # The SDK counts in whole seconds by its types only; urllib takes fractions.
            timeout=cast(int, seconds),
            ssl=tls_for(base_url),
            retry_handlers=[],
        )

    def use(self, token: str) -> None:
        """Make every call from now on with this token."""
        self._web.token = token
        self._looking.token = token

    def open(self, trigger: str, view: View) -> str:
        """Open a modal for whoever made the gesture behind `trigger`; return its id.

        Raises:
            NotShownError: Slack did not; the trigger lives three seconds.
        """
        try:
            opened = self._web.views_open(trigger_id=trigger, view=view.to_dict())
        except UNREACHED as error:
            raise _not_shown(error) from error
        return str((opened.get("view") or {}).get("id", ""))

    def push(self, trigger: str, view: View) -> None:
        """Put a modal on top of the one that is open.

        Raises:
            NotShownError: Slack did not.
        """
        try:
            self._web.views_push(trigger_id=trigger, view=view.to_dict())
        except UNREACHED as error:
            raise _not_shown(error) from error

    def update(self, view_id: str, version: str, view: View) -> None:
        """Replace the modal `view_id`, unless it changed since `version`, where that is given.

        Raises:
            NotShownError: Slack did not.
        """
        try:
            self._web.views_update(view_id=view_id, hash=version or None, view=view.to_dict())
        except UNREACHED as error:
            raise _not_shown(error) from error

    def is_member(self, channel: str) -> bool:
        """Say whether the bot is in the channel; what Slack does not answer counts as no."""
        if not channel.startswith(("C", "G")):
            return False
        try:
            found: dict[str, Any] = self._looking.conversations_info(channel=channel)["channel"]
        except UNREACHED:
            log.info("membership not read", extra={"channel": channel})
            return False
        return bool(found.get("is_member")) and not found.get("is_archived")

    def channels_of(self, user: str) -> frozenset[str]:
        """Return the channels that a person is in, of those that the bot can know of.

        Raises:
            PlacesUnreadableError: Slack did not answer.
        """
        found: set[str] = set()
        cursor: str | None = None
        try:
            while cursor != "":
                page = self._web.users_conversations(
                    user=user, types="public_channel,private_channel", limit=PAGE, cursor=cursor
                )
                listed: list[dict[str, Any]] = page.get("channels") or []
                found.update(str(one["id"]) for one in listed)
                cursor = str((page.get("response_metadata") or {}).get("next_cursor", ""))
        except UNREACHED as error:
            raise PlacesUnreadableError(
                f"Slack does not say which channels you are in ({_code(error)}), so nothing is"
                " shown.",
                hint="Try again in a moment.",
            ) from error
        return frozenset(found)

    def whisper(self, channel: str, user: str, shown: Rendered, *, thread: str = "") -> None:
        """Show something to one person in a channel. Nothing depends on it, so it never fails."""
        try:
            self._web.chat_postEphemeral(
                channel=channel,
                user=user,
                text=shown.text,
                blocks=shown.payload["blocks"] or None,
                thread_ts=thread or None,
            )
        except UNREACHED as error:
            log.warning("private words not shown", extra={"error": _code(error)})

    def answer(
        self, response_url: str, shown: Rendered, *, replace: bool = False, thread: str = ""
    ) -> None:
        """Answer a click privately, in the place of its message if `replace`. Never fails."""
        payload = {"response_type": "ephemeral", "replace_original": replace, **shown.payload}
        if thread:
            payload["thread_ts"] = thread
        try:
            sent = WebhookClient(
                response_url, timeout=SECONDS, ssl=tls_for(response_url), retry_handlers=[]
            ).send_dict(payload)
        except UNREACHED as error:
            log.warning("private answer not shown", extra={"error": type(error).__name__})
            return
        if sent.status_code != 200:  # noqa: PLR2004 - HTTP's own word for fine.
            log.warning("private answer refused", extra={"status": sent.status_code})


def _not_shown(error: Exception) -> NotShownError:
    code = _code(error)
    if code in _TOO_LATE:
        return NotShownError("This took too long, and Slack closed the door.", hint="Try again.")
    if isinstance(error, SlackApiError):
        detail = json.dumps(error.response.get("response_metadata", {}))
        log.error("modal refused", extra={"error": code, "detail": detail})
    return NotShownError(f"Slack did not show the form ({code}).", hint="Try again in a moment.")


def _code(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return str(error.response.get("error", "unknown"))
    return type(error).__name__

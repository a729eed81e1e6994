"""The calls to Slack that are made for the app itself, not under a workspace's token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slack_sdk import WebClient

from bot.slack_client import Answer, SlackClient
from bot.slack_errors import SlackError
from storage.change import Clock
from storage.installations import LONGEST, Tokens

GONE = frozenset({"account_inactive", "invalid_auth", "token_revoked"})
EXPIRED = "token_expired"
CALL_SECONDS = 10.0
LOOK_SECONDS = 2.0  # While Slack waits for the answer to an event.


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSecret:
    """By what the app proves to Slack that it is the app."""

    client_id: str
    client_secret: str = field(repr=False)


class OAuthClient:
    """Slack, for the app. Every method raises `SlackError`."""

    def __init__(self, app: AppSecret, *, base_url: str, now: Clock) -> None:
        self._app = app
        self._base_url = base_url
        self._now = now
        self.slack = SlackClient("", base_url=base_url, timeout=CALL_SECONDS)

    @property
    def web(self) -> WebClient:
        """Return the plain client, for Bolt's part of an installation."""
        return self.slack.web

    def renewed(self, tokens: Tokens) -> Tokens:
        """Return new tokens for those at hand, whose refresh token is used up by that."""
        answer = self.slack.exchange(
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            refresh_token=tokens.refresh,
        )
        return tokens_in(answer, now=self._now())

    def revoke(self, token: str) -> None:
        """Give a token back that nobody will use."""
        SlackClient(token, base_url=self._base_url, timeout=CALL_SECONDS).revoke()

    def refusal_of(self, token: str) -> str:
        """Return why Slack takes the token no more, "" if it takes it."""
        try:
            SlackClient(token, base_url=self._base_url, timeout=LOOK_SECONDS).identity()
        except SlackError as error:
            if error.code in GONE or error.code == EXPIRED:
                return error.code
            raise
        return ""


def tokens_in(answer: Answer, *, now: datetime) -> Tokens:
    """Return the tokens that `oauth.v2.access` gave."""
    lasts = answer.get("expires_in")
    return Tokens(
        bot=str(answer["access_token"]),
        refresh=str(answer.get("refresh_token") or ""),
        expires_at=None if lasts is None else now + min(timedelta(seconds=int(lasts)), LONGEST),
    )

"""The Web API under the token of a whole organisation: lists are asked of each workspace of it.

A person or a channel has an id that is good in the whole organisation. Groups, names and
channels are listed per workspace, and here put together.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from slack_sdk.web import SlackResponse

from bot.settings import Settings
from bot.slack_client import PAGE, Answer, SlackClient
from bot.slack_errors import UnreadyError

AT_ONCE = 8
TEAMS_SECONDS = 600.0


class OrgClient(SlackClient):
    """As `SlackClient`, for an installation in a whole organisation."""

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(token, base_url=base_url, timeout=timeout)
        self._clock = clock
        self._known: tuple[tuple[str, ...], float] | None = None
        self._guard = threading.Lock()

    def teams(self, *, timeout: float | None = None) -> tuple[str, ...]:
        """Return the ids of the workspaces that the app is in, at most ten minutes old."""
        with self._guard:
            known = self._known
        if known is not None and self._clock() - known[1] < TEAMS_SECONDS:
            return known[0]
        web = self._with(timeout)
        pages = self._pages(
            "auth.teams.list",
            lambda cursor: web.auth_teams_list(cursor=cursor, limit=PAGE),
            key="teams",
        )
        found = tuple(str(one["id"]) for page in pages for one in page)
        with self._guard:
            self._known = (found, self._clock())
        return found

    def channels(self, *, timeout: float | None = None) -> Iterator[list[Answer]]:
        for team in self.teams(timeout=timeout):
            yield from self._channels(team, timeout)

    def _channels(self, team: str, timeout: float | None) -> Iterator[list[Answer]]:
        web = self._with(timeout)

        def page(cursor: str | None) -> SlackResponse:
            return web.conversations_list(
                cursor=cursor, limit=PAGE, types="public_channel,private_channel", team_id=team
            )

        yield from self._pages("conversations.list", page, key="channels")

    def users(self, *, timeout: float | None = None) -> Iterator[list[Answer]]:
        seen: set[str] = set()  # Who belongs to two workspaces is listed in both.
        for team in self.teams(timeout=timeout):
            for page in self._users(team, timeout):
                yield [one for one in page if one["id"] not in seen]
                seen |= {str(one["id"]) for one in page}

    def _users(self, team: str, timeout: float | None) -> Iterator[list[Answer]]:
        web = self._with(timeout)

        def page(cursor: str | None) -> SlackResponse:
            return web.users_list(cursor=cursor, limit=PAGE, team_id=team)

        yield from self._pages("users.list", page, key="members")

    def groups(self, *, timeout: float | None = None) -> list[Answer]:
        until = None if timeout is None else self._clock() + timeout
        teams = self.teams(timeout=timeout)
        with ThreadPoolExecutor(min(AT_ONCE, max(1, len(teams))), "org") as pool:
            found = pool.map(lambda team: self._groups(team, until), teams)
            return _each_once(one for groups in found for one in groups)

    def _groups(self, team: str, until: float | None) -> list[Answer]:
        left = None if until is None else round(until - self._clock(), 1)
        if left is not None and left <= 0:
            raise UnreadyError("usergroups.list", "too_slow")
        web = self._with(left)
        answer = self._call(
            "usergroups.list",
            lambda: web.usergroups_list(include_users=True, include_disabled=True, team_id=team),
        )
        return list(answer["usergroups"])


def slack_of(settings: Settings) -> SlackClient:
    """Return Slack under the bot token of these settings, a workspace's or an organisation's."""
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    kind = OrgClient if settings.is_org else SlackClient
    return kind(token, base_url=settings.slack_api_url)


def _each_once(groups: Iterable[Answer]) -> list[Answer]:
    # A group that the organisation itself keeps is listed in every workspace.
    return list({cast(str, one["id"]): one for one in groups}.values())

"""Puts together what those need who watch a process: its readiness, and its figures if wanted.

Without INTERLOCK_METRICS nothing is measured; `/readyz` is there wherever a server listens.
"""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from bot.arrival import Takes, Timed
from bot.core import Core
from bot.head_watch import HeadWatch
from bot.readiness import Readiness
from bot.slack_client import SlackClient

if TYPE_CHECKING:
    # A server that Socket Mode does not need.
    from starlette.routing import BaseRoute

    from bot.http import HttpServer
    from bot.metrics.collecting import Collector
    from bot.metrics.meters import Meters


class Watching:
    """What one process shows of itself. Make it before anything is started."""

    def __init__(self, core: Core, *, head: HeadWatch | None) -> None:
        self._core = core
        self._settings = core.settings
        effects_wait = head.effects_wait if head is not None else lambda: None
        self.readiness = Readiness(
            core.memory.database, head=effects_wait, is_stopping=core.means.is_stopping
        )
        if self._settings.metrics:
            core.store.on_committed(self._meters.commits.observe)

    def of_slack(self, client: SlackClient) -> None:
        """Count how often Slack limits this client, if anybody wants to know."""
        if self._settings.metrics:
            client.on_limited(self._meters.limited)

    def timed(self, app: Takes) -> Takes:
        """Return what takes up requests for `app`, measured if anybody wants to know."""
        return Timed(app, self._meters.acks.observe) if self._settings.metrics else app

    def routes(self, address: str) -> "Sequence[BaseRoute]":
        """Return what the server at this address offers to those who watch."""
        from bot.watched_routes import watched_routes  # noqa: PLC0415 - only where one listens.

        token = self._settings.metrics_token
        is_there = bool(address) and address == self._settings.metrics
        shown = self._collector if is_there else None
        given = token.get_secret_value() if token is not None else ""
        return list(watched_routes(self.readiness, shown, token=given))

    def server(self, *, beside: Collection[str] = ()) -> "HttpServer | None":
        """Return the address that those who watch have of their own, None where they have none.

        `beside` is where this process listens anyway.
        """
        settings = self._settings
        if not settings.metrics or settings.metrics in beside:
            return None
        from bot.http import HttpServer  # noqa: PLC0415 - only where one listens.

        host, port = settings.metrics_address
        more = self.routes(settings.metrics)
        return HttpServer(None, host=host, port=port, more=more, setting="INTERLOCK_METRICS")

    @cached_property
    def _meters(self) -> "Meters":
        from bot.metrics.meters import Meters  # noqa: PLC0415 - only where somebody wants it.

        return Meters()

    @cached_property
    def _collector(self) -> "Collector":
        from bot.metrics.collecting import Collector  # noqa: PLC0415 - as above.

        core = self._core
        return Collector(core.memory.database, self._meters, self.readiness, now=core.means.clock)

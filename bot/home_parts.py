"""Puts together what publishes Homes; what draws one is imported once somebody opened theirs."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.core import Core
from bot.desk import Desk
from bot.homes import BACKSTOP_SECONDS, Homes, Publishing
from bot.pacing import Pacer
from bot.slack_client import SlackClient
from storage.awaited import heal
from storage.home_values import HomeReader

if TYPE_CHECKING:
    from bot.home_reading import Drawn

ALONE_SECONDS = 15.0


def homes_of(core: Core, client: SlackClient, desk: Desk) -> Homes:
    """Return what publishes Homes."""
    is_alone = core.settings.is_sqlite  # Then nobody else makes news, nor did another release.
    return Homes(
        Publishing(
            rows=core.store.homes,
            draw=partial(_draw_home, desk),
            client=client,
            pacer=Pacer(core.means.ticks),
            name=core.name,
            pause=timedelta(seconds=core.means.live_seconds),
            backstop=ALONE_SECONDS if is_alone else BACKSTOP_SECONDS,
            now=core.means.clock,
            first=lambda: None if is_alone else heal(core.memory.database),
        )
    )


def _draw_home(desk: Desk, reader: HomeReader) -> "Drawn | None":
    from bot.home_delegations import delegation_lines, in_place_of  # noqa: PLC0415 - see above.
    from bot.home_reading import HomeReading  # noqa: PLC0415 - see above.

    reading = HomeReading(
        desk=desk,
        in_place_of=partial(in_place_of, desk),
        delegated=partial(delegation_lines, desk),
    )
    return reading.draw(reader)

"""Says where people find what a command put to them: the channel, and the card's address."""

import time
from collections.abc import Mapping
from typing import Any

from bot.beside import workspace_url
from bot.cli.reading import opened
from bot.places import permalink
from bot.settings import Settings
from storage.outbox_values import MessagePlace
from storage.run_place import RunPlace, place_of_run

PATIENCE = 5.0  # Whoever serves posts a card within a second or two, if Slack answers.
TURN = 0.1


def placed(settings: Settings, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order's answer with `channel` and `link` of its run's card.

    Until the card stands there, `link` leads to the thread; it is None while nothing does.
    """
    found = _place(settings, told["run"], is_served=bool(told["served"]))
    link = _link(settings, found)
    return {**told, "channel": _channel(found.channel), "link": link}


def place_words(told: Mapping[str, Any]) -> str:
    """Return where the card is, in words."""
    if told["link"] is None:
        return f"Its card goes to {told['channel']}."
    return f"Its card in {told['channel']}: {told['link']}"


def _place(settings: Settings, run: str, *, is_served: bool) -> RunPlace:
    end = time.monotonic() + (PATIENCE if is_served else 0.0)
    with opened(settings) as database:
        while True:
            found = place_of_run(database, run)
            if found.card is not None or time.monotonic() >= end:
                return found
            time.sleep(TURN)


def _link(settings: Settings, found: RunPlace) -> str | None:
    place, thread = found.card or found.thread, found.thread
    if place is None:
        return None
    workspace = workspace_url(settings)
    return None if workspace is None else _address(workspace, place, thread)


def _address(workspace: str, place: MessagePlace, thread: MessagePlace | None) -> str:
    root = "" if thread is None else thread.ts
    return permalink(workspace, place.channel, place.ts, thread=root)


def _channel(named: str) -> str:
    """Return a channel as people write it; one that is named by its id stays as it is."""
    is_name = named and not named.startswith("#") and not named.isupper()
    return f"#{named}" if is_name else named

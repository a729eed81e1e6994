"""Who keeps heads outside, who failed to, and who takes no entries: as kept data and in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.wording import duration, plural, utc
from storage.anchors import Anchor, Turn
from storage.pushing import PushState
from workflows.entry import Json
from workflows.moments import moment, stamp

BY = {
    "folder": "a folder",
    "mail": "mail",
    "reply": "a person's reply",
    "rfc3161": "a time stamp",
    "second key": "the second key",
    "slack": "Slack",
    "witness": "a witness",
}


def anchors_json(anchors: Iterable[Anchor]) -> list[Json]:
    """Return anchors as they are kept with a digest."""
    return [{"type": one.type, "size": one.size, "at": stamp(one.at)} for one in anchors]


def failing_json(turns: Iterable[Turn]) -> list[Json]:
    """Return who failed the last time they were asked."""
    return [
        {"name": one.name, "since": stamp(one.failed_since), "n": one.failures, "why": one.error}
        for one in turns
        if one.failed_since is not None
    ]


def anchor_words(kept: Mapping[str, Any], *, now: datetime) -> str:
    """Say by whom a head is kept: `a witness: 1,204 entries, 3 h ago`."""
    age = duration(max(now - moment(kept["at"]), now - now))
    return f"{by(kept['type'])}: {plural(kept['size'], 'entry', 'entries')}, {age} ago"


def failing_words(kept: Mapping[str, Any]) -> str:
    """Say who does not take heads any more, since when and why."""
    since, tries = utc(moment(kept["since"])), plural(kept["n"], "try", "tries")
    return f"{by(kept['name'])} failed since {since} ({tries}): {kept['why']}"


def push_json(failing: Iterable[PushState]) -> list[Json]:
    """Return where entries are pushed to and not taken."""
    return [
        {"target": one.target, "next": one.next_idx, "since": stamp(at), "why": one.trouble}
        for one in failing
        if (at := one.failing_since) is not None
    ]


def push_words(kept: Mapping[str, Any]) -> str:
    """Say where entries are not taken, since when, from which on, and why."""
    since = utc(moment(kept["since"]))
    return (
        f"{kept['target']} takes no entries since {since}, from #{kept['next']} on: {kept['why']}"
    )


def by(kind: str) -> str:
    """Return whom a type of anchor, or a turn, stands for."""
    return BY.get(kind, kind)

"""What `interlock audit anchors` says: who keeps heads outside, how old they are, who fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.anchor_words import anchors_json, by, failing_json, failing_words
from bot.cli.reading import opened
from bot.settings import Settings
from bot.wording import duration, plural
from storage.anchors import Anchor, anchored_notes, read_anchors, read_turns
from storage.checkpoint import read_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The same as data and as lines."""

    data: Mapping[str, object]
    lines: Sequence[str]
    is_failing: bool


def told_of(settings: Settings, *, most: int) -> Told:
    """Return what the log knows of its anchors, the newest first.

    Raises:
        UnusableDatabaseError: there is no log.
    """
    now = datetime.now(UTC)
    with opened(settings) as database, database.read() as connection:
        anchors, turns = read_anchors(connection, most=most), read_turns(connection)
        signed = {size: len(read_note(note).lines) for size, note in anchored_notes(connection)}
    failing = failing_json(turns)
    data = {"anchors": list(_data(anchors, signed, now)), "failing": failing}
    lines = [_line(one, signed, now) for one in anchors] or ["No head is kept outside."]
    lines += [failing_words(one) for one in failing if isinstance(one, dict)]
    return Told(data=data, lines=lines, is_failing=bool(failing))


def _data(
    anchors: Sequence[Anchor], signed: Mapping[int, int], now: datetime
) -> Iterator[dict[str, object]]:
    for one, kept in zip(anchors, anchors_json(anchors), strict=True):
        age = int((now - one.at).total_seconds())
        known = kept if isinstance(kept, dict) else {}
        yield {**known, "ref": one.ref, "age_s": age, "lines": signed.get(one.size)}


def _line(one: Anchor, signed: Mapping[int, int], now: datetime) -> str:
    age = duration(max(now - one.at, now - now))
    lines = f", {plural(signed[one.size], 'line')}" if one.size in signed else ""
    size = plural(one.size, "entry", "entries")
    return f"{by(one.type)}: {size}{lines}, {age} ago, {one.ref}"

"""Where long runs stood when this process last had them, so that only what is new is read.

An entry never changes and none is ever put between two others, so a state that was made of a
run's first entries stays right for ever; what others wrote since is read and added. Should the
database have gone back to an older copy meanwhile, the entry at that place has another moment,
and all of them are read. What a state holds of people's words is let go of within a minute, so
that an erasure counts here as soon as elsewhere.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.entry import Entry, Json, RunId
from workflows.replay import after, replay
from workflows.run import RunState, StepState
from workflows.store import RunRow, Store

MOST_RUNS = 32
LONG = 50  # Entries. The history of a shorter run is read as quickly as looked for.
MOST_SIGNS = 1024 * 1024  # Of what one state holds: inputs, outputs, what people were shown.
MOST_AGE = timedelta(minutes=1)  # Since its history was read as a whole.


@dataclass(frozen=True, slots=True)
class _Known:
    state: RunState
    read_at: datetime


class Remembered:
    """The states of the long runs that were here last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[RunId, _Known] = OrderedDict()
        self._guard = threading.Lock()

    def history(self, store: Store, run: RunId, *, now: datetime) -> tuple[RunRow, RunState]:
        """Return a run's row and where the run stands, both of one moment.

        Raises:
            UnknownRunError: there is none.
        """
        known = self._of(run, now)
        if known is not None:
            row, entries = store.history(run, after=known.rseq - 1)
            if _goes_on(known, entries):
                return row, following(known, entries[1:])
            self._forget(run)
        row, entries = store.history(run)
        return row, replay(run, entries)

    def keep(self, state: RunState, *, now: datetime) -> None:
        """Remember where a run stands by its committed entries, if that is worth it."""
        if state.rseq < LONG or state.ended is not None or not _is_light(state):
            self._forget(state.id)
            return
        with self._guard:
            before = self._known.pop(state.id, None)
            self._known[state.id] = _Known(state, before.read_at if before else now)
            while len(self._known) > MOST_RUNS:
                self._known.popitem(last=False)

    def _of(self, run: RunId, now: datetime) -> RunState | None:
        with self._guard:
            known = self._known.get(run)
            if known is None or now - known.read_at <= MOST_AGE:
                return known.state if known else None
            del self._known[run]
            return None

    def _forget(self, run: RunId) -> None:
        with self._guard:
            self._known.pop(run, None)


def following(state: RunState, entries: Iterable[Entry]) -> RunState:
    """Return where the run stands once `entries`, which come next, are added to `state`."""
    for entry in entries:
        state = after(state, entry)
    return state


def _goes_on(state: RunState, entries: Sequence[Entry]) -> bool:
    """Say whether the first of `entries` is the last one that `state` was made of."""
    if not entries:
        return False
    return (entries[0].rseq, entries[0].at) == (state.rseq, state.moved_at)


def _is_light(state: RunState) -> bool:
    """Say whether so little hangs on a state that it may stay in memory."""
    left = MOST_SIGNS
    for step in state.steps.values():
        left -= _weight(step.output, left) + _shown(step)
        if left < 0:
            return False
    return _weight(dict(state.inputs), left) <= left


def _shown(step: StepState) -> int:
    parts = (part for one in (step.asked, step.intended) if one for part in one.parts.values())
    return sum(len(part.value or b"") for part in parts)


def _weight(value: Json, most: int) -> int:
    """Return about how many signs `value` holds; counting ends at `most`."""
    if isinstance(value, str):
        return len(value)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    weight = 8 + len(inside)
    for one in inside:
        weight += _weight(one, most - weight)
        if weight > most:
            break
    return weight

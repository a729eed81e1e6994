"""Who shaped what a run is asked to do: in it, and in the runs that it was started for.

A run that another one started takes its values from there, so whoever published or changed that
one could else decide in the inner run what they wrote into the outer one.
"""

from collections.abc import Iterator, Sequence

from workflows.entry import Entry, Ref, RunId
from workflows.replay import replay
from workflows.run import RunState
from workflows.separation import Duty
from workflows.store import Store


def shapers(store: Store, state: RunState) -> dict[Ref, Duty]:
    """Return who published or changed a run, or one that it was started for, and which of both.

    Each outer run counts as it stood when it started the inner one.

    Raises:
        StorageError: the outer runs could not be read.
    """
    found: dict[Ref, Duty] = {}
    for one in _outwards(store, state):
        publisher = store.publisher(one.version)
        if publisher is not None:
            found.setdefault(publisher, Duty.EDITOR)
        found |= dict.fromkeys(one.editors, Duty.CHANGER)
    return found


def _outwards(store: Store, state: RunState) -> Iterator[RunState]:
    yield state
    while state.parent is not None:
        _, entries = store.history(state.parent)
        state = replay(state.parent, list(_until_it_started(state.id, entries)))
        yield state


def _until_it_started(child: RunId, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        if entry.kind == "wait.started" and entry.data.get("child") == child:
            return

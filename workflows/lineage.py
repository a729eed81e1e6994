"""Who shaped what a step would do: in its run, and in the runs that this one was started for.

A run that another one started takes its values from there, so whoever published or changed that
one, or answered its questions, could else decide in the inner run what they said in the outer one.
"""

from collections.abc import Collection, Iterator, Sequence

from workflows.definition_flow import Ask
from workflows.entry import Entry, Ref, RunId
from workflows.instances import step_of
from workflows.replay import replay
from workflows.run import RunState
from workflows.segment import Segment
from workflows.separation import Duty
from workflows.store import Store


def shapers(segment: Segment, step: str) -> dict[Ref, Duty]:
    """Return who published or changed a run or one around it, or answered what `step` rests on.

    Each outer run counts as it stood when it started the inner one, with every answer it had.

    Raises:
        ExpressionError: an expression of the step, or of one it rests on, does not compile.
        StorageError: the runs could not be read.
    """
    store = segment.house.store
    found: dict[Ref, Duty] = {}
    for one, entries in _outwards(store, segment.state):
        publisher = store.publisher(one.version)
        if publisher is not None:
            found.setdefault(publisher, Duty.EDITOR)
        found |= dict.fromkeys((*one.editors, *_who_answered(entries)), Duty.CHANGER)
    questions = _questions_behind(segment, step)
    if questions:
        _, own = store.history(segment.state.id)
        found |= dict.fromkeys(_who_answered(own, questions), Duty.CHANGER)
    return found


def _outwards(store: Store, state: RunState) -> Iterator[tuple[RunState, Sequence[Entry]]]:
    """Yield the run itself, without entries, then each one around it."""
    yield state, ()
    while state.parent is not None:
        _, all_of_it = store.history(state.parent)
        entries = list(_until_it_started(state.id, all_of_it))
        state = replay(state.parent, entries)
        yield state, entries


def _until_it_started(child: RunId, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        if entry.kind == "wait.started" and entry.data.get("child") == child:
            return


def _questions_behind(segment: Segment, step: str) -> frozenset[str]:
    """Return the questions on whose answers a step rests, or a loop around it."""
    outline = segment.definition.outline
    around = (loop.id for loop in outline[step_of(step)].loops)
    behind = {one for name in (step, *around) for one in segment.scopes.rests_on(name)}
    return frozenset(one for one in behind if isinstance(outline[step_of(one)].step, Ask))


def _who_answered(
    entries: Sequence[Entry], questions: Collection[str] | None = None
) -> Iterator[Ref]:
    """Yield who answered these questions, or any; of a shadow nothing follows."""
    for entry in entries:
        is_answer = entry.kind == "question.answered" and "shadow" not in entry.data
        if is_answer and (questions is None or entry.data["step"] in questions):
            yield Ref(entry.actor.ref)

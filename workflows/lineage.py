"""Who shaped what a step would do: in its run, and in the runs that this one was started for.

A run that another one started takes its values from there, so whoever published or changed that
one, or answered its questions, could else decide in the inner run what they said in the outer one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from workflows.definition import Definition
from workflows.definition_flow import Ask
from workflows.entry import Entry, Ref, RunId
from workflows.instances import step_of
from workflows.replay import replay
from workflows.run import RunState
from workflows.separation import Duty
from workflows.step_scope import StepScopes

Traced: TypeAlias = tuple[RunState, Sequence[Entry]]  # A run, and what happened in it.


class Trails(Protocol):
    """What has to be read: what happened in a run."""

    def history(self, run: RunId) -> tuple[object, Sequence[Entry]]:
        """Return a run's row and its entries."""


def outwards(trails: Trails, state: RunState) -> list[Traced]:
    """Return a run, without entries, then each one around it, with its own.

    Each outer run is as it stood when it started the inner one, with every answer it had.

    Raises:
        StorageError: the outer runs could not be read.
    """
    return list(_outwards(trails, state))


def shapers(runs: Iterable[Traced], publishers: Mapping[str, Ref]) -> dict[Ref, Duty]:
    """Return who published or changed a run or one around it, or answered one around it.

    `runs` are those that `outwards` gives, and `publishers` who published which version; one
    that came from a file on disk is missing.
    """
    found: dict[Ref, Duty] = {}
    for one, entries in runs:
        publisher = publishers.get(one.version)
        if publisher is not None:
            found.setdefault(publisher, Duty.EDITOR)
        found |= dict.fromkeys(one.editors, Duty.CHANGER)
        for _, ref in answers_in(entries):
            found.setdefault(ref, Duty.ANSWERER)
    return found


def _outwards(trails: Trails, state: RunState) -> Iterator[Traced]:
    yield state, ()
    while state.parent is not None:
        _, all_of_it = trails.history(state.parent)
        entries = list(_until_it_started(state.id, all_of_it))
        state = replay(state.parent, entries)
        yield state, entries


def _until_it_started(child: RunId, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        if entry.kind == "wait.started" and entry.data.get("child") == child:
            return


def questions_behind(definition: Definition, scopes: StepScopes, step: str) -> Collection[str]:
    """Return the questions on whose answers a step rests, or a loop around it.

    Raises:
        ExpressionError: an expression on the way does not compile.
    """
    outline = definition.outline
    around = (loop.id for loop in outline[step_of(step)].loops)
    behind = {one for name in (step, *around) for one in scopes.rests_on(name)}
    return frozenset(one for one in behind if isinstance(outline[step_of(one)].step, Ask))


def answers_in(entries: Sequence[Entry]) -> Iterator[tuple[str, Ref]]:
    """Yield each question that was answered, and by whom; of a shadow nothing follows."""
    for entry in entries:
        if entry.kind == "question.answered" and "shadow" not in entry.data:
            yield str(entry.data["step"]), Ref(entry.actor.ref)

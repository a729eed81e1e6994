"""What a run has done so far, and what of it can be taken back. Pure: a state in, names out.

The engine undoes by this list, and the card that asks how a run goes on shows it, so that
people are promised exactly what will be done. Names are those of instances: see `instances`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_steps import Step, Undo
from workflows.errors import DefinitionError
from workflows.instances import is_undo, undo_of
from workflows.run import Phase, RunState, StepState

_UNDER_WAY = frozenset({Phase.INTENDED, Phase.IN_DOUBT})
_UNCLEAR = frozenset({"partly", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The instances of a run, each under one heading and in the order they took effect.

    What is being undone stands under `undoable` until that is over, its verification included.
    An undoing that a person skipped leaves its step under `final`.
    """

    undoable: tuple[str, ...] = ()  # It happened, and the definition says how to undo it.
    final: tuple[str, ...] = ()  # It happened and stays.
    undone: tuple[str, ...] = ()  # It happened and was taken back.
    unclear: tuple[str, ...] = ()  # It may have happened, wholly or in part.
    read: tuple[str, ...] = ()  # It only looked.
    called: tuple[str, ...] = ()  # It started a run of its own; whatever that one did stays.


def done(definition: Definition, state: RunState) -> Done:
    """Return what the run has done, sorted by what can become of it.

    Abort and undo takes back `undoable`, from its end to its beginning.
    """
    found: dict[str, list[str]] = {name: [] for name in Done.__slots__}
    for name in in_order(state):
        heading = _heading(definition, state, name)
        if heading:
            found[heading].append(name)
    return Done(**{heading: tuple(names) for heading, names in found.items()})


def in_order(state: RunState) -> Iterator[str]:
    """Yield the instances that are no undoings, in the order they took effect or began."""
    names = [name for name in state.steps if not is_undo(name)]
    yield from sorted(names, key=lambda name: _place(state.step(name)))


def _place(step: StepState) -> int:
    if step.effect_rseq >= 0:
        return step.effect_rseq
    return step.intended.rseq if step.intended is not None else -1


def _heading(definition: Definition, state: RunState, name: str) -> str:
    one = state.step(name)
    if one.child is not None and not state.is_shadow:
        return "called"
    if one.intended is None or one.intended.data.get("effect") == Effect.READ:
        is_read = one.phase is Phase.OBSERVED and _step(definition, name) is not None
        return "read" if is_read else ""
    if one.effect_rseq >= 0:
        return _standing(definition, state, name)
    return "unclear" if one.phase in _UNDER_WAY or one.performed in _UNCLEAR else ""


def _standing(definition: Definition, state: RunState, name: str) -> str:
    """Return what became, or can become, of an effect that took place."""
    step = _step(definition, name)
    if step is None or not isinstance(step.undo, Undo):
        return "final"
    phase = state.step(undo_of(name)).phase
    if phase is Phase.SKIPPED:
        return "final"
    last = Phase.EXECUTED if definition.step(undo_of(name)).verify is None else Phase.VERIFIED
    return "undone" if phase is last else "undoable"


def _step(definition: Definition, name: str) -> Step | None:
    """Return the step of an instance; None if it uses no action, or none of that name is left."""
    try:
        return definition.step(name)
    except DefinitionError:
        return None

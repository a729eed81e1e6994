"""Which steps begin anew when the inputs of a run change, and what forbids a change. Pure.

Until the first effect is announced a run has only looked, so it may look again. What people
answered and what waited or was started for the old values cannot be had back, so a change that
would touch any of it is refused.
"""

from collections.abc import Iterable, Iterator, Mapping

from workflows.entry import Json
from workflows.errors import NotAllowedError
from workflows.instances import step_of
from workflows.procedure import Procedure
from workflows.run import Phase, RunState, StepState
from workflows.step_scope import StepScopes

# What cannot be done a second time just because a value was changed.
_ONCE = frozenset({Phase.TIMED, Phase.QUESTIONED, Phase.DONE, Phase.EXCEPTION})


def changed_inputs(before: Mapping[str, Json], after: Mapping[str, Json]) -> frozenset[str]:
    """Return the inputs whose values differ."""
    names = before.keys() | after.keys()
    return frozenset(name for name in names if before.get(name) != after.get(name))


def steps_anew(procedure: Procedure, state: RunState, changed: Iterable[str]) -> list[str]:
    """Return the ids of the steps that begin anew once the inputs `changed` have other values.

    Those are the steps that rest on such an input, those that wait for a decision or have an
    unused one, and the reads that these rest on.

    Raises:
        NotAllowedError: something was done that cannot begin anew; it says what.
    """
    _refuse_done(procedure, state)
    touched = _touched(procedure, frozenset(changed))
    for name, one in state.steps.items():
        if step_of(name) in touched and one.phase in _ONCE:
            raise NotAllowedError(
                f"“{procedure.definition.shown(name)}” was done with the old values.",
                hint="Cancel this run and start another one.",
            )
    asked = [name for name, one in state.steps.items() if one.stands]
    reads = {read for name in asked for read in _reads(procedure.scopes, state, name)}
    again = touched | {step_of(name) for name in (*asked, *reads)}
    begun = {step_of(name) for name in state.steps}
    return [name for name in procedure.definition.outline if name in again & begun]


def _refuse_done(procedure: Procedure, state: RunState) -> None:
    for name, one in state.steps.items():
        why = _why_done(one)
        if why:
            raise NotAllowedError(
                f"“{procedure.definition.shown(name)}” {why}, so the values can no longer change.",
                hint="Cancel this run and start another one.",
            )


def _why_done(step: StepState) -> str:
    # Of an effect that failed, the target may know the key under which it would come again.
    if step.intended is not None:
        return "was begun already"
    if step.child is not None:
        return "has started another run"
    return "was refused already" if step.phase is Phase.REFUSED else ""


def _touched(procedure: Procedure, changed: frozenset[str]) -> set[str]:
    """Return the steps that rest on one of the inputs, directly or through other steps."""
    found: set[str] = set()
    inside: list[tuple[str | int, ...]] = []  # Where the steps that hold others stand.
    for name, node in procedure.definition.outline.items():
        around = any(node.path[: len(path)] == path for path in inside)
        if around or _names(procedure.scopes.mentions(name), changed, found):
            found.add(name)
            inside.append(node.path)
    return found


def _names(paths: Iterable[str], changed: frozenset[str], touched: set[str]) -> bool:
    for path in paths:
        root, _, rest = path.partition(".")
        name = rest.partition(".")[0]
        if root == "inputs" and (name in changed or not name):
            return True
        if root == "steps" and (name in touched or not name):
            return True
    return False


def _reads(scopes: StepScopes, state: RunState, name: str) -> Iterator[str]:
    for earlier in scopes.rests_on(name):
        if state.step(earlier).phase is Phase.OBSERVED:
            yield earlier

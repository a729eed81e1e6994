"""Whether a run can go on by another version: what it has done must stand there too. Pure.

What has begun is held against the new version step by step: the same ids in the same order and
with the same meaning, so that outputs mean what later steps take them for, and what can be undone
is undone as it was promised. What the new version says of time, people and proof may differ,
since that is about what is still to come. Steps that have not begun may be anything.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from workflows.definition import Definition, meaning
from workflows.definition_flow import Flow, ForEach, Parallel
from workflows.instances import step_of
from workflows.portrait import leaves
from workflows.run import Phase, RunState, StepState

_BEGUN = frozenset(
    {
        Phase.OBSERVED,
        Phase.TIMED,
        Phase.QUESTIONED,
        Phase.CALLED,
        Phase.DONE,
        Phase.EXECUTED,
        Phase.VERIFIED,
        Phase.SKIPPED,
        Phase.REFUSED,  # What people denied stays denied, under whichever name.
    }
)
# What is said of a step beside what it does: only what comes goes by it.
_BESIDE = frozenset({"title", "approval", "verify", "retry", "timeout", "recheck", "max_parallel"})
_INSIDE = frozenset({"parallel", "steps"})


def first_difference(before: Definition, after: Definition, state: RunState) -> str:
    """Return the first thing that keeps a run from going on by `after`, nothing if it can."""
    begun = frozenset(step_of(name) for name, one in state.steps.items() if has_begun(one))
    return next(_between(before.steps, after.steps, begun), "")


def has_begun(step: StepState) -> bool:
    """Say whether a step has left something: an output, a question, a refusal, an effect, a run.

    A read that failed, and an approval that was asked for, leave nothing. An effect that failed
    does: its target may know the key under which it would come again.
    """
    was_asked = step.asked is not None and step.asked.kind == "question.asked"
    has_acted = step.intended is not None or step.child is not None
    return step.phase in _BEGUN or has_acted or was_asked or step.output is not None


def steps_changed(before: Definition, after: Definition, names: Collection[str]) -> list[str]:
    """Return those instances of `names` whose steps `after` lacks, or has with another meaning."""
    return [name for name in names if _said(before, name) != _said(after, name)]


def _said(definition: Definition, name: str) -> object:
    node = definition.outline.get(step_of(name))
    return None if node is None else meaning(node.step)


def _between(
    before: Sequence[Flow], after: Sequence[Flow], begun: Collection[str]
) -> Iterator[str]:
    """Yield what differs up to the last step of a sequence that has begun.

    A new step in front of it would come out of turn, and so would one inside of what is over.
    """
    last = max((at for at, one in enumerate(before) if one.id in begun), default=-1)
    for at, one in enumerate(before[: last + 1]):
        other = after[at] if at < len(after) else None
        yield from _step(one, other, begun, is_over=at < last)


def _step(one: Flow, other: Flow | None, begun: Collection[str], *, is_over: bool) -> Iterator[str]:
    if other is None or other.id != one.id:
        place = f"has “{other.shown}” in its place" if other is not None else "has no such step"
        yield f"“{one.shown}” has begun, and the other version {place}"
        return
    old, new = (dict(leaves(_as_done(form, with_inside=is_over))) for form in (one, other))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            told = f"{old.get(name, 'nothing')} → {new.get(name, 'nothing')}"
            yield f"“{one.shown}” has begun, and the other version says {name}: {told}"
    if not is_over:
        yield from _inside(one, other, begun)


def _inside(one: Flow, other: Flow, begun: Collection[str]) -> Iterator[str]:
    if isinstance(one, ForEach) and isinstance(other, ForEach):
        yield from _between(one.steps, other.steps, begun)
    if isinstance(one, Parallel) and isinstance(other, Parallel):
        if list(one.parallel) != list(other.parallel):
            yield f"“{one.shown}” has begun, and the other version has other branches"
            return
        for name, branch in one.parallel.items():
            yield from _between(branch, other.parallel[name], begun)


def _as_done(form: Flow, *, with_inside: bool) -> Mapping[str, Any]:
    """Return what a step says that was done; of what it holds only where all of that is over."""
    left_out = _BESIDE if with_inside else _BESIDE | _INSIDE
    return _without(meaning(form), left_out)


def _without(said: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    kept = {name: one for name, one in said.items() if name not in left_out}
    if "steps" in kept:
        kept["steps"] = [_without(one, _BESIDE) for one in kept["steps"]]
    if "parallel" in kept:
        kept["parallel"] = {
            name: [_without(one, _BESIDE) for one in branch]
            for name, branch in kept["parallel"].items()
        }
    return kept

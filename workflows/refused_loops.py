"""A loop of which nothing came about because people agreed to none of it. Pure.

Such a loop leaves these items behind and the run goes on, so that it shows at the end alone: a
run whose items were all turned down is not said to be done, as it is not where there is no loop.
"""

from collections.abc import Iterator, Mapping

from workflows.definition import Definition
from workflows.instances import items_of, step_of
from workflows.run import Phase, RunState, Status, StepState

Item = tuple[int, ...]

_ENDS = {"denied": Status.DENIED, "expired": Status.EXPIRED}


def refused_loop(definition: Definition, state: RunState) -> Status | None:
    """Return how a run ends of which some loop had items refused, and no other one was tried.

    Nobody decided in time if that is true of all of them; one rejection makes it a rejection.
    None where there is no such loop: an item that was approved, or that nobody had to be asked
    about, counts however it went.
    """
    if Phase.REFUSED not in state.marked.values():
        return None  # As nearly always.
    refusals = [_refusals(steps) for steps in _loops(definition, state).values()]
    found = {one for some in refusals for one in some}
    if Status.DENIED in found:
        return Status.DENIED
    return Status.EXPIRED if found else None


def _loops(definition: Definition, state: RunState) -> Mapping[str, Mapping[str, StepState]]:
    """Return the steps inside each loop that stands in no other one."""
    found: dict[str, dict[str, StepState]] = {}
    for name, step in state.steps.items():
        node = definition.outline.get(step_of(name))
        if node is not None and node.loops:
            found.setdefault(node.loops[0].id, {})[name] = step
    return found


def _refusals(steps: Mapping[str, StepState]) -> set[Status]:
    """Return how items of a loop were refused; nothing if one of them was tried."""
    refused = {
        items_of(name): _ENDS[one.refusal]
        for name, one in steps.items()
        if one.phase is Phase.REFUSED and one.refusal in _ENDS
    }
    is_tried = any(not _is_around(items, refused) for items in _tried(steps))
    return set() if is_tried else set(refused.values())


def _tried(steps: Mapping[str, StepState]) -> Iterator[Item]:
    """Yield the items of which an effect was announced, or another run started."""
    for name, one in steps.items():
        if one.intended is not None or one.child is not None:
            yield items_of(name)


def _is_around(items: Item, refused: Mapping[Item, Status]) -> bool:
    """Say whether an item was refused, or one of a loop in it."""
    return any(one[: len(items)] == items for one in refused)

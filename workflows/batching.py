"""Batches: items of a loop that wait for people together, on one card.

Each item has a request of its own, bound to what it would do; they share the id of the first.
An item joins those of its part of the loop that are still being decided and of which the same
holds, or begins a batch: what a card says once is then true of each of its items.
"""

from collections.abc import Mapping

from workflows.entry import Entry, Json, RequestId
from workflows.gate import ApprovalRequest
from workflows.instances import items_of, step_of
from workflows.run import Phase, RunState, StepState

FIELD = "batch"
MOST = 50  # As many items are open at a time; those that follow come once all are decided.
# Who is asked and what they have to give follow from these, the definition being the same.
_HOLDS = ("policy", "effect", "rules", "auto", "excluded", "duties")


def part_of(number: int) -> int:
    """Return to which part of its loop an item belongs."""
    return number // MOST


def batch_of(state: RunState, name: str, request: Mapping[str, Json]) -> RequestId | None:
    """Return the batch that the request of an item joins, None if it begins one.

    `request` is what the entry that raises it says.
    """
    *around, number = items_of(name)
    for other, step in state.steps.items():
        if step_of(other) != step_of(name) or step.asked is None or not is_waiting(step):
            continue
        *its, its_number = items_of(other)
        is_near = its == around and part_of(its_number) == part_of(number)
        if is_near and _holds_of(step.asked.data) == _holds_of(request):
            return batch_in(step.asked)
    return None


def _holds_of(request: Mapping[str, Json]) -> list[Json]:
    return [request.get(one) for one in _HOLDS]


def is_waiting(step: StepState) -> bool:
    """Say whether a step waits for people, together with others."""
    return step.phase is Phase.ASKED and batch_in(step.asked) is not None


def batch_in(entry: Entry | None) -> RequestId | None:
    """Return the batch that an entry names, None if it names none."""
    found = entry.data.get(FIELD) if entry is not None else None
    return RequestId(found) if isinstance(found, str) else None


def same_batch(entry: Entry | None) -> dict[str, Json]:
    """Return what an entry carries that follows this one."""
    found = batch_in(entry)
    return {} if found is None else {FIELD: found}


def batch_data(request: ApprovalRequest) -> Mapping[str, Json]:
    """Return what an entry about a request carries."""
    return {} if request.batch is None else {FIELD: request.batch}

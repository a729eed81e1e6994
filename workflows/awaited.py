"""Who has to act now: the people whose answer a request still waits for. Pure."""

from collections.abc import Sequence

from workflows.entry import Ref
from workflows.gate import ApprovalRequest, Decision, Outcome, standing, tally


def awaited(request: ApprovalRequest, decisions: Sequence[Decision]) -> frozenset[Ref]:
    """Return those who may decide `request` now and have not yet; nobody once it is settled.

    A later stage waits for nobody before its turn.
    """
    if request.outcome is not Outcome.OPEN:
        return frozenset()
    now = tally(request, decisions)
    if now.outcome is not Outcome.OPEN:
        return frozenset()
    said = {one.approver for one in standing(decisions)}
    return request.stages[now.stage].people - said - request.excluded - {Ref(request.requester)}

"""Who has to act now: the people whose answer a request still waits for. Pure."""

from collections.abc import Sequence

from workflows.entry import Ref
from workflows.gate import ApprovalRequest, Decision, Outcome, standing, tally


def awaited(request: ApprovalRequest, decisions: Sequence[Decision]) -> frozenset[Ref]:
    """Return those who may decide `request` now and have not yet; nobody once it is settled.

    What is decided later waits for nobody before its turn.
    """
    if request.outcome is not Outcome.OPEN:
        return frozenset()
    asked = (request.stages[index].everybody for index in tally(request, decisions).waiting)
    counted = standing(decisions)
    # Whose place a stand-in has decided is not waited for either.
    said = {one.approver for one in counted} | {one.stands_for for one in counted}
    return frozenset().union(*asked) - said - request.excluded - {Ref(request.requester)}

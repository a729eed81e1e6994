"""Who has to act now: the people whose answer a request still waits for. Pure."""

from collections.abc import Collection, Sequence

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
    return frozenset().union(*asked) - said - _barred(request)


def place_of(
    request: ApprovalRequest,
    decisions: Sequence[Decision],
    voter: Ref,
    *,
    in_place_of: Collection[Ref],
    acting: Collection[Ref],
) -> Ref | None:
    """Return whose place `voter` would decide now, None if they may not or have decided.

    That is their own where the request waits for them, else that of one of `in_place_of`, who
    are those that they stand in for. Whoever is `acting` for somebody excluded has no voice that
    they or another could use. It is what `standing_in` lets count.
    """
    gone = _barred(request).union(acting, (one.approver for one in standing(decisions)))
    if voter in gone:
        return None
    waiting = awaited(request, decisions).difference(acting)
    return voter if voter in waiting else min(waiting.intersection(in_place_of), default=None)


def _barred(request: ApprovalRequest) -> frozenset[Ref]:
    return request.excluded | {Ref(request.requester)}

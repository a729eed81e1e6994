"""Writing directly to approvers who have not decided yet: when, and which message that is.

One message a request and person, sent once and drawn anew when something changes. Nothing
depends on it: a run goes on whether or not it can be delivered.
"""

from collections.abc import Iterable
from datetime import timedelta

from workflows.entry import Entry, Ref, RequestId
from workflows.gate import ApprovalRequest
from workflows.store import Due, DueKind, Message, Subject, Unit

FIELD = "nudge"  # Of an `approval.requested`: seconds, missing where nobody is written to.


def message_to(request: ApprovalRequest, ref: Ref) -> Message:
    """Return what tells one person directly of a request, and of all in its batch."""
    return Message(subject=Subject.NUDGE, key=f"{request.card}/{ref}", run=request.run)


def nudge_the_next(unit: Unit, request: ApprovalRequest) -> None:
    """Have those written to whose turn it has just become, if the policy wants such messages."""
    after = _wait(unit.entries(request.run), request.id)
    if after is not None:
        at = unit.now + after
        unit.set_due(Due(kind=DueKind.NUDGE, key=request.id, run=request.run, at=at))


def _wait(entries: Iterable[Entry], request: RequestId) -> timedelta | None:
    raised = (one for one in entries if one.kind == "approval.requested")
    asked = next((one for one in raised if one.data["request"] == request), None)
    seconds = asked.data.get(FIELD) if asked is not None else None
    return timedelta(seconds=seconds) if isinstance(seconds, int) else None

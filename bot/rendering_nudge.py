"""Draws what one approver is told directly of a request."""

from bot.rendering_cards import DECISIONS, decision_in, preview_in, said_in
from bot.run_reading import RunRead, told_to
from bot.views.nudge import Nudge, nudge
from bot.views.pieces import Rendered
from bot.wording import Who
from storage.outbox_values import OutboxRow
from workflows.awaited import awaited
from workflows.entry import Entry, Ref
from workflows.gate import ApprovalRequest, Verdict
from workflows.telling import BROKEN


def draw_nudge(
    read: RunRead, request: ApprovalRequest, row: OutboxRow, *, card: str, home: str
) -> Rendered | None:
    """Return the message as it stands now; None for somebody who was never told and need not be."""
    ref = person_of(row)
    preview = preview_in(read, request.id)
    said = said_in(read, request.id)
    is_awaited = ref in awaited(request, [decision_in(one) for one in said])
    if preview is None or (row.place is None and not is_awaited):
        return None
    reminders = [
        one
        for one in read.of_kind("approval.reminded")
        if one.data["request"] == request.id and ref in told_to(one)
    ]
    return nudge(
        Nudge(
            preview=preview,
            is_awaited=is_awaited,
            outcome=request.outcome,
            at=request.settled_at,
            by=_settled_by(read, request.id),
            is_alone=_settling(read, request.id, BROKEN) is not None,
            own=_own(said, ref),
            reminded_at=reminders[-1].at if reminders else None,
            card=card,
            home=home,
        )
    )


def person_of(row: OutboxRow) -> Ref:
    """Return the person that such a message is for, by pseudonym."""
    return Ref(row.key.rpartition("/")[2])


def _settled_by(read: RunRead, request: str) -> list[Who]:
    settling = _settling(read, request, *DECISIONS, BROKEN)
    who = read.who(settling.actor) if settling is not None else None
    return [] if who is None else [who]


def _settling(read: RunRead, request: str, *kinds: str) -> Entry | None:
    """Return the last entry of these kinds that settled the request."""
    found = [one for one in read.of_kind(*kinds) if one.data["request"] == request]
    return next((one for one in reversed(found) if one.data.get("settles")), None)


def _own(said: list[Entry], ref: Ref) -> Verdict | None:
    own = [DECISIONS[one.kind] for one in said if one.actor.ref == ref]
    return own[-1] if own else None

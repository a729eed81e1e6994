"""Draws what one approver is told directly of a request."""

from collections.abc import Mapping, Sequence

from bot.rendering_cards import DECISIONS, decision_in, decisions_of, preview_in, said_in
from bot.run_reading import RunRead, told_to
from bot.views.nudge import Nudge, nudge
from bot.views.pieces import Rendered
from bot.views.symbols import became
from bot.wording import Who, plural
from storage.outbox_values import OutboxRow
from workflows.awaited import place_of
from workflows.batching import batch_in
from workflows.entry import Entry, Ref
from workflows.gate import ApprovalRequest, Verdict
from workflows.telling import BROKEN


def draw_nudge(
    read: RunRead,
    request: ApprovalRequest,
    row: OutboxRow,
    *,
    in_place_of: Mapping[Ref, Who],
    acting: frozenset[Ref],
    card: str,
    home: str,
) -> Rendered | None:
    """Return the message as it stands now; None for somebody who was never told and need not be.

    `in_place_of` are those for whom the person decides now, `acting` whoever does so for
    somebody excluded.
    """
    ref = person_of(row)
    preview = preview_in(read, request.id)
    said = said_in(read, request.id)
    decisions = [decision_in(one) for one in said]
    place = place_of(request, decisions, ref, in_place_of=in_place_of, acting=acting)
    if preview is None or (row.place is None and place is None):
        return None
    reminders = [
        one
        for one in read.of_kind("approval.reminded")
        if one.data["request"] == request.id and ref in told_to(one)
    ]
    return nudge(
        Nudge(
            preview=preview,
            is_awaited=place is not None,
            stands_for=in_place_of.get(place) if place is not None else None,
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


def draw_batch_nudge(
    read: RunRead,
    asked: Sequence[ApprovalRequest],
    row: OutboxRow,
    *,
    in_place_of: Mapping[Ref, Who],
    acting: frozenset[Ref],
    card: str,
    home: str,
) -> Rendered | None:
    """Return the same about all items of a batch."""
    ref = person_of(row)
    places = {
        one.id: place_of(one, decisions_of(read, one), ref, in_place_of=in_place_of, acting=acting)
        for one in asked
    }
    waiting = [one for one in asked if places[one.id] is not None]
    first = waiting[0] if waiting else asked[0]
    preview = preview_in(read, first.id)
    if preview is None or (row.place is None and not waiting):
        return None
    place = places[first.id]
    reminders = [
        one
        for one in read.of_kind("approval.reminded")
        if batch_in(one) == first.card and ref in told_to(one)
    ]
    count = plural(len(waiting or asked), "item")
    return nudge(
        Nudge(
            preview=preview.model_copy(update={"headline": f"{count}, {preview.headline} first"}),
            is_awaited=bool(waiting),
            stands_for=in_place_of.get(place) if place is not None else None,
            reminded_at=reminders[-1].at if reminders else None,
            became=became([one.outcome for one in asked]),
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

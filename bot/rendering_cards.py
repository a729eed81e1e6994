"""Draws approval cards: what is asked, what was said, and how it ended."""

import logging
from dataclasses import dataclass, replace

from pydantic import ValidationError

from bot.rendering_away import absences_of
from bot.run_reading import RunRead, RunReader, part_json, words_of
from bot.views.pieces import Rendered
from bot.views.request_card import request_card
from bot.views.request_values import (
    Escalated,
    GlassBroken,
    HoldShown,
    Preview,
    Receipt,
    RequestCard,
    Vote,
)
from storage.outbox_rows import OutboxRows
from storage.outbox_values import OutboxRow
from workflows.entry import Entry, Json, Ref
from workflows.freezing import FREEZE
from workflows.gate import ApprovalRequest, Decision, Outcome, Verdict, tally
from workflows.holding import newest_hold
from workflows.how_closed import REASONS
from workflows.moments import moment
from workflows.prompting import ESCALATED
from workflows.store import Subject
from workflows.superseded import EDITED, edit_of, next_of
from workflows.telling import BROKEN

log = logging.getLogger(__name__)

WITHDRAWN = "approval.withdrawn"
DECISIONS = {"approval.granted": Verdict.APPROVE, "approval.denied": Verdict.DENY}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCard:
    """A card as it is now, whether anything is still missing on it, and its receipt.

    One that `is_over` goes on changing as what was approved is done, and asks nobody anything.
    """

    rendered: Rendered
    is_complete: bool
    receipt: Receipt | None
    is_over: bool = False


def draw_card(
    read: RunRead,
    request: ApprovalRequest,
    row: OutboxRow,
    *,
    reader: RunReader,
    places: OutboxRows,
) -> DrawnCard | None:
    """Return an approval card; None without a preview.

    A card that lacks its receipt, since the log has not placed the entry yet, or the way to the
    card that took its place, is drawn again.
    """
    card = card_values(read, request, reader)
    if card is None:
        return None
    settling = settling_of(read, request)
    receipt = reader.receipt_of(settling) if settling is not None else None
    edited = edit_of(read.entries, request.id)
    newer = next_of(edited) if edited is not None else None
    place = places.place_of(Subject.CARD, newer) if newer is not None else None
    absences = absences_of(request, decisions_of(read, request), reader)
    shown = replace(
        card,
        successor=reader.link(place),
        receipt=receipt,
        thread=reader.link(row.thread),
        absences=absences.told,
        deserted_until=absences.back_at,
    )
    leads_on = newer is None or place is not None or read.asked(newer) is None
    return DrawnCard(
        rendered=request_card(shown),
        is_complete=leads_on and (settling is None or receipt is not None),
        receipt=receipt,
    )


def card_values(read: RunRead, request: ApprovalRequest, reader: RunReader) -> RequestCard | None:
    """Return what a card says of a request itself, None where its preview was erased."""
    preview = preview_in(read, request.id)
    if preview is None:
        return None
    edited = edit_of(read.entries, request.id)
    now = tally(request, decisions_of(read, request))
    return RequestCard(
        preview=preview,
        outcome=request.outcome,
        given=now.given,
        waiting=now.waiting,
        escalated=_escalated(read, request.id),
        votes=[_vote(read, one) for one in said_in(read, request.id)],
        settled_at=request.settled_at,
        is_consumed=request.is_consumed,
        reason=withdrawn_because(read, request.id),
        edited_by=read.who(edited.actor) if edited is not None else None,
        known=reader.named(_names(request)),
        may_take_back=request.outcome is Outcome.APPROVED and not read.listed.status.is_end,
        broken=_broken(read, request),
        hold=_hold(read, request),
    )


def _names(request: ApprovalRequest) -> list[str]:
    """Return the groups and people that the card speaks of."""
    later = (name for one in request.terms.escalations for name in one.to)
    return list(dict.fromkeys((*request.groups, *later)))


def preview_in(read: RunRead, request: str) -> Preview | None:
    """Return what approvers are shown; None if it was erased, or is of another release."""
    raised = read.asked(request)
    shown = part_json(raised, "preview") if raised is not None else None
    try:
        return Preview.read(shown) if isinstance(shown, dict) else None
    except ValidationError:
        log.warning("a preview cannot be read", extra={"request": request})
        return None


def _escalated(read: RunRead, request: str) -> list[Escalated]:
    """Return to whom the request was opened since, in order."""
    return [
        Escalated(
            groups=tuple(str(name) for name in _list(one, "groups")),
            stages=tuple(index for index in _list(one, "stages") if isinstance(index, int)),
            at=one.at,
        )
        for one in read.of_kind(ESCALATED)
        if one.data["request"] == request
    ]


def _list(entry: Entry, name: str) -> list[Json]:
    found = entry.data.get(name)
    return found if isinstance(found, list) else []


def decisions_of(read: RunRead, request: ApprovalRequest) -> list[Decision]:
    """Return what was said about a request, in order."""
    return [decision_in(one) for one in said_in(read, request.id)]


def said_in(read: RunRead, request: str) -> list[Entry]:
    """Return the decisions on a request, in order."""
    return [one for one in read.of_kind(*DECISIONS) if one.data["request"] == request]


def decision_in(entry: Entry) -> Decision:
    """Return the decision that an entry records."""
    stage, stands_for = entry.data["stage"], entry.data.get("for")
    return Decision(
        approver=Ref(entry.actor.ref),
        stage=stage if isinstance(stage, int) else 0,
        verdict=DECISIONS[entry.kind],
        at=entry.at,
        stands_for=Ref(stands_for) if isinstance(stands_for, str) else None,
    )


def _vote(read: RunRead, entry: Entry) -> Vote:
    who = read.who(entry.actor)
    if who is None:
        raise ValueError(f"entry {entry.id} is a decision of nobody")
    return Vote(
        who=who,
        verdict=DECISIONS[entry.kind],
        at=entry.at,
        comment=words_of(entry),
        stands_for=read.whose_place(entry),
    )


def settling_of(read: RunRead, request: ApprovalRequest) -> Entry | None:
    """Return the entry that settled the request."""
    if request.outcome is Outcome.OPEN:
        return None
    ends = read.of_kind("approval.expired", WITHDRAWN, EDITED)
    closed = [one for one in ends if one.data["request"] == request.id]
    decided = read.of_kind(*DECISIONS, BROKEN)
    settled = [one for one in decided if one.data["request"] == request.id]
    voted = [one for one in settled if one.data.get("settles")]
    return next(reversed(closed or voted), None)


def _broken(read: RunRead, request: ApprovalRequest) -> GlassBroken | None:
    used = [one for one in read.of_kind(BROKEN) if one.data["request"] == request.id]
    who = read.who(used[-1].actor) if used else None
    if who is None:
        return None
    settles = bool(used[-1].data.get("settles"))
    return GlassBroken(who=who, at=used[-1].at, reason=words_of(used[-1]), settles=settles)


def _hold(read: RunRead, request: ApprovalRequest) -> HoldShown | None:
    """Return why an approved effect waits, if it does."""
    held = newest_hold(read.entries, request.step)
    if held is None or request.outcome is not Outcome.APPROVED or request.is_consumed:
        return None
    until = held.data.get("until")
    return HoldShown(
        words=words_of(held),
        is_frozen=held.data["rule"] == FREEZE,
        until=moment(until) if isinstance(until, str) else None,
    )


def withdrawn_because(read: RunRead, request: str) -> str:
    """Return why a request was withdrawn, in words; nothing if it was not."""
    for one in read.of_kind(WITHDRAWN):
        if one.data["request"] == request:
            code = str(one.data["reason"])
            return words_of(one) or REASONS.get(code, code)
    return ""

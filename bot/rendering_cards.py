"""Draws the cards that ask people something: approve this, did it happen, how does it go on."""

import logging
from collections.abc import Sequence

from pydantic import ValidationError

from bot.run_reading import RunRead, RunReader, part_json, words_of
from bot.views.doubt_card import DoubtCard, DoubtSettled, doubt_card
from bot.views.exception_card import ExceptionCard, TroubleSettled, exception_card
from bot.views.pieces import Rendered
from bot.views.request_card import request_card
from bot.views.request_values import Preview, RequestCard, Vote
from storage.outbox_values import OutboxRow
from workflows.actions.base import Effect
from workflows.entry import Entry, Json, Ref
from workflows.gate import ApprovalRequest, Decision, Outcome, Verdict, tally
from workflows.run import StepState

log = logging.getLogger(__name__)

DECISIONS = {"approval.granted": Verdict.APPROVE, "approval.denied": Verdict.DENY}
WITHDRAWN = "approval.withdrawn"
# Words for the codes of withdrawn requests; others are shown as they are.
REASONS = {
    "undeliverable": "The people who decide could not be shown the question.",
    "cancelled": "The run was cancelled.",
}
ANSWERS = frozenset({"retry", "skip", "abort"})


def draw_card(
    read: RunRead, request: ApprovalRequest, row: OutboxRow, reader: RunReader
) -> tuple[Rendered, bool] | None:
    """Return an approval card and whether it is complete; None without a preview.

    A card that lacks its receipt, since the log has not placed the entry yet, is drawn again.
    """
    preview = _preview(read, request)
    if preview is None:
        return None
    said = _said(read, request.id)
    settling = _settling(read, request)
    receipt = reader.receipt_of(settling) if settling is not None else None
    now = tally(request, [_decision(one) for one in said])
    card = RequestCard(
        preview=preview,
        outcome=request.outcome,
        stage=now.stage,
        have=now.have,
        votes=[_vote(read, one) for one in said],
        settled_at=request.settled_at,
        is_consumed=request.is_consumed,
        reason=_reason(read, request),
        receipt=receipt,
        known=reader.named(request.groups),
        thread=reader.link(row.thread),
        may_take_back=request.outcome is Outcome.APPROVED and not read.listed.status.is_end,
    )
    return request_card(card), settling is None or receipt is not None


def _preview(read: RunRead, request: ApprovalRequest) -> Preview | None:
    """Return what approvers are shown; None if it was erased, or is of another release."""
    raised = read.asked(request.id)
    shown = part_json(raised, "preview") if raised is not None else None
    try:
        return Preview.read(shown) if isinstance(shown, dict) else None
    except ValidationError:
        log.warning("a preview cannot be read", extra={"request": request.id})
        return None


def _said(read: RunRead, request: str) -> list[Entry]:
    return [one for one in read.of_kind(*DECISIONS) if one.data["request"] == request]


def _decision(entry: Entry) -> Decision:
    stage = entry.data["stage"]
    return Decision(
        approver=Ref(entry.actor.ref),
        stage=stage if isinstance(stage, int) else 0,
        verdict=DECISIONS[entry.kind],
        at=entry.at,
    )


def _vote(read: RunRead, entry: Entry) -> Vote:
    who = read.who(entry.actor)
    if who is None:
        raise ValueError(f"entry {entry.id} is a decision of nobody")
    return Vote(who=who, verdict=DECISIONS[entry.kind], at=entry.at, comment=words_of(entry))


def _settling(read: RunRead, request: ApprovalRequest) -> Entry | None:
    """Return the entry that settled the request."""
    if request.outcome is Outcome.OPEN:
        return None
    ends = read.of_kind("approval.expired", WITHDRAWN)
    closed = [one for one in ends if one.data["request"] == request.id]
    voted = [one for one in _said(read, request.id) if one.data.get("settles")]
    return next(reversed(closed or voted), None)


def _reason(read: RunRead, request: ApprovalRequest) -> str:
    for one in read.of_kind(WITHDRAWN):
        if one.data["request"] == request.id:
            code = str(one.data["reason"])
            return words_of(one) or REASONS.get(code, code)
    return ""


def draw_doubt(read: RunRead, key: str, reader: RunReader) -> Rendered | None:
    """Return the question whether an effect happened; None if there is no such doubt."""
    _, step, intent_id = key.split("/", 2)
    intent = read.entry(intent_id)
    if intent is None:
        return None
    doubts = [one for one in read.of_kind("action.in_doubt") if _same_attempt(one, intent)]
    doubt = doubts[-1] if doubts else None
    return doubt_card(
        DoubtCard(
            run=read.id,
            step=step,
            title=read.definition.title,
            what=read.line_about(step),
            key=str(intent.data["idem"]),
            cause=str(doubt.data["cause"]) if doubt is not None else "",
            since=intent.at,
            asked=reader.asked_people(read.definition),
            asks_again=intent.data.get("request") is not None,
            settled=_doubt_settled(read, intent),
        )
    )


def _same_attempt(entry: Entry, intent: Entry) -> bool:
    return entry.rseq > intent.rseq and all(
        entry.data.get(name) == intent.data.get(name) for name in ("step", "attempt")
    )


def _doubt_settled(read: RunRead, intent: Entry) -> DoubtSettled | None:
    ends = [one for one in read.of_kind("action.resolved") if _same_attempt(one, intent)]
    if not ends:
        return None
    last = ends[-1]
    return DoubtSettled(happened=str(last.data["happened"]), by=read.who(last.actor), at=last.at)


def draw_trouble(read: RunRead, key: str, reader: RunReader) -> Rendered | None:
    """Return the question how a run goes on; None if there is no such exception."""
    _, step, entry_id = key.split("/", 2)
    stopped = read.entry(entry_id)
    if stopped is None:
        return None
    state = read.state.step(step)
    failed = _failure_before(read, step, stopped)
    return exception_card(
        ExceptionCard(
            run=read.id,
            step=step,
            title=read.definition.title,
            what=read.line_about(step),
            error_class=_error_class(failed, stopped),
            message=words_of(stopped) or words_of(failed),
            attempts=max(1, _attempts(failed, state)),
            performed=_performed(failed, state),
            done=_done_before(read, stopped),
            asked=reader.asked_people(read.definition),
            at=stopped.at,
            settled=_trouble_settled(read, step, stopped),
        )
    )


def _failure_before(read: RunRead, step: str, stopped: Entry) -> Entry:
    """Return the failure that made the exception, the exception itself if there is none."""
    failures = [
        one
        for one in read.of_kind("action.failed", "step.observed", "action.resolved")
        if one.data.get("step") == step and one.rseq <= stopped.rseq
    ]
    return failures[-1] if failures else stopped


def _error_class(failed: Entry, stopped: Entry) -> str:
    if stopped.kind.startswith("verification."):
        return stopped.kind.replace(".", " ")
    return str(failed.data.get("error_class") or stopped.data.get("rule") or "")


def _attempts(failed: Entry, state: StepState) -> int:
    attempt: Json = failed.data.get("attempt")
    return attempt if isinstance(attempt, int) else state.attempt


def _performed(failed: Entry, state: StepState) -> str:
    return str(failed.data.get("performed") or state.performed)


def _done_before(read: RunRead, stopped: Entry) -> tuple[str, ...]:
    """Return the effects of earlier steps that stand, in words."""
    changed = {
        str(one.data["step"])
        for one in read.of_kind("action.intended")
        if one.data.get("effect") != Effect.READ
    }
    ends: Sequence[Entry] = read.of_kind("action.executed")
    names = [str(one.data["step"]) for one in ends if one.rseq < stopped.rseq]
    mine = stopped.data.get("step")
    return tuple(
        f"{name}: {read.line_about(name)}"
        for name in dict.fromkeys(names)
        if name in changed and name != mine
    )


def _trouble_settled(read: RunRead, step: str, stopped: Entry) -> TroubleSettled | None:
    answers = [
        one
        for one in read.of_kind("decision.made", after=stopped.rseq)
        if one.data["decision"] == "cancel"
        or (one.data["step"] == step and one.data["decision"] in ANSWERS)
    ]
    by = read.who(answers[0].actor) if answers else None
    if by is None:
        return None
    return TroubleSettled(answer=str(answers[0].data["decision"]), by=by, at=answers[0].at)

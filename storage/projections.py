"""What each kind of entry states, as changes of the tables. Pure: an entry in, changes out.

Every table that says what state something is in is written from here and nowhere else, in the
transaction of the entry. `rebuild` makes the same tables again and compares. The row of a run
itself stands in `run_facts`, since the unit that appends holds it already; what entries say of
schedules stands in `schedule_projections`, and of one-time codes in `step_up_projections`.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from storage.change import Change, Insert, Update, Upsert
from storage.hold_projections import HOLDS_STATED
from storage.limit_projections import (
    budgets_given_back,
    budgets_kept,
    budgets_taken,
    glass_reviewed,
    glass_used,
)
from storage.role_projections import ROLES_STATED, level_set
from storage.schedule_projections import (
    schedule_deleted,
    schedule_fired,
    schedule_missed,
    schedule_paused,
    schedule_resumed,
    schedule_set,
)
from storage.secret_projections import SECRETS_STATED
from storage.step_up_projections import step_up_confirmed, step_up_enrolled, step_up_reset
from workflows.entry import Entry, Json
from workflows.gate import Outcome, Verdict
from workflows.terms import terms_in

ALREADY_SETTLED = "The request is used or settled already; nothing was recorded."
NOT_APPROVED = "The request is not approved, or already used; nothing was recorded."
ALREADY_REVOKED = "This token is revoked already; nothing was recorded."


def changes(entry: Entry) -> Iterable[Change]:
    """Return what `entry` changes beside the row of its run."""
    stated = _STATED.get(entry.kind)
    return () if stated is None else stated(entry)


def _requested(entry: Entry) -> Iterable[Change]:
    data = entry.data
    yield Insert(
        "approval_request",
        {
            "id": data["request"],
            "run_id": entry.run,
            "entry_id": entry.id,
            "step": data["step"],
            "binding": data["binding"],
            "policy": data["policy"],
            "stages": _text(data["stages"]),
            "excluded": _text(data["excluded"]),
            "needs_reason": data.get("reason") == "required",
            "raised_at": entry.at,
            "expires_at": _moment(data["expires"]),
            "outcome": Outcome.OPEN.value,
            "terms": _text(terms) if (terms := terms_in(data)) else None,
            "batch": data.get("batch"),
        },
    )


def _escalated(entry: Entry) -> Iterable[Change]:
    yield Insert(
        "escalation",
        {
            "request_id": entry.data["request"],
            "n": entry.data["n"],
            "entry_id": entry.id,
            "people": _text(entry.data["to"]),
            # Without groups nobody can be seen to belong to them still, so nobody is let in.
            "named": _text(entry.data.get("groups", [])),
            "stages": _text(entry.data.get("stages", [])),
        },
    )


def _decided(entry: Entry) -> Iterable[Change]:
    is_approval = entry.kind == "approval.granted"
    yield Insert(
        "decision",
        {
            "request_id": entry.data["request"],
            "entry_id": entry.id,
            "approver": entry.actor.ref,
            "stage": entry.data["stage"],
            "verdict": (Verdict.APPROVE if is_approval else Verdict.DENY).value,
            "decided_at": entry.at,
            "stands_for": entry.data.get("for"),
        },
    )
    if entry.data.get("settles"):
        yield _settle(entry, Outcome.APPROVED if is_approval else Outcome.DENIED)


def _settle(entry: Entry, outcome: Outcome) -> Change:
    return Update(
        "approval_request",
        {"id": entry.data["request"], "consumed_attempt": None},
        {"outcome": outcome.value, "settled_at": entry.at},
        ALREADY_SETTLED,
    )


def _expired(entry: Entry) -> Iterable[Change]:
    yield _settle(entry, Outcome.EXPIRED)


def _withdrawn(entry: Entry) -> Iterable[Change]:
    yield _settle(entry, Outcome.WITHDRAWN)


def _edited(entry: Entry) -> Iterable[Change]:
    yield _settle(entry, Outcome.SUPERSEDED)


def _delegated(entry: Entry) -> Iterable[Change]:
    """The newest word of a person counts; one that is over when it is said only ends others."""
    if entry.data["request"] is not None:
        return
    giver, until = entry.data["from"], _moment(entry.data["until"])
    yield Update("delegation", {"giver": giver, "ended_at": None}, {"ended_at": entry.at})
    if until > entry.at:
        yield Insert(
            "delegation",
            {
                "entry_id": entry.id,
                "giver": giver,
                "stand_in": entry.data["to"],
                "given_at": entry.at,
                "until": until,
                "ended_at": None,
            },
        )


def _intended(entry: Entry) -> Iterable[Change]:
    if entry.data["request"] is not None:
        yield Update(
            "approval_request",
            {
                "id": entry.data["request"],
                "outcome": Outcome.APPROVED.value,
                "consumed_attempt": None,
            },
            {"consumed_attempt": entry.data["attempt"]},
            NOT_APPROVED,
        )
    yield from budgets_taken(entry)


def _failed(entry: Entry) -> Iterable[Change]:
    if entry.data["performed"] == "no":
        yield _give_back(entry)
        yield budgets_given_back(entry)


def _resolved(entry: Entry) -> Iterable[Change]:
    # What a person sends again asks for approval again, so only a probe gives it back.
    if entry.data["happened"] == "no" and entry.data["by"] != "person":
        yield _give_back(entry)
    match entry.data["happened"]:
        case "no":
            yield budgets_given_back(entry)
        case "yes":
            yield budgets_kept(entry)


def _broke_glass(entry: Entry) -> Iterable[Change]:
    yield from glass_used(entry)
    if entry.data.get("settles"):
        yield _settle(entry, Outcome.APPROVED)


def _give_back(entry: Entry) -> Change:
    """Let the next attempt use the approval: attempts that did not happen share it."""
    return Update(
        "approval_request",
        {
            "run_id": entry.run,
            "step": entry.data["step"],
            "consumed_attempt": entry.data["attempt"],
            "outcome": Outcome.APPROVED.value,
        },
        {"consumed_attempt": None},
    )


def _chosen(entry: Entry) -> Iterable[Change]:
    """A person who restarts or leaves a step ends the approval it had left."""
    if entry.data["decision"] in {"retry", "skip", "abort", "undo"}:
        yield Update(
            "approval_request",
            {
                "run_id": entry.run,
                "step": entry.data["step"],
                "outcome": Outcome.APPROVED.value,
                "consumed_attempt": None,
            },
            {"outcome": Outcome.SUPERSEDED.value, "settled_at": entry.at},
        )


def _published(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "definition_version",
        {"version": entry.data["version"]},
        {
            "workflow": entry.data["workflow"],
            "published_at": entry.at,
            "published_by": entry.actor.ref,
        },
    )


def _activated(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "active_definition",
        {"workflow": entry.data["workflow"]},
        {
            "version": entry.data["version"],
            "level": entry.data["level"],
            "activated_at": entry.at,
            "retired_at": None,
        },
    )
    yield level_set(entry, entry.data["level"])


def _retired(entry: Entry) -> Iterable[Change]:
    yield Update(
        "active_definition",
        {"workflow": entry.data["workflow"], "version": entry.data["version"]},
        {"retired_at": entry.at},
    )


def _level_changed(entry: Entry) -> Iterable[Change]:
    yield Update(
        "active_definition",
        {"workflow": entry.data["workflow"], "version": entry.data["version"]},
        {"level": entry.data["to"]},
    )
    yield level_set(entry, entry.data["to"])


def _policy_changed(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "active_policy",
        {"name": entry.data["name"]},
        {"version": entry.data["after"], "changed_at": entry.at},
    )


def _wait_started(entry: Entry) -> Iterable[Change]:
    until = entry.data["until"]
    yield Upsert(
        "timer",
        {"run_id": entry.run, "step": entry.data["step"]},
        {
            "until": None if until is None else _moment(until),
            "child": entry.data.get("child"),
            "started_at": entry.at,
            "ended_at": None,
            "cause": None,
        },
    )


def _wait_ended(entry: Entry) -> Iterable[Change]:
    yield Update(
        "timer",
        {"run_id": entry.run, "step": entry.data["step"]},
        {"ended_at": entry.at, "cause": entry.data["cause"]},
    )


def _question_asked(entry: Entry) -> Iterable[Change]:
    yield Insert(
        "question",
        {
            "id": entry.data["request"],
            "run_id": entry.run,
            "step": entry.data["step"],
            "people": _text(entry.data.get("people")),
            "asked_at": entry.at,
            "expires_at": _moment(entry.data["expires"]),
            "answered_at": None,
            "answered_by": None,
        },
    )


def _question_answered(entry: Entry) -> Iterable[Change]:
    yield Update(
        "question",
        {"id": entry.data["request"], "answered_at": None},
        {"answered_at": entry.at, "answered_by": entry.actor.ref},
        "The question is answered already; nothing was recorded.",
    )


def _summarised(entry: Entry) -> Iterable[Change]:
    part = entry.parts.get("summary")
    if part is not None and part.value is not None:
        yield Upsert(
            "summary",
            {"run_id": entry.data["by_run"]},
            {"entry_id": entry.id, "body": summary_text(part.value), "written_at": entry.at},
        )


def _token_created(entry: Entry) -> Iterable[Change]:
    yield Insert(
        "api_token",
        {
            "name": entry.data["token"],
            "digest": entry.data["digest"],
            "owner": entry.data["owner"],
            "workflows": _text(entry.data["workflows"]),
            "created_at": entry.at,
            "created_by": entry.actor.ref,
            "expires_at": _moment(entry.data["expires"]),
            "revoked_at": None,
        },
    )


def _token_revoked(entry: Entry) -> Iterable[Change]:
    yield Update(
        "api_token",
        {"name": entry.data["token"], "revoked_at": None},
        {"revoked_at": entry.at},
        ALREADY_REVOKED,
    )


def summary_text(value: bytes) -> str:
    """Return what is searched of a summary's part: plain text, or its sentences and `words`."""
    text = value.decode()
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict) or not isinstance(found.get("sentences"), list):
        return text
    # What a model wrote is not searched: its words restate it, and stand in `words`.
    told = [] if found.get("model") else [str(one["text"]) for one in found["sentences"]]
    return " ".join([*told, str(found.get("words", ""))]).rstrip()


def _moment(text: Json) -> datetime:
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_STATED: dict[str, Callable[[Entry], Iterable[Any]]] = {
    "approval.requested": _requested,
    "approval.escalated": _escalated,
    "approval.granted": _decided,
    "approval.denied": _decided,
    "approval.expired": _expired,
    "approval.withdrawn": _withdrawn,
    "approval.edited": _edited,
    "break_glass.used": _broke_glass,
    "break_glass.reviewed": glass_reviewed,
    "approval.delegated": _delegated,
    "action.intended": _intended,
    "action.failed": _failed,
    "action.resolved": _resolved,
    "decision.made": _chosen,
    "workflow.published": _published,
    "workflow.activated": _activated,
    "workflow.retired": _retired,
    "workflow.level_changed": _level_changed,
    "policy.changed": _policy_changed,
    "schedule.set": schedule_set,
    "schedule.paused": schedule_paused,
    "schedule.resumed": schedule_resumed,
    "schedule.deleted": schedule_deleted,
    "schedule.fired": schedule_fired,
    "schedule.missed": schedule_missed,
    "step_up.enrolled": step_up_enrolled,
    "step_up.confirmed": step_up_confirmed,
    "step_up.reset": step_up_reset,
    "summary.written": _summarised,
    "wait.started": _wait_started,
    "wait.ended": _wait_ended,
    "question.asked": _question_asked,
    "question.answered": _question_answered,
    **HOLDS_STATED,
    **ROLES_STATED,
    **SECRETS_STATED,
    "token.created": _token_created,
    "token.revoked": _token_revoked,
}

"""What entries about approvals state: requests, decisions, what used one. As `projections`."""

from collections.abc import Callable, Iterable, Mapping

from storage.change import Change, Insert, Update
from storage.limit_projections import (
    budgets_given_back,
    budgets_kept,
    budgets_taken,
    glass_reviewed,
    glass_used,
)
from storage.stated_values import moment_in, text_of
from workflows.entry import Entry
from workflows.gate import Outcome, Verdict
from workflows.terms import terms_in

ALREADY_SETTLED = "The request is used or settled already; nothing was recorded."
NOT_APPROVED = "The request is not approved, or already used; nothing was recorded."


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
            "stages": text_of(data["stages"]),
            "excluded": text_of(data["excluded"]),
            "needs_reason": data.get("reason") == "required",
            "raised_at": entry.at,
            "expires_at": moment_in(data["expires"]),
            "outcome": Outcome.OPEN.value,
            "terms": text_of(terms) if (terms := terms_in(data)) else None,
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
            "people": text_of(entry.data["to"]),
            # Without groups nobody can be seen to belong to them still, so nobody is let in.
            "named": text_of(entry.data.get("groups", [])),
            "stages": text_of(entry.data.get("stages", [])),
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
    giver, until = entry.data["from"], moment_in(entry.data["until"])
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


APPROVALS_STATED: Mapping[str, Callable[[Entry], Iterable[Change]]] = {
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
}

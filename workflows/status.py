"""Where a fact leaves a run, for the column that lists and digests read.

The engine itself folds whole entries (`workflows.run`); this is the one-line version of that
fold, so that the row of a run can be kept up without reading its history.
"""

from collections.abc import Mapping

from workflows.entry import Json
from workflows.run import Status

# What a person does to a run that stands does not by itself set it going.
KEEPS_STANDING = frozenset({"cancel"})

_GOES_ON = frozenset(
    {
        "step.observed",
        "action.executed",
        "action.failed",
        "approval.expired",
        "approval.withdrawn",
        "question.answered",
        "wait.ended",
        "verification.passed",
    }
)
_WAITS = frozenset({"approval.requested", "question.asked", "wait.started"})
_NEEDS_SOMEBODY = frozenset({"verification.failed", "verification.unknown"})


def status_after(kind: str, data: Mapping[str, Json], before: Status) -> Status:
    """Return where a run stands once an entry of that kind is added; `before` if it says nothing.

    Nothing moves a run that has ended.
    """
    if before.is_end:
        return before
    if kind == "run.started":
        return Status.READY
    if kind == "run.finished":
        return Status(str(data["outcome"]))
    if kind == "run.cancelled":
        return Status.CANCELLED
    if kind in _WAITS:
        return Status.WAITING
    if kind in _NEEDS_SOMEBODY:
        return Status.EXCEPTION
    if kind in _GOES_ON:
        return Status.RUNNING
    return _after_choice(kind, data, before)


def _after_choice(kind: str, data: Mapping[str, Json], before: Status) -> Status:
    """Return the status after a kind whose data decides."""
    match kind:
        case "approval.granted" | "approval.denied":
            return Status.RUNNING if data.get("settles") else before
        case "action.intended":
            # A message is delivered by the outbox, so its run waits for that.
            return Status.WAITING if _is_delivered_later(data) else Status.RUNNING
        case "action.in_doubt":
            return Status.IN_DOUBT
        case "action.resolved":
            return Status.EXCEPTION if data["happened"] == "unknown" else Status.RUNNING
        case "decision.made":
            return _after_decision(data["decision"], before)
    return before


def _is_delivered_later(data: Mapping[str, Json]) -> bool:
    return str(data.get("action", "")).startswith("slack.")


def _after_decision(decision: Json, before: Status) -> Status:
    if decision in KEEPS_STANDING:
        return before
    known = {"exception": Status.EXCEPTION, "queue": Status.QUEUED}
    return known.get(str(decision), Status.RUNNING)

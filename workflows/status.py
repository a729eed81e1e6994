"""Where a fact leaves a run, for the column that lists and digests read.

The engine itself folds whole entries (`workflows.run`); this is the one-line version of that
fold, so that the row of a run can be kept up without reading its history.
"""

from collections.abc import Mapping
from typing import TypeAlias

from workflows.entry import Json
from workflows.run import Status

# What a person does to a run that stands does not by itself set it going.
KEEPS_STANDING = frozenset({"cancel"})

_GOES_ON = frozenset(
    {
        "step.observed",
        "action.executed",
        "action.failed",
        "approval.edited",
        "approval.expired",
        "approval.withdrawn",
        "break_glass.used",
        "question.answered",
        "wait.ended",
        "verification.passed",
    }
)
_WAITS = frozenset({"approval.requested", "question.asked", "wait.started"})
_NEEDS_SOMEBODY = frozenset({"verification.failed", "verification.unknown"})


# What stands in several branches at once: the gravest is what the run is said to be.
_GRAVEST_FIRST = (Status.IN_DOUBT, Status.EXCEPTION, Status.WAITING, Status.QUEUED)

Standing: TypeAlias = Mapping[str, str]  # What each step or request that stands waits for.


def status_after(kind: str, data: Mapping[str, Json], before: Status) -> Status:
    """Return where a run of one branch stands once such an entry is added.

    `before` if the entry says nothing. Nothing moves a run that has ended.
    """
    return before if before.is_end else (_said(kind, data) or before)


def standing_after(
    kind: str, data: Mapping[str, Json], before: Status, standing: Standing
) -> tuple[Status, Standing]:
    """Return where a run of any number of branches stands once such an entry is added."""
    said = _said(kind, data)
    if before.is_end or said is None or _is_of_an_earlier_attempt(kind, data, standing):
        return before, standing
    if said.is_end:
        return said, {}
    key = _key(kind, data)
    now = {name: one for name, one in standing.items() if name not in (key, "")}
    if kind == "action.intended":
        now = {name: one for name, one in now.items() if not name.startswith(f"{key}#")}
    if said in _GRAVEST_FIRST:
        now[key] = said.value
    if said is Status.IN_DOUBT:
        now[_doubt(data)] = ""  # Only remembered: the release before this one passes it over.
    if not now:
        return said, now  # As nearly always.
    return next((one for one in _GRAVEST_FIRST if one in now.values()), said), now


def _is_of_an_earlier_attempt(kind: str, data: Mapping[str, Json], standing: Standing) -> bool:
    """Say whether this is the late end of an attempt about which nobody is in doubt any more.

    Where the step stands now is for what came after it: a newer attempt, or what a person said.
    """
    if kind != "action.resolved" or data.get("by") != "late_reply" or _doubt(data) in standing:
        return False
    # The release before this one remembers that a step is in doubt, and not by which attempt.
    key = _key(kind, data)
    is_told = any(name.startswith(f"{key}#") for name in standing)
    return is_told or standing.get(key) != Status.IN_DOUBT.value


def _doubt(data: Mapping[str, Json]) -> str:
    """Return under what it is remembered which attempt of a step is in doubt."""
    return f"{data.get('step')}#{data.get('attempt')}"


def _key(kind: str, data: Mapping[str, Json]) -> str:
    """Return what an entry is about: a request, a step, or nothing for the run as a whole."""
    named = "request" if kind.startswith(("approval.", "break_glass.", "question.")) else "step"
    return str(data.get(named) or "")


def _said(kind: str, data: Mapping[str, Json]) -> Status | None:
    """Return the status that an entry alone gives its run, None if it says nothing."""
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
    return _chosen(kind, data)


def _chosen(kind: str, data: Mapping[str, Json]) -> Status | None:
    """Return the status after a kind whose data decides."""
    match kind:
        case "approval.granted" | "approval.denied":
            return Status.RUNNING if data.get("settles") else None
        case "action.intended":
            # A message is delivered by the outbox, so its run waits for that.
            return Status.WAITING if _is_delivered_later(data) else Status.RUNNING
        case "action.in_doubt":
            return Status.IN_DOUBT
        case "action.resolved":
            return Status.EXCEPTION if data["happened"] == "unknown" else Status.RUNNING
        case "decision.made":
            return _decided(data["decision"])
    return None


def _is_delivered_later(data: Mapping[str, Json]) -> bool:
    return str(data.get("action", "")).startswith("slack.")


def _decided(decision: Json) -> Status | None:
    if decision in KEEPS_STANDING:
        return None
    known = {
        "exception": Status.EXCEPTION,
        "queue": Status.QUEUED,
        "hold": Status.WAITING,
    }
    return known.get(str(decision), Status.RUNNING)

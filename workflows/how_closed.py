"""What became of a request, for whoever comes too late: that it is closed, by whom, and how."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workflows.entry import Ref
from workflows.errors import RequestClosedError
from workflows.gate import ApprovalRequest, Outcome, Verdict, standing
from workflows.store import Unit

_NAMES = 5
_BEGUN = "What it asked for has begun."

# Why a request was withdrawn or a run cancelled, by its code, where its entry has no words.
REASONS = {
    "already_happened": "What it asked for had happened already.",
    "undeliverable": "The people who decide could not be shown the question.",
    "cancelled": "The run was cancelled.",
    "parent_ended": "The run that it was a part of has ended.",
    "replaced": "What it was to replace has changed meanwhile. Propose it again.",
    "aborted": "The run was aborted.",
    "run_ended": "The run ended before this was decided.",
    "segments_died": "The bot could not go on with the run.",
    "edited": "What the run is about was changed.",
    "moved": "The run goes on by another version of the workflow.",
}


@contextmanager
def saying_how(unit: Unit, request: ApprovalRequest) -> Iterator[None]:
    """Have the refusal of whoever comes too late say how the request was settled.

    Raises:
        RequestClosedError: as what stands inside.
    """
    try:
        yield
    except RequestClosedError as refused:
        if request.outcome is Outcome.OPEN:
            raise  # Its time is over, and nobody has closed it yet.
        raise closed(unit, request, hint=refused.hint) from None


def closed(
    unit: Unit, request: ApprovalRequest, *, hint: str = "Nothing was changed by your click."
) -> RequestClosedError:
    """Return the refusal of whatever is still said about a request that is settled."""
    said = f"This request is already {request.outcome.words}."
    return RequestClosedError(f"{said} {_how(unit, request)}".rstrip(), hint=hint)


def _how(unit: Unit, request: ApprovalRequest) -> str:
    match request.outcome:
        case Outcome.APPROVED:
            return f"{_approved(unit, request)} {_BEGUN if request.is_consumed else ''}".strip()
        case Outcome.DENIED:
            return _did(unit, _who_said(unit, request, Verdict.DENY), "rejected it")
        case Outcome.EXPIRED:
            return "Too few people decided in time."
        case Outcome.WITHDRAWN:
            return _because(unit, request)
    return ""


def _approved(unit: Unit, request: ApprovalRequest) -> str:
    broken = unit.glass_use_of(request.id)
    if broken is not None:
        return _did(unit, [broken.by], "broke the glass over it")
    return _did(unit, _who_said(unit, request, Verdict.APPROVE), "approved it")


def _who_said(unit: Unit, request: ApprovalRequest, verdict: Verdict) -> list[Ref]:
    said = standing(unit.decisions(request.id))
    return [one.approver for one in said if one.verdict is verdict]


def _did(unit: Unit, people: Sequence[Ref], what: str) -> str:
    if not people:
        return ""
    names = [unit.name(one) for one in people[:_NAMES]]
    more = [f"{len(people) - _NAMES} more"] if len(people) > _NAMES else []
    *first, last = [*names, *more]
    return f"{', '.join(first)} and {last} {what}." if first else f"{last} {what}."


def _because(unit: Unit, request: ApprovalRequest) -> str:
    """Return why it was withdrawn: in the words of its entry, else by its code."""
    for entry in reversed(unit.entries(request.run)):
        if entry.kind == "approval.withdrawn" and entry.data["request"] == request.id:
            part = entry.parts.get("reason")
            words = part.value.decode() if part is not None and part.value is not None else ""
            return words or REASONS.get(str(entry.data["reason"]), "")
    return ""

"""One line for each entry of a run's story, in words. What it proves stands in the entry."""

from collections.abc import Callable, Mapping

from workflows.entry import Entry, Json
from workflows.how_closed import REASONS

Data = Mapping[str, Json]

_WORDS: Mapping[str, Callable[[Data], str]] = {
    "run.started": lambda data: (
        f"Started{_shadow(data)} by {data['trigger']}, version {_short(data['version'])}"
    ),
    "run.moved": lambda data: (
        f"Put on version {_short(data['to'])} instead of {_short(data['from'])}; approvals so far"
        " are void"
    ),
    "run.finished": lambda data: f"Ended: {_outcome(data)}",
    "run.cancelled": lambda data: f"Ended: {_cancelled(data)}",
    "step.observed": lambda data: f"{data['step']}: read with {data['action']}, {data['outcome']}",
    "decision.made": lambda data: f"{_whose(data)}{_decided(data)}",
    "approval.requested": lambda data: f"{data['step']}: put to {_asked(data)}",
    "approval.granted": lambda data: f"Approved{_place(data)}, {data['have']} of {data['need']}",
    "approval.denied": lambda data: f"Rejected{_place(data)}",
    "approval.refused": lambda data: f"{_wanted(data)}; refused: {_why(data)}",
    "step_up.refused": lambda data: f"Typed a code; refused: {data['why']}",
    "proposal.refused": lambda data: f"Wanted to {data['wanted']}; refused: {data['why']}",
    "approval.expired": lambda _data: "The request expired; the step does not run",
    "approval.withdrawn": lambda data: f"The request was withdrawn{_why_withdrawn(data)}",
    "approval.edited": lambda _data: "The values were changed; approvals so far are void",
    "approval.escalated": lambda data: f"By now {_named(data)} may decide too",
    "approval.reminded": lambda _data: "The approvers were reminded",
    "exception.reminded": lambda data: f"{data['step']}: people were reminded of it ({data['n']})",
    "break_glass.used": lambda data: f"{data['step']}: broke the glass and decided alone",
    "break_glass.reviewed": lambda data: f"Reviewed the use of the glass: {_found(data)}",
    "action.intended": lambda data: f"{data['step']}: about to do {data['action']}",
    "action.executed": lambda data: f"{data['step']}: done in {data['ms']} ms",
    "action.failed": lambda data: f"{data['step']}: failed ({data['error_class']})",
    "action.in_doubt": lambda data: (
        f"{data['step']}: nobody knows if it happened ({data['cause']})"
    ),
    "action.resolved": lambda data: f"{data['step']}: it happened: {data['happened']}",
    "wait.started": lambda data: f"{data['step']}: waits for {data.get('child') or data['until']}",
    "wait.ended": lambda data: f"{data['step']}: goes on ({data.get('outcome') or data['cause']})",
    "question.asked": lambda data: f"{data['step']}: asked until {data['expires']}",
    "question.answered": lambda data: f"{data['step']}: answered{_did(data)}",
    "model.asked": lambda data: f"a language model is asked: {data['provider']}/{data['model']}",
    "model.answered": lambda data: (
        f"the language model {data['model']} answered ({data['finish']}), {data['cost_micro']} µ"
    ),
    "secret.used": lambda data: (
        f"{data['step']}: used the secret {data['secret']}, {_version(data['version'])}"
    ),
    "verification.passed": lambda data: f"{data['step']}: verified",
    "verification.failed": lambda data: f"{data['step']}: the verification failed",
    "verification.unknown": lambda data: f"{data['step']}: could not be verified",
}


def words_about(entry: Entry) -> str:
    """Return what `entry` says; a kind this release does not know is named as it is."""
    told = _WORDS.get(entry.kind)
    try:
        return told(entry.data) if told is not None else entry.kind
    except KeyError:  # Written by another release.
        return entry.kind


def _found(data: Data) -> str:
    return "it was right" if data["verdict"] == "right" else "it was not right"


def _shadow(data: Data) -> str:
    return " in shadow, without any effect," if data.get("shadow") is True else ""


def _did(data: Data) -> str:
    """Say what people did by hand, held against what a run in shadow would have done."""
    return f", what was done by hand: {data['shadow']}" if "shadow" in data else ""


def _decided(data: Data) -> str:
    if data["decision"] == "cancel":
        return "Said that the run is to end" if data["rule"] == "person" else "The run is to end"
    if data["decision"] == "queue":
        return f"waits for run {data['holder']} to end ({data['rule']})"
    if data["decision"] == "hold":
        return "waits, since no effect may begin just now; it goes on by itself"
    return f"{data['decision']} ({data['rule']})"


def _whose(data: Data) -> str:
    """Return what was decided about: a step, or nothing where it is the run that is to end."""
    return "" if data["decision"] == "cancel" else f"{data['step'] or 'the run'}: "


def _outcome(data: Data) -> str:
    return "rejected" if data["outcome"] == "denied" else str(data["outcome"])


def _cancelled(data: Data) -> str:
    why = REASONS.get(str(data["reason"]), "")
    return "cancelled" if data["reason"] == "cancelled" else f"cancelled. {why}".strip()


def _why_withdrawn(data: Data) -> str:
    words = REASONS.get(str(data["reason"]))
    return f": {data['reason']}" if words is None else f". {words}"


_TRIED = {
    "approved": "Wanted to approve",
    "denied": "Wanted to reject",
    "break-glass": "Wanted to break the glass",
}
_WHY = {
    "requester": "it was their own request",
    "editor": "they had published the workflow",
    "changer": "they had changed what is asked",
    "delegate": "they act for somebody who may not",
    "rule": "the policy leaves them out",
    "excluded": "they were excluded",
    "account": "such an account never counts",
    "not_asked": "they were not asked",
    "repeated": "they had decided already",
    "turn": "it was not their turn",
    "closed": "nothing was open any more",
    "stale": "their card was an older one",
    "hours": "it was outside the hours of the policy",
    "review": "an earlier use is not reviewed yet",
    "nobody": "nobody could review it",
    "no_code": "no code of theirs counts just now",
}


def _wanted(data: Data) -> str:
    return _TRIED.get(str(data["decision"]), "Wanted to decide")


def _why(data: Data) -> str:
    return _WHY.get(str(data["why"]), str(data["why"]))


def _place(data: Data) -> str:
    return " in the place of somebody who is away" if "for" in data else ""


def _version(number: Json) -> str:
    return f"version {number}" if number else "of no counted version"


def _short(version: Json) -> str:
    return str(version)[:8]


def _named(data: Data) -> str:
    groups = data.get("groups")
    return ", ".join(map(str, groups)) if isinstance(groups, list) else "more people"


def _asked(data: Data) -> str:
    stages = data["stages"]
    named = (
        [one["from"] for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []
    )
    groups = [str(name) for stage in named if isinstance(stage, list) for name in stage]
    return ", ".join(groups) or "people"

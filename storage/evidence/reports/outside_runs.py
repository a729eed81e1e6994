"""What the entries outside of runs say in the reports: changes, retention, models, exceptions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from storage.evidence.reports.columns import AI, CHANGES, RETENTION, SOD
from storage.evidence.reports.fact import Cells, Fact, Findings
from storage.evidence.reports.run_cells import (
    Call,
    call_cells,
    exception,
    late_reply,
    refused_cells,
)

# Of each change: the fields that name what changed, what was before, what is after, and more.
# Of several fields the first one that is there counts.
CHANGED: Mapping[str, tuple[str, str, str, str]] = {
    "workflow.published": ("workflow", "", "version", "owner"),
    "workflow.activated": ("workflow", "replaces", "version", "level"),
    "workflow.retired": ("workflow", "version", "", "reason"),
    "workflow.level_changed": ("workflow", "from", "to", "reason"),
    "policy.changed": ("name", "before", "after", ""),
    "role.granted": ("to", "", "role", "scope"),
    "role.revoked": ("to", "role", "", "scope"),
    "key.add": ("role", "", "vkey pk", "holder"),
    "key.retire": ("id", "id", "", ""),
    "key.revoke": ("id", "id", "", "from"),
    "token.created": ("token", "", "owner", "expires"),
    "token.revoked": ("token", "token", "", ""),
    "secret.set": ("secret", "", "version", ""),
    "secret.rotated": ("secret", "", "version", ""),
    "secret.forgotten": ("secret", "version", "", ""),
    "schedule.set": ("schedule", "", "version", "workflow"),
    "schedule.paused": ("schedule", "", "", "workflow"),
    "schedule.resumed": ("schedule", "", "", "workflow"),
    "schedule.deleted": ("schedule", "", "", "workflow"),
    "step_up.enrolled": ("person", "", "enrolment", ""),
    "step_up.confirmed": ("person", "replaces", "enrolment", ""),
    "step_up.reset": ("person", "enrolment", "", "reason"),
}
# What each exception is called, and the fields that tell more of it.
EXCEPTIONAL: Mapping[str, tuple[str, str]] = {
    "schedule.missed": ("missed", "schedule"),
    "proposal.refused": ("proposal-refused", "why wanted workflow"),
    "step_up.refused": ("code-refused", "why"),
    "outbox.delivery_failed": ("undelivered", "error_class"),
}
NARROWS = frozenset({"service.started", "verify.run"})
READ = frozenset(
    {
        *CHANGED,
        *EXCEPTIONAL,
        *NARROWS,
        "action.resolved",
        "approval.refused",
        "break_glass.reviewed",
        "erasure",
        "retention.sweep",
        "hold.set",
        "hold.lifted",
        "model.asked",
        "model.answered",
    }
)


def _sweep(fact: Fact) -> Cells:
    return {"event": "swept", "subject": fact.said("cls"), "n": fact.said("n")}


def _erasure(fact: Fact) -> Cells:
    items = fact.data.get("items")
    count = len(items) if isinstance(items, list) else None
    return {"event": "erased", "subject": fact.said("request"), "n": count}


def _hold(fact: Fact) -> Cells:
    selector = fact.said("selector")
    named = fact.said("hold") if selector is None else f"{fact.said('hold')}: {selector}"
    return {"event": fact.kind.replace(".", "-"), "subject": named}


_KEPT: Mapping[str, Callable[[Fact], Cells]] = {
    "retention.sweep": _sweep,
    "erasure": _erasure,
    "hold.set": _hold,
    "hold.lifted": _hold,
}


@dataclass(slots=True)
class OutsideRuns:
    """The reports of entries that stand in no run; reviews and refusals go to their runs.

    `refused` are decisions that did not count, by the run that was to be decided.
    """

    reviews: dict[str, Fact] = field(default_factory=dict)
    refused: dict[str, list[Fact]] = field(default_factory=dict)
    checked: Fact | None = None  # The log's newest check of itself.
    starts: int = 0
    calls: dict[object, Call] = field(default_factory=dict)

    def take(self, fact: Fact) -> Findings:
        """Take up the next entry."""
        if fact.kind in CHANGED:
            yield CHANGES, fact, _change(fact)
        elif fact.kind in _KEPT:
            more = {name: fact.said(name) for name in ("before", "reason", "policy", "by_run")}
            yield RETENTION, fact, {**more, **_KEPT[fact.kind](fact)}
        elif fact.kind in EXCEPTIONAL:
            name, more_in = EXCEPTIONAL[fact.kind]
            told = [fact.said(one) for one in more_in.split()]
            yield exception(fact, name, detail=" ".join(str(one) for one in told if one))
            if fact.kind == "step_up.refused" and fact.said("request") is not None:
                yield SOD, fact, refused_cells(fact)
        elif fact.kind == "approval.refused":
            self.refused.setdefault(str(fact.said("by_run")), []).append(fact)
            if fact.said("why") == "requester":
                yield exception(fact, "self-approval-tried", detail=fact.said("decision"))
        elif fact.kind == "action.resolved":  # Its run had ended, so it stands outside of it.
            yield from late_reply(fact)
        else:
            self._note(fact)

    def finish(self) -> Findings:
        """Yield the calls of models."""
        for call in self.calls.values():
            yield AI, call.asked, call_cells(call)

    def left_over(self) -> Findings:
        """Yield the refusals about runs of which the range holds nothing else."""
        for facts in self.refused.values():
            yield from ((SOD, fact, refused_cells(fact)) for fact in facts)

    def _note(self, fact: Fact) -> None:
        match fact.kind:
            case "break_glass.reviewed":
                self.reviews[str(fact.said("used"))] = fact
            case "service.started":
                self.starts += 1
            case "verify.run":
                self.checked = fact
            case "model.asked":
                self.calls[fact.said("call")] = Call(fact)
            case "model.answered" if fact.said("call") in self.calls:
                self.calls[fact.said("call")].answered = fact


def _change(fact: Fact) -> Cells:
    subject, before, after, more = CHANGED[fact.kind]
    return {
        "subject": fact.said(subject),
        "before": fact.said(before),
        "after": next(
            (fact.said(one) for one in after.split() if fact.said(one) is not None), None
        ),
        "by_run": fact.said("by_run"),
        "detail": fact.said(more),
    }

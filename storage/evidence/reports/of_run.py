"""What the entries of one run say in the reports: taken up one by one, in their order.

Kept are the run's ends, its requests and its calls of models, never its entries. Only what the
range holds is told: of a run that began before it, some cells stay empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.evidence.reports.columns import AI, APPROVALS, EXCEPTIONS, POPULATION, SOD
from storage.evidence.reports.fact import Cells, Fact, Findings
from storage.evidence.reports.run_cells import (
    Call,
    approval_cells,
    call_cells,
    exception,
    glass_cells,
    late_reply,
    refused_cells,
)

ENDS = frozenset({"run.finished", "run.cancelled"})
DECISIONS = frozenset({"approval.granted", "approval.denied"})
CLOSING = frozenset({"action.executed", "action.failed", "action.resolved"})
# What is an exception by its kind: how it is called, and the field that says more.
EXCEPTIONAL: Mapping[str, tuple[str, str]] = {
    "approval.expired": ("expired", ""),
    "action.in_doubt": ("in-doubt", "cause"),
    "verification.failed": ("verification-failed", "check"),
    "verification.unknown": ("verification-unknown", "check"),
    "run.moved": ("moved", "to"),
}
READ = frozenset(
    {
        *ENDS,
        *DECISIONS,
        *CLOSING,
        *EXCEPTIONAL,
        "run.started",
        "approval.requested",
        "approval.edited",
        "break_glass.used",
        "action.intended",
        "model.asked",
        "model.answered",
    }
)


@dataclass(slots=True, kw_only=True)
class RunReports:
    """The reports of one run.

    `reviews` are those of broken glass, by the entry of the use; `who` says who is behind a
    pseudonym; `refused` are decisions on it that did not count, which stand outside of it.
    """

    reviews: Mapping[str, Fact]
    who: Mapping[str, str]
    refused: Sequence[Fact] = ()
    entries: int = 0
    first: Fact | None = None
    started: Fact | None = None
    ended: Fact | None = None
    decisions: int = 0
    requests: dict[object, Fact] = field(default_factory=dict)
    editors: set[str] = field(default_factory=set)
    calls: dict[object, Call] = field(default_factory=dict)
    intents: set[tuple[object, object]] = field(default_factory=set)

    def take(self, fact: Fact) -> Findings:
        """Take up the next entry of the run; yield the rows that rest on it."""
        self.entries += 1
        self.first = self.first or fact
        self._note(fact)
        if fact.kind in DECISIONS:
            yield from self._decided(fact)
        elif fact.kind == "break_glass.used":
            yield from self._broke_glass(fact)
        elif fact.kind in EXCEPTIONAL:
            name, more = EXCEPTIONAL[fact.kind]
            yield exception(fact, name, detail=fact.said(more))
        elif fact.kind == "action.resolved":
            yield from late_reply(fact)

    def finish(self) -> Findings:
        """Yield the rows that only the whole run can tell."""
        for call in self.calls.values():
            yield AI, call.asked, call_cells(call)
        for fact in self.refused:
            asked = self.requests.get(fact.said("request"))
            yield SOD, fact, {**self._sod(fact, asked, ""), **refused_cells(fact)}
        if self.first is not None:
            yield POPULATION, self.first, self._population()

    def _note(self, fact: Fact) -> None:
        match fact.kind:
            case "run.started":
                self.started = fact
            case "run.finished" | "run.cancelled":
                self.ended = fact
            case "approval.requested":
                self.requests[fact.said("request")] = fact
            case "approval.edited" | "run.moved":
                self.editors.add(fact.actor)
            case "action.intended":
                self.intents.add((fact.said("idem"), fact.said("attempt")))
            case "action.executed" | "action.failed" | "action.resolved":
                self.intents.discard((fact.said("idem"), fact.said("attempt")))
            case "model.asked":
                self.calls[fact.said("call")] = Call(fact)
            case "model.answered" if fact.said("call") in self.calls:
                self.calls[fact.said("call")].answered = fact

    def _population(self) -> Cells:
        ended = self.ended
        outcome = "open" if ended is None else ended.said("outcome") or "cancelled"
        found: dict[str, object] = {
            "begun": "before the range",
            "outcome": outcome,
            "entries": self.entries,
            "requests": len(self.requests),
            "decisions": self.decisions,
        }
        if ended is not None:
            found |= {"ended": ended.idx, "ended_ts": ended.ts}
        if self.started is not None:
            names = ("workflow", "version", "trigger")
            found |= {name: self.started.said(name) for name in names}
            found["begun"] = "in the range"
        return found

    def _decided(self, fact: Fact) -> Findings:
        self.decisions += 1
        for call in self.calls.values():
            if call.decided is None and call.answered is not None and fact.is_by_person:
                call.decided = fact
        asked = self.requests.get(fact.said("request"))
        yield APPROVALS, fact, approval_cells(fact, asked)
        overlap = self._overlap(fact, asked)
        yield SOD, fact, self._sod(fact, asked, overlap)
        if overlap == "requester" and fact.kind == "approval.granted":
            yield exception(fact, "self-approval")
        expires = None if asked is None else asked.said("expires")
        if expires is not None and fact.ts > str(expires):
            yield exception(fact, "late", detail="decided after the request had expired")

    def _broke_glass(self, fact: Fact) -> Findings:
        asked = self.requests.get(fact.said("request"))
        overlap = self._overlap(fact, asked)
        yield SOD, fact, self._sod(fact, asked, "alone" if overlap == "none" else overlap)
        yield EXCEPTIONS, fact, glass_cells(fact, self.reviews.get(fact.id))

    def _overlap(self, fact: Fact, asked: Fact | None) -> str:
        """Name the duty that whoever decided, or whom they stood in for, had besides."""
        voices = {fact.actor, fact.said("for")}
        if self.started is not None and self.started.actor in voices:
            return "requester"
        if not self.editors.isdisjoint(voices):
            return "editor"
        if asked is not None and not voices.isdisjoint(asked.listed("excluded")):
            return "excluded"
        return "none" if self.started is not None and asked is not None else "unknown"

    def _sod(self, fact: Fact, asked: Fact | None, overlap: str) -> Cells:
        requester = "" if self.started is None else self.started.actor
        return {
            "request": fact.said("request"),
            "decision": fact.said("decision") or "break-glass",
            "requester": requester,
            "requester_who": self.who.get(requester),
            "stands_for": fact.said("for"),
            "excluded": None if asked is None else " ".join(asked.listed("excluded")),
            "overlap": overlap,
        }

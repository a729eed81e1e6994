"""Pass 7: do the entries tell of something that the rules do not allow?

Findings here change no verdict: the log is whole, and what it tells is the finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storage.verify.report import Report
from workflows.kinds import KINDS, Place, faults_of

CLOSING_INTENT = frozenset({"action.executed", "action.failed", "action.resolved"})


@dataclass(slots=True)
class Asked:
    """An approval request, and who has answered it."""

    binding: str
    stages: Sequence[Mapping[str, Any]]
    excluded: set[str]
    granted: dict[int, set[str]] = field(default_factory=dict)
    denied: bool = False
    closed: str | None = None
    added: set[str] = field(default_factory=set)

    def may_decide(self, person: str, stage: int) -> bool:
        """Say whether this person was asked at that stage, then or by escalation."""
        asked = self.stages[stage].get("people", []) if 0 <= stage < len(self.stages) else []
        return person in asked or person in self.added

    @property
    def is_granted(self) -> bool:
        """Whether every stage has its quorum."""
        return not self.denied and all(
            len(self.granted.get(number, ())) >= max(1, _whole(stage.get("approve")))
            for number, stage in enumerate(self.stages)
        )


@dataclass(slots=True)
class Told:
    """What an open run has told so far."""

    requester: str | None
    requests: dict[str, Asked] = field(default_factory=dict)
    intents: dict[tuple[str, Any], int] = field(default_factory=dict)
    broken_glass: set[str] = field(default_factory=set)


class SemanticCheck:
    """Follows what the entries of each run say."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: dict[str, Told] = {}
        self._begins_late = self._ends_early = self._seen = False
        self._delegates: dict[str, set[str]] = {}
        self._readers = {
            "approval.requested": self._requested,
            "approval.granted": self._decided,
            "approval.denied": self._decided,
            "approval.expired": self._closed,
            "approval.withdrawn": self._closed,
            "approval.edited": self._closed,
            "approval.delegated": self._delegated,
            "approval.escalated": self._escalated,
            "break_glass.used": self._broke_glass,
            "action.intended": self._intended,
        }

    def skip(self) -> None:
        """Take note that an entry is not here: what is not told in full is not judged."""
        self._ends_early = bool(self._seen)
        self._begins_late |= not self._seen

    def check(self, index: int, members: Mapping[str, Any]) -> None:
        """Take in one entry."""
        self._seen |= members["run"] is not None
        run, kind, data = members["run"], members["kind"], members["data"]
        faults = faults_of(kind, run=run, rseq=members["rseq"], data=data, parts=members["parts"])
        for fault in faults:
            code = "kind-malformed" if kind in KINDS else "kind-unknown"
            self._report.mean(code, f"Entry {index}: {fault}")
        if faults:
            return
        if kind == "approval.delegated" and run is None:
            self._delegates.setdefault(_text(data["from"]), set()).add(_text(data["to"]))
        if run is not None and self._is_told_in_full(members):
            self._follow(index, members, self._told(members))

    def _is_told_in_full(self, members: Mapping[str, Any]) -> bool:
        is_known = members["run"] in self._open or members["kind"] == "run.started"
        return is_known or not self._begins_late

    def finish(self) -> None:
        """Report what has no end yet."""
        if self._ends_early:
            return
        for run, told in self._open.items():
            self._report.mean("run-without-end", f"Run {run} has not ended.")
            for index in told.intents.values():
                self._report.mean("intent-without-end", f"The intent {index} has no end.")

    def _told(self, members: Mapping[str, Any]) -> Told:
        run, actor = members["run"], members["actor"]
        if members["kind"] == "run.started":
            self._open[run] = Told(actor["ref"] if actor["t"] == "user" else None)
        return self._open.setdefault(run, Told(None))

    def _follow(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        kind, data = members["kind"], members["data"]
        reader = self._readers.get(kind)
        if reader is not None:
            reader(index, members, told)
        if kind in CLOSING_INTENT:
            told.intents.pop((_text(data["idem"]), data["attempt"]), None)
        if KINDS[kind].place is Place.LAST:
            self._ended(members["run"], told)

    def _requested(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        data = members["data"]
        stages = [one for one in data["stages"] if isinstance(one, dict)]
        excluded = {one for one in data["excluded"] if isinstance(one, str)}
        told.requests[_text(data["request"])] = Asked(_text(data["binding"]), stages, excluded)

    def _decided(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        data, person = members["data"], members["actor"]["ref"]
        asked = told.requests.get(_text(data["request"]))
        if asked is None:
            self._report.mean("decision-unasked", f"Entry {index} decides what nobody asked.")
            return
        if data["binding"] != asked.binding:
            self._report.mean("binding", f"Entry {index} is bound to something else than asked.")
        if asked.closed is not None:
            self._report.mean("decision-late", f"Entry {index} decides after {asked.closed}.")
        if members["kind"] == "approval.denied":
            asked.denied = True
            return
        self._check_approver(index, person, told=told, asked=asked, stage=_whole(data["stage"]))
        asked.granted.setdefault(_whole(data["stage"]), set()).add(person)

    def _check_approver(
        self, index: int, person: str, *, told: Told, asked: Asked, stage: int
    ) -> None:
        if person == told.requester:
            self._report.mean("self-approval", f"Entry {index}: the requester approved.")
        elif person in asked.excluded:
            self._report.mean("excluded-approver", f"Entry {index}: an excluded person approved.")
        elif not asked.may_decide(person, stage) and not self._stands_in(person, asked, stage):
            self._report.mean("ineligible-approver", f"Entry {index}: who approved was not asked.")

    def _stands_in(self, person: str, asked: Asked, stage: int) -> bool:
        return any(
            person in delegates and asked.may_decide(giver, stage)
            for giver, delegates in self._delegates.items()
        )

    def _closed(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        asked = told.requests.get(_text(members["data"]["request"]))
        if asked is not None:
            asked.closed = members["kind"]

    def _delegated(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        self._add_people(members["data"], told)

    def _escalated(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        self._add_people(members["data"], told)

    def _broke_glass(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        told.broken_glass.add(_text(members["data"]["request"]))

    def _intended(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        data = members["data"]
        told.intents[_text(data["idem"]), data["attempt"]] = index
        name = data["request"]
        if name is None:
            return
        asked = told.requests.get(_text(name))
        if asked is None:
            self._report.mean("intent-unasked", f"Entry {index} rests on a request nobody made.")
            return
        if data["binding"] != asked.binding:
            self._report.mean("binding", f"Entry {index} does something else than was approved.")
        if not asked.is_granted and name not in told.broken_glass:
            self._report.mean("quorum", f"Entry {index} acts before enough people agreed.")

    def _ended(self, run: str, told: Told) -> None:
        del self._open[run]
        for index in told.intents.values():
            self._report.mean("intent-without-end", f"The intent {index} has no end.")

    def _add_people(self, data: Mapping[str, Any], told: Told) -> None:
        asked = told.requests.get(_text(data["request"]))
        if asked is not None:
            people = data["to"] if isinstance(data["to"], list) else [data["to"]]
            asked.added.update(one for one in people if isinstance(one, str))


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0

"""Pass 7: do the entries tell of something that the rules do not allow?

Findings here change no verdict: the log is whole, and what it tells is the finding.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from storage.verify.asked import Asked, whole
from storage.verify.effects import TELLING, attempt_of
from storage.verify.glass import GLASS, breakers, glass_faults
from storage.verify.holds import Holds
from storage.verify.open_runs import Told, Word
from storage.verify.removals import Removals
from storage.verify.report import Report
from workflows.binding import binding
from workflows.kinds import FIRST, KINDS, LAST, faults_of

DESTRUCTIVE = "destructive"


class SemanticCheck:
    """Follows what the entries of each run say."""

    def __init__(self, report: Report, holds: Holds | None = None) -> None:
        self._report = report
        self._holds = holds or Holds()
        self._open: dict[str, Told] = {}
        self._glass: dict[str, str] = {}  # Who broke it, by the entry that says so.
        self._words: dict[str, Word] = {}  # The newest of each person.
        self._activated: set[str] = set()  # Every version that was ever active.
        self._policies: set[str] = set()  # Every policy that was ever in force.
        self._removals = Removals()
        self._stray: set[str] = set()  # Runs that go on after their end.
        self._begins_late = self._ends_early = self._seen = False
        self._readers = {
            "approval.requested": self._requested,
            "approval.granted": self._decided,
            "approval.denied": self._decided,
            "approval.expired": self._closed,
            "approval.withdrawn": self._closed,
            "approval.edited": self._edited,
            "approval.delegated": self._delegated,
            "approval.escalated": self._escalated,
            "break_glass.used": self._broke_glass,
            "action.intended": self._intended,
            "run.moved": self._moved,
            **dict.fromkeys(TELLING, self._effect_told),
        }
        self._outside = {
            "approval.delegated": self._stands_in,
            "workflow.activated": self._is_active,
            "policy.changed": self._is_in_force,
            "break_glass.reviewed": self._reviewed,
            **dict.fromkeys(("erasure", "retention.sweep"), self._removed),
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
            if members["rseq"] == 0 and kind in KINDS and KINDS[kind].place is FIRST and run:
                self._open.setdefault(run, Told(None))  # It has begun, whatever it says of that.
            return
        try:
            self._take(index, members)
        except (AttributeError, KeyError, TypeError, ValueError):
            # What somebody wrote into a log may be anything, and the fields are of their kind.
            self._report.mean(
                "kind-malformed", f"Entry {index} does not tell what its kind has to."
            )

    def _take(self, index: int, members: Mapping[str, Any]) -> None:
        run = members["run"]
        self._holds.take(index, members)
        if run is None:
            reader = self._outside.get(members["kind"])
            if reader is not None:
                reader(index, members)
        elif self._is_told_in_full(members):
            told = self._told(members)
            if told is None:
                self._strays(index, run)
            else:
                self._follow(index, members, told)

    def _stands_in(self, _index: int, members: Mapping[str, Any]) -> None:
        data = members["data"]
        to = data["to"] if isinstance(data["to"], str) else None
        self._words[_text(data["from"])] = Word(to, _text(data["until"]))

    def _is_active(self, _index: int, members: Mapping[str, Any]) -> None:
        self._activated.add(_text(members["data"]["version"]))

    def _is_in_force(self, _index: int, members: Mapping[str, Any]) -> None:
        self._policies.add(_text(members["data"]["after"]))

    def _removed(self, index: int, members: Mapping[str, Any]) -> None:
        seen = {"begins_late": self._begins_late, "ends_early": self._ends_early}
        for code, text in self._removals.faults(index, members, **seen):
            self._report.mean(code, text)
            if code == "kind-malformed":
                return
        if not self._ends_early and self._holds.kept_from(members["kind"], members["data"]):
            self._report.mean("erasure-held", f"Entry {index} removes what a hold keeps.")

    def _strays(self, index: int, run: str) -> None:
        """Say of a run, once, that it goes on though it has ended or never began."""
        if run not in self._stray:
            words = f"Entry {index} is of a run that has ended, or never began."
            self._report.mean("after-end", words)
        self._stray.add(run)

    def _is_told_in_full(self, members: Mapping[str, Any]) -> bool:
        is_known = members["run"] in self._open or members["kind"] == "run.started"
        return is_known or not self._begins_late

    def finish(self) -> None:
        """Report what has no end yet."""
        if self._ends_early:
            return
        for run, told in self._open.items():
            self._report.mean("run-without-end", f"Run {run} has not ended.")
            for index in told.effects.under_way.values():
                self._report.mean("intent-without-end", f"The intent {index} has no end.")

    def _told(self, members: Mapping[str, Any]) -> Told | None:
        """Return what the run has told, None if it has ended or never began."""
        run, actor = members["run"], members["actor"]
        if members["kind"] == "run.started":
            requester = actor["ref"] if actor["t"] == "user" else None
            data = members["data"]
            self._open[run] = Told(
                requester,
                _text(data["version"]),
                _text(data["workflow"]),
                is_shadow=data.get("shadow") is True,
            )
        return self._open.get(run)

    def _follow(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        kind = members["kind"]
        if members["parts"]:
            self._removals.hold(index, members["run"], members["parts"])
        reader = self._readers.get(kind)
        if reader is not None:
            reader(index, members, told)
        if KINDS[kind].place is LAST:
            self._ended(members["run"], told)

    def _effect_told(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        if not told.effects.tell(members["kind"], members["data"]):
            self._report.mean("end-without-intent", f"Entry {index} ends what was not announced.")

    def _requested(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        data = members["data"]
        self._removals.ask(data)
        if told.version is not None and data["binding"] != _own_binding(members, told):
            self._report.mean("binding", f"Entry {index} is bound to something else than it asks.")
        if self._policies and not self._begins_late and _text(data["policy"]) not in self._policies:
            self._report.mean("policy-unknown", f"Entry {index} asks by a policy never in force.")
        stages = [one for one in data["stages"] if isinstance(one, dict)]
        excluded = {one for one in data["excluded"] if isinstance(one, str)}
        told.requests[_text(data["request"])] = Asked(
            _text(data["step"]),
            _text(data["binding"]),
            stages,
            excluded,
            expires=data["expires"],
            hours=_listed(data.get("hours", [])),
            wants_code=data.get("step_up") is not None,
            breakers=breakers(data.get("glass")),
            version=told.version,
        )

    def _decided(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        data, person, place = members["data"], members["actor"]["ref"], _place(members)
        asked = told.requests.get(_text(data["request"]))
        if asked is None:
            self._report.mean("decision-unasked", f"Entry {index} decides what nobody asked.")
            return
        if data["binding"] != asked.binding:
            self._report.mean("binding", f"Entry {index} is bound to something else than asked.")
        if asked.closed is not None:
            self._report.mean("decision-late", f"Entry {index} decides after {asked.closed}.")
        if members["kind"] == "approval.denied":
            asked.reject(place, whole(data["stage"]))
            asked.voices.add(person)
            return
        if asked.closed is None and asked.has_expired_at(members["ts"]):
            self._report.mean("decision-late", f"Entry {index} approves after its time was over.")
        self._check_approver(index, members, told=told, asked=asked)
        self._check_moment(index, members, asked)
        if asked.wants_code and data["step_up"] is not True:
            self._report.mean("step-up", f"Entry {index}: an approval without the code it needs.")
        if asked.has_spoken(person, place):
            self._report.mean("counted-twice", f"Entry {index}: who approved had decided before.")
        asked.voices.add(person)
        asked.granted.setdefault(whole(data["stage"]), set()).add(place)

    def _check_approver(
        self, index: int, members: Mapping[str, Any], *, told: Told, asked: Asked
    ) -> None:
        person, place = members["actor"]["ref"], _place(members)
        if told.requester in {person, place}:
            self._report.mean("self-approval", f"Entry {index}: the requester approved.")
        elif not told.editors.isdisjoint({person, place}):
            self._report.mean("self-approval", f"Entry {index}: who changed it approved.")
        elif asked.excluded & {person, place}:
            self._report.mean("excluded-approver", f"Entry {index}: an excluded person approved.")
        elif not asked.may_decide(place, whole(members["data"]["stage"])):
            self._report.mean("ineligible-approver", f"Entry {index}: who approved was not asked.")
        self._check_stand_in(index, members, left_out=asked.excluded | {told.requester})

    def _check_stand_in(
        self, index: int, members: Mapping[str, Any], *, left_out: AbstractSet[str | None]
    ) -> None:
        if self._begins_late:
            return  # Whoever stood in for whom may have been said before.
        person, place = members["actor"]["ref"], _place(members)
        if place != person and not self._decides_for(place, person, at=members["ts"]):
            words = f"Entry {index}: who approved did not stand in for whom they say."
            self._report.mean("no-delegation", words)
        if any(self._decides_for(one, person, at=members["ts"]) for one in left_out):
            words = f"Entry {index}: who approved acted for somebody who was left out."
            self._report.mean("acts-for-excluded", words)

    def _decides_for(self, giver: str | None, person: str, *, at: str) -> bool:
        word = self._words.get(giver or "")
        return word is not None and word.names(person, at=at)

    def _check_moment(self, index: int, members: Mapping[str, Any], asked: Asked) -> None:
        if not asked.is_in_turn(whole(members["data"]["stage"])):
            self._report.mean("stage-order", f"Entry {index} approves before it is its turn.")
        try:
            is_open = asked.is_open_at(_text(members["ts"]))
        except ZoneInfoNotFoundError as error:
            words = f"The business hours of entry {index} were not judged: {error.args[0]}."
            self._report.mean("hours-unread", words)
            return
        if not is_open:
            self._report.mean("outside-hours", f"Entry {index} approves outside business hours.")

    def _closed(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        asked = told.requests.get(_text(members["data"]["request"]))
        if asked is not None:
            asked.closed = members["kind"]

    def _edited(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        asked = told.requests.get(_text(members["data"]["request"]))
        if asked is not None and (asked.closed or asked.denied or asked.is_granted):
            self._report.mean("edit-late", f"Entry {index} changes what was settled.")
        self._closed(index, members, told)
        told.editors.add(members["actor"]["ref"])

    def _moved(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        """Take the run to be on another version, whatever is wrong with how it came there."""
        data, version = members["data"], _text(members["data"]["to"])
        checks = {
            "moved-from": told.version in (None, _text(data["from"])),
            "moved-to": self._begins_late or version in self._activated,
            "moved-by": members["actor"]["t"] == "user" and "reason" in members["parts"],
            "moved-under-way": not told.effects.under_way,
        }
        for code in (code for code, is_right in checks.items() if not is_right):
            self._report.mean(code, f"Entry {index} {_MOVED[code]}.")
        told.version = version
        told.editors.add(members["actor"]["ref"])

    def _delegated(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        data = members["data"]
        asked = told.requests.get(_text(data["request"]))
        if asked is not None:
            asked.add([data["to"]], None)

    def _escalated(self, _index: int, members: Mapping[str, Any], told: Told) -> None:
        data = members["data"]
        asked = told.requests.get(_text(data["request"]))
        if asked is not None:
            asked.add(_listed(data["to"]), _listed(data["stages"]) if "stages" in data else None)

    def _broke_glass(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        """Count a request as agreed to by one of those whom its own entry lets decide alone."""
        name = _text(members["data"]["request"])
        self._glass[members["id"]] = members["actor"]["ref"]
        asked = told.requests.get(name)
        faults = ["glass-unasked"] if asked is None else glass_faults(members, asked)
        for code in faults:
            self._report.mean(code, f"Entry {index} {GLASS[code]}.")
        if not faults:
            told.broken_glass.add(name)

    def _reviewed(self, index: int, members: Mapping[str, Any]) -> None:
        # A partial pack may begin after the use, so one that is not known says nothing.
        if self._begins_late:
            return
        if self._glass.pop(_text(members["data"]["used"]), None) == members["actor"]["ref"]:
            self._report.mean("self-review", f"Entry {index}: who broke the glass reviewed it.")

    def _intended(self, index: int, members: Mapping[str, Any], told: Told) -> None:
        data, attempt = members["data"], attempt_of(members["data"])
        told.effects.announce(attempt, index)
        self._removals.begin(members["run"], data)
        if told.is_shadow:
            self._report.mean("shadow-effect", f"Entry {index} acts in a run in shadow.")
        name = data["request"]
        if name is None:
            if data["effect"] == DESTRUCTIVE:
                self._report.mean("intent-unasked", f"Entry {index} destroys, and asks nobody.")
            return
        asked = told.requests.get(_text(name))
        if asked is None:
            self._report.mean("intent-unasked", f"Entry {index} rests on a request nobody made.")
            return
        if data["binding"] != asked.binding or _text(data["step"]) != asked.step:
            self._report.mean("binding", f"Entry {index} does something else than was approved.")
        if not told.effects.may_follow(asked.used_by):
            self._report.mean("approval-used", f"Entry {index} acts on an approval used before.")
        asked.used_by = attempt
        if asked.version != told.version:
            self._report.mean("other-version", f"Entry {index} acts on an approval of before.")
        if not asked.is_granted and name not in told.broken_glass:
            self._report.mean("quorum", f"Entry {index} acts before enough people agreed.")

    def _ended(self, run: str, told: Told) -> None:
        del self._open[run]
        self._removals.let_go(run)
        for index in told.effects.under_way.values():
            self._report.mean("intent-without-end", f"The intent {index} has no end.")


def _own_binding(members: Mapping[str, Any], told: Told) -> str:
    """Return what a request is bound to, by its own entry and by what its run is of."""
    data, parts = members["data"], members["parts"]
    return binding(
        workflow=told.workflow,
        version=told.version or "",
        step=data["step"],
        policy=data["policy"],
        args=parts["args"]["c"] if "args" in parts else None,
        plan=parts["plan"]["c"] if "plan" in parts else None,
    )


def _place(members: Mapping[str, Any]) -> str:
    """Return in whose place a decision was given."""
    return _text(members["data"].get("for", members["actor"]["ref"]))


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON of an entry.
    return value if isinstance(value, list) else [value]


_MOVED = {
    "moved-from": "takes a run from a version that it was not on",
    "moved-to": "puts a run on a version that never was active",
    "moved-by": "puts a run on another version, and no person says why",
    "moved-under-way": "puts a run on another version while an effect is under way",
}


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)

"""An approval request as its entries tell it, and what was said to it.

Whether that breaks a rule is for `semantics`. What somebody wrote into a log may be anything, so
nothing here takes a value for what it should be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from workflows.moments import moment, stamp
from workflows.policy_hours import OpenHours
from workflows.turns import turns_in

# So much may lie between the look at the clock and the entry; nobody is blamed for that.
SLACK = timedelta(minutes=1)


@dataclass(slots=True)
class Asked:
    """An approval request, and who has answered it."""

    step: str
    binding: str
    stages: Sequence[Mapping[str, Any]]
    excluded: set[str]
    expires: object = None
    hours: Sequence[Any] = ()
    wants_code: bool = False
    version: str | None = None  # That of the run when it was asked.
    granted: dict[int, set[str]] = field(default_factory=dict)  # Whose place, for each stage.
    rejected: dict[int, set[str]] = field(default_factory=dict)  # The same of those who refused.
    voices: set[str] = field(default_factory=set)  # Who decided, in whatever place.
    denied: bool = False
    closed: str | None = None
    added: dict[int, set[str]] = field(default_factory=dict)
    breakers: set[str] = field(default_factory=set)  # Who may decide it alone.
    used_by: tuple[str, str] | None = None  # The newest attempt that rests on it.

    def may_decide(self, person: str, stage: int) -> bool:
        """Say whether this person was asked at that stage, then or by escalation."""
        asked = self.stages[stage].get("people", []) if 0 <= stage < len(self.stages) else []
        return person in asked or person in self.added.get(stage, ())

    def add(self, people: Sequence[object], stages: Sequence[object] | None) -> None:
        """Let more people decide, in these stages or in all of them."""
        places = range(len(self.stages)) if stages is None else stages
        for one in (place for place in places if isinstance(place, int)):
            self.added.setdefault(one, set()).update(who for who in people if isinstance(who, str))

    def is_done(self, stage: int) -> bool:
        """Say whether a stage has its quorum."""
        need = max(1, whole(self.stages[stage].get("approve")))
        return len(self.granted.get(stage, ())) >= need

    def has_spoken(self, person: str, place: str) -> bool:
        """Say whether somebody decided before, or somebody in the place that they decide."""
        seats = (*self.granted.values(), *self.rejected.values())
        return person in self.voices or any(place in one for one in seats)

    def reject(self, place: str, stage: int) -> None:
        """Count a rejection: enough of them close it, or one where there was an approval."""
        said = self.rejected.setdefault(stage, set())
        said.add(place)
        asked = self.stages[stage].get("deny") if 0 <= stage < len(self.stages) else 1
        turned = any(place in approved for approved in self.granted.values())
        self.denied |= turned or len(said) >= max(1, whole(asked))

    def is_in_turn(self, stage: int) -> bool:
        """Say whether everything that is decided before that stage has its quorum."""
        turns = turns_in([_number(one.get("turn")) for one in self.stages])
        before = takewhile(lambda turn: stage not in turn, turns)
        return all(self.is_done(index) for turn in before for index in turn)

    def is_open_at(self, ts: str) -> bool:
        """Say whether an approval may be given at that time; what cannot be read binds nobody.

        Raises:
            ZoneInfoNotFoundError: this machine does not know their time zone.
        """
        try:
            return all(OpenHours.read(one).holds_at(moment(ts)) for one in self.hours)
        except ZoneInfoNotFoundError:
            raise
        except (KeyError, TypeError, ValueError):
            return True

    def has_expired_at(self, ts: str) -> bool:
        """Say whether its time was over at that time; what cannot be read binds nobody."""
        if not isinstance(self.expires, str) or ts <= self.expires:
            return False
        try:
            until = moment(self.expires)
            return stamp(until) == self.expires and moment(ts) > until + SLACK
        except (OverflowError, ValueError):
            return False

    @property
    def is_granted(self) -> bool:
        """Whether every stage has its quorum; where nobody was asked, none has."""
        places = range(len(self.stages))
        return bool(places) and not self.denied and all(map(self.is_done, places))


def whole(value: object) -> int:
    """Return a number, 0 for whatever is none."""
    return value if isinstance(value, int) else 0


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None

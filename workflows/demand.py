"""What has to be agreed to before a step runs: stages gathered from every rule that applies.

Gathering only ever tightens: more people, an earlier end, fewer hours, a reason or a code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeAlias, TypeVar

from workflows.definition_steps import AllOf, Approval, ApprovalStage, apart, turns_of
from workflows.policy_escalation import Escalate, Escalation
from workflows.policy_hours import OpenHours
from workflows.policy_reason import ReasonPattern, needs_reason, patterns_of
from workflows.turns import Order, Turns, in_turns, order_of, turns_in

T = TypeVar("T")

StepUp: TypeAlias = Literal["totp"]  # A one-time code by time, typed with each approval.
ON_TRIAL = "a version on trial"  # How that it has yet to earn trust is named among the rules.
DEFINITION = "the definition"  # How a definition's own approval is named among the rules.
PUBLISH = "the publish section"  # How that section of the policy is.


class Match(StrEnum):
    """How a rule stands to one step."""

    MATCHED = "matched"
    UNSURE = "unsure"  # Neither true nor false, so it counts as matching.
    AUTO = "auto"  # It matches, and its own condition spares people.
    PASSED_BY = "passed by"  # It is about other steps.


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a rule counts for one step, or does not; `because` says more where there is more."""

    rule: str
    when: str
    match: Match
    because: str = ""

    @property
    def counts(self) -> bool:
        """Whether the rule is about the step."""
        return self.match is not Match.PASSED_BY

    @property
    def asks(self) -> bool:
        """Whether the rule wants somebody's agreement."""
        return self.match in {Match.MATCHED, Match.UNSURE}

    def __str__(self) -> str:
        told = {
            Match.MATCHED: "matches",
            Match.UNSURE: "counts, since its condition gave neither true nor false",
            Match.AUTO: "asks nobody",
            Match.PASSED_BY: "does not match",
        }[self.match]
        more = f": {self.because}" if self.because else ""
        when = f" (when {self.when})" if self.when else ""
        return f"{self.rule} {told}{more}{when}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandStage:
    """People, by group or name, of whom `approve` must agree and `deny` suffice to refuse.

    Parts that are decided side by side share a number, `turn`; any other is a turn of its own.
    """

    asked: tuple[str, ...]
    approve: int
    deny: int
    turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Everything one step needs agreed, and the rules that want it.

    `unsure` names the rules whose condition gave neither true nor false and so counted as true.
    `exclude` are groups and people who may not decide. A reason has to fit all of `patterns`,
    and an approval to be given while all of `hours` are open, with a code where `step_up` says
    of which sort. With `batch` the items of a loop are put to people together.
    """

    stages: tuple[DemandStage, ...]
    expires: timedelta
    remind: tuple[timedelta, ...]
    needs_reason: bool
    rules: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    patterns: tuple[ReasonPattern, ...] = ()
    exclude: tuple[str, ...] = ()
    hours: tuple[OpenHours, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    nudge: timedelta | None = None  # When approvers are written to directly, None for never.
    step_up: StepUp | None = None
    batch: bool = False
    order: Order = field(default=frozenset(), compare=False)  # As the rules want it.
    why: tuple[Why, ...] = field(default=(), compare=False)  # For each rule that counts.

    def is_as_strict_as(self, other: "Demand | None") -> bool:
        """Say whether whoever satisfied this has satisfied `other` too."""
        if other is None:
            return True
        return (
            self._asks_as_many_as(other)
            and self._keeps_order_of(other)
            and not self._escalates_beyond(other)
            and self.expires <= other.expires
            and self.needs_reason >= other.needs_reason
            and set(other.patterns) <= set(self.patterns)
            and set(other.exclude) <= set(self.exclude)
            and set(other.hours) <= set(self.hours)
            and other.step_up in {None, self.step_up}
            and self.batch <= other.batch
        )

    def _asks_as_many_as(self, other: "Demand") -> bool:
        mine = {frozenset(one.asked): one for one in self.stages}
        pairs = [(mine.get(frozenset(one.asked)), one) for one in other.stages]
        return all(
            have is not None and have.approve >= want.approve and have.deny <= want.deny
            for have, want in pairs
        )

    def _keeps_order_of(self, other: "Demand") -> bool:
        place = {
            frozenset(self.stages[index].asked): number
            for number, turn in enumerate(turns_in([one.turn for one in self.stages]))
            for index in turn
        }
        return all(place[first] < place[then] for first, then in other.order)

    def _escalates_beyond(self, other: "Demand") -> bool:
        """Say whether somebody may come to decide here whom `other` would not let in by then."""
        theirs = {frozenset(one.asked): number for number, one in enumerate(other.stages)}
        return any(
            not any(stage in one.stages and mine.is_within(one) for one in other.escalations)
            for mine in self.escalations
            for number in mine.stages
            if (stage := theirs.get(frozenset(self.stages[number].asked))) is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the policy makes of a step: what it demands, if anything, and how each rule stands."""

    demand: Demand | None
    why: tuple[Why, ...]

    @property
    def auto(self) -> tuple[Why, ...]:
        """Return the rules that would ask somebody, and spare people this time."""
        return tuple(one for one in self.why if one.match is Match.AUTO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one rule, or the definition, wants."""

    name: str
    stages: Sequence[ApprovalStage | AllOf]
    expires: timedelta
    remind: tuple[timedelta, ...]
    needs_reason: bool
    is_unsure: bool = False
    patterns: tuple[ReasonPattern, ...] = ()
    exclude: tuple[str, ...] = ()
    hours: tuple[OpenHours, ...] = ()
    escalate: Escalate | None = None
    nudge: timedelta | None = None
    step_up: StepUp | None = None
    batch: bool = False

    @property
    def parts(self) -> list[tuple[ApprovalStage, ...]]:
        """Return its stages turn by turn; of people whom it asks twice it wants that many more."""
        return [turn for turn in apart(turns_of(self.stages)) if turn]

    @property
    def turns(self) -> Turns:
        """Return whom it asks, turn by turn."""
        return [[frozenset(one.asked) for one in turn] for turn in self.parts]

    def asks(self, key: frozenset[str]) -> bool:
        """Say whether it has a stage of exactly these."""
        return any(key in turn for turn in self.turns)


def wish_of(
    approval: Approval, *, name: str, expires: timedelta, nudge: timedelta | None = None
) -> Wish:
    """Return what an `approval` section wants; `expires` stands where it gives no end."""
    return Wish(
        name=name,
        stages=approval.stages,
        expires=approval.expires or expires,
        remind=approval.remind,
        needs_reason=needs_reason(approval.reason),
        patterns=patterns_of(approval.reason),
        escalate=approval.escalate,
        nudge=nudge,
    )


def gathered(wishes: Sequence[Wish], *, exclude: Sequence[str] = ()) -> Demand | None:
    """Return everything that `wishes` want together, or None where nobody wants anything.

    Those in `exclude` are left out whatever the wishes say.

    Stages of several wishes that ask the same people become one, with the larger number who must
    agree and the smaller number who may refuse; each rule's order of its own stages is kept. The
    earliest end counts, and the earliest direct message. Items are put to people together only
    where every one of them says so. Of everything else each rule has its say, of reminders too.
    """
    if not wishes:
        return None
    ends = min(one.expires for one in wishes)
    order = order_of(one.turns for one in wishes)
    stages = _joined(wishes, order)
    return Demand(
        stages=stages,
        expires=ends,
        remind=tuple(sorted({wait for one in wishes for wait in one.remind if wait < ends})),
        needs_reason=any(one.needs_reason for one in wishes),
        rules=_each(one.name for one in wishes),
        unsure=tuple(one.name for one in wishes if one.is_unsure),
        patterns=_each(one for wish in wishes for one in wish.patterns),
        exclude=_each((*(one for wish in wishes for one in wish.exclude), *exclude)),
        hours=_each(one for wish in wishes for one in wish.hours),
        escalations=_escalations(wishes, stages),
        nudge=min((one.nudge for one in wishes if one.nudge is not None), default=None),
        step_up=next((one.step_up for one in wishes if one.step_up is not None), None),
        batch=all(one.batch for one in wishes),
        order=order,
    )


def _each(found: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(found))


def _joined(wishes: Sequence[Wish], order: Order) -> tuple[DemandStage, ...]:
    found: dict[frozenset[str], DemandStage] = {}
    for stage in (one for wish in wishes for turn in wish.parts for one in turn):
        people = frozenset(stage.asked)
        first = found.get(people)
        found[people] = DemandStage(
            asked=first.asked if first else _each(stage.asked),
            approve=max(stage.approve, first.approve if first else 1),
            deny=min(stage.deny, first.deny if first else stage.deny),
        )
    return tuple(
        replace(found[key], turn=number if len(turn) > 1 else None)
        for number, turn in enumerate(in_turns([one.turns for one in wishes], order))
        for key in turn
    )


def _escalations(wishes: Sequence[Wish], stages: Sequence[DemandStage]) -> tuple[Escalation, ...]:
    """Return whom each rule lets in later, and where; those of one moment and people together.

    A stage that another rule asks for too is widened only as far as that one says so as well.
    """
    found: dict[tuple[timedelta, frozenset[str]], Escalation] = {}
    for wish in wishes:
        if wish.escalate is None:
            continue
        one = Escalation(after=wish.escalate.after, to=_each(wish.escalate.to), stages=())
        first = found.setdefault((one.after, frozenset(one.to)), one)
        places = {
            number
            for number, stage in enumerate(stages)
            if _may_widen(one, wish, wishes, frozenset(stage.asked))
        }
        widened = replace(first, stages=tuple(sorted(places.union(first.stages))))
        found[one.after, frozenset(one.to)] = widened
    return tuple(sorted((one for one in found.values() if one.stages), key=lambda one: one.after))


def _may_widen(one: Escalation, wish: Wish, wishes: Sequence[Wish], key: frozenset[str]) -> bool:
    others = [other for other in wishes if other is not wish and other.asks(key)]
    return wish.asks(key) and all(
        other.escalate is not None and one.is_within(other.escalate) for other in others
    )

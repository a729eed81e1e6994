"""What has to be agreed to before a step runs: stages gathered from every rule that applies.

Gathering only ever tightens: more people, an earlier end, a reason required.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from workflows.definition_steps import Approval, ApprovalStage

DEFINITION = "the definition"  # How a definition's own approval is named among the rules.


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
    """People, by group or name, of whom `approve` must agree and `deny` suffice to refuse."""

    asked: tuple[str, ...]
    approve: int
    deny: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Everything one step needs agreed, and the rules that want it.

    `unsure` names the rules whose condition gave neither true nor false and so counted as true.
    """

    stages: tuple[DemandStage, ...]
    expires: timedelta
    remind: tuple[timedelta, ...]
    needs_reason: bool
    rules: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    why: tuple[Why, ...] = field(default=(), compare=False)  # For each rule that counts.

    def is_as_strict_as(self, other: "Demand | None") -> bool:
        """Say whether whoever satisfied this has satisfied `other` too."""
        if other is None:
            return True
        mine = {frozenset(one.asked): one for one in self.stages}
        pairs = [(mine.get(frozenset(one.asked)), one) for one in other.stages]
        return all(
            have is not None and have.approve >= want.approve and have.deny <= want.deny
            for have, want in pairs
        ) and (self.needs_reason or not other.needs_reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one rule, or the definition, wants."""

    name: str
    stages: Sequence[ApprovalStage]
    expires: timedelta
    remind: tuple[timedelta, ...]
    needs_reason: bool
    is_unsure: bool = False


def wish_of(approval: Approval, *, name: str, expires: timedelta) -> Wish:
    """Return what an `approval` section wants; `expires` stands where it gives no end."""
    return Wish(
        name=name,
        stages=approval.stages,
        expires=approval.expires or expires,
        remind=approval.remind,
        needs_reason=approval.reason == "required",
    )


def gathered(wishes: Sequence[Wish]) -> Demand | None:
    """Return everything that `wishes` want together, or None where nobody wants anything.

    Stages that ask the same people become one, with the larger number who must agree and the
    smaller number who may refuse; they stand in order of first appearance. The earliest end
    counts, with its reminders.
    """
    if not wishes:
        return None
    shortest = min(wishes, key=lambda one: one.expires)
    return Demand(
        stages=_joined(stage for wish in wishes for stage in wish.stages),
        expires=shortest.expires,
        remind=tuple(sorted(shortest.remind)),
        needs_reason=any(one.needs_reason for one in wishes),
        rules=tuple(dict.fromkeys(one.name for one in wishes)),
        unsure=tuple(one.name for one in wishes if one.is_unsure),
    )


def _joined(stages: Iterable[ApprovalStage]) -> tuple[DemandStage, ...]:
    found: dict[frozenset[str], DemandStage] = {}
    for stage in stages:
        people = frozenset(stage.asked)
        first = found.get(people)
        found[people] = DemandStage(
            asked=first.asked if first else tuple(dict.fromkeys(stage.asked)),
            approve=max(stage.approve, first.approve if first else 1),
            deny=min(stage.deny, first.deny if first else stage.deny),
        )
    return tuple(found.values())

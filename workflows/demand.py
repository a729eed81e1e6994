"""What has to be agreed to before a step runs: stages gathered from every rule that applies.

Gathering only ever tightens: more people, an earlier end, a reason or a code required.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from workflows.definition_steps import Approval, ApprovalStage

StepUp: TypeAlias = Literal["totp"]  # A one-time code by time, typed with each approval.
DEFINITION = "the definition"  # How a definition's own approval is named among the rules.


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
    step_up: StepUp | None = None

    def is_as_strict_as(self, other: "Demand | None") -> bool:
        """Say whether whoever satisfied this has satisfied `other` too."""
        if other is None:
            return True
        mine = {frozenset(one.asked): one for one in self.stages}
        pairs = [(mine.get(frozenset(one.asked)), one) for one in other.stages]
        people = all(
            have is not None and have.approve >= want.approve and have.deny <= want.deny
            for have, want in pairs
        )
        reason = self.needs_reason or not other.needs_reason
        return people and reason and other.step_up in {None, self.step_up}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one rule, or the definition, wants."""

    name: str
    stages: Sequence[ApprovalStage]
    expires: timedelta
    remind: tuple[timedelta, ...]
    needs_reason: bool
    is_unsure: bool = False
    step_up: StepUp | None = None


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
        step_up=next((one.step_up for one in wishes if one.step_up is not None), None),
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

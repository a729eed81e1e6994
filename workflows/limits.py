"""What limits an effect, as far as those who decide about it are told when they are asked.

How its budgets stand, which freeze will hold it back, who denied the same before, and who may
break the glass. All of it goes into the preview, so it is on record what people knew.
"""

from collections.abc import Callable
from dataclasses import dataclass

from workflows.budgets import budget_lines, shares
from workflows.conditions import applies
from workflows.denials import Denied
from workflows.duration import duration_text
from workflows.entry import Json
from workflows.errors import NoApproverError
from workflows.freezing import Frozen, frozen
from workflows.glass import MOST_BREAKERS, Glass
from workflows.moments import stamp
from workflows.people import CLICK_AGE, PersonId
from workflows.policy_break_glass import BreakGlass
from workflows.policy_facts import Facts
from workflows.ready import Ready
from workflows.segment import Segment
from workflows.step_facts import facts_of
from workflows.store import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGlass:
    """Who may break the glass of a request about to be raised."""

    rule: BreakGlass
    people: frozenset[PersonId]

    def fixed(self, unit: Unit) -> Glass:
        """Return it as the request's entry carries it."""
        return Glass(
            names=self.rule.people,
            people=frozenset(unit.ref(one) for one in self.people),
            by=self.rule.by,
            review=self.rule.review,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What limits one effect."""

    budgets: tuple[str, ...] = ()
    freeze: Frozen | None = None
    denied: Denied | None = None
    glass: OpenGlass | None = None

    def shown(self) -> dict[str, Json]:
        """Return what a preview says of them; nothing of what there is not."""
        found: dict[str, Json] = {}
        if self.budgets:
            found["budgets"] = list(self.budgets)
        if self.freeze is not None:
            found["freeze"] = {"name": self.freeze.name, "until": stamp(self.freeze.until)}
        if self.denied is not None:
            found["denied"] = self.denied.shown()
        if self.glass is not None:
            rule = self.glass.rule
            found["glass"] = {
                "from": list(rule.people),
                "by": list(rule.by),
                "review": duration_text(rule.review),
            }
        return found


def limits_of(
    segment: Segment, ready: Ready, plan: Callable[[], Json], denied: Denied | None
) -> Limits:
    """Return what limits an effect about to be asked for.

    Raises:
        OverBudgetError: it takes more than there ever is, so nobody needs to be asked.
        UncountableError: a budget cannot say how much it takes.
        NoApproverError: more people could break the glass than an entry holds.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    policy, house = segment.house.policy(), segment.house
    if policy.budgets is None and policy.freezes is None and policy.break_glass is None:
        return Limits(denied=denied)
    facts = facts_of(segment, ready)
    wanted = shares(policy, facts, plan)
    requester = segment.state.requester
    return Limits(
        budgets=tuple(budget_lines(house.store, wanted, requester, now=facts.at)),
        freeze=frozen(policy, facts),
        denied=denied,
        glass=_glass(segment, facts) if ready.action.is_emergency else None,
    )


def _glass(segment: Segment, facts: Facts) -> OpenGlass | None:
    policy = segment.house.policy()
    rule = policy.break_glass
    # It loosens what rules demand, so a condition in doubt gives nobody a glass.
    if rule is None or not applies(rule.when, policy.told(facts), unsure=False):
        return None
    members = (segment.house.people.members(name, max_age=CLICK_AGE) for name in rule.people)
    people = frozenset[PersonId]().union(*members)
    if len(people) > MOST_BREAKERS:
        raise NoApproverError(
            f"More than {MOST_BREAKERS} people could break the glass.",
            hint="Name smaller groups under break_glass in the policy, then retry the step.",
        )
    return OpenGlass(rule=rule, people=people) if people else None

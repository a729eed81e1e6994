"""Why the policy asks whom about a step: every rule with how it stands, and what comes of it.

Pure: `interlock policy explain` gathers the facts and prints the lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.definition_steps import Approval
from workflows.demand import Demand, DemandStage, Match, Why
from workflows.duration import duration_text
from workflows.errors import NoGateError
from workflows.policy import Policy
from workflows.policy_facts import Facts
from workflows.turns import turns_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How each rule of the policy stands to one step, and what they demand together.

    `demand` is None where nobody is asked. `refusal` says why the step does not run at all.
    """

    rules: tuple[Why, ...]
    demand: Demand | None
    refusal: str = ""

    @property
    def auto(self) -> tuple[Why, ...]:
        """Return the rules that would ask somebody, and spare people this time."""
        return tuple(one for one in self.rules if one.match is Match.AUTO)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return it for a person to read."""
        return tuple(_lines(self))


def explained(policy: Policy, facts: Facts, approval: Approval | None = None) -> Explanation:
    """Return why `policy` asks whom about the step that `facts` tell of.

    `approval` is what the definition wants on top.
    """
    whys = policy.whys(facts, approval)
    try:
        return Explanation(rules=whys, demand=policy.demand(facts, approval))
    except NoGateError as error:
        return Explanation(rules=whys, demand=None, refusal=str(error))


def _lines(told: Explanation) -> Iterator[str]:
    yield from (str(one) for one in told.rules)
    if told.refusal:
        yield f"It does not run: {told.refusal}"
    elif told.demand is None:
        yield "Nobody is asked."
    else:
        yield from _demanded(told.demand)


def _demanded(demand: Demand) -> Iterator[str]:
    yield from (f"{number}. {turn}" for number, turn in enumerate(turn_words(demand), start=1))
    yield f"Open for {duration_text(demand.expires)}."
    for one in demand.escalations:
        beside = ", ".join(" or ".join(demand.stages[index].asked) for index in one.stages)
        people = " and ".join(one.to)
        yield f"After {duration_text(one.after)} {people} may decide too, beside {beside}."
    if demand.exclude:
        yield f"May not decide: {', '.join(demand.exclude)}."
    if demand.hours:
        yield f"May be approved {', and '.join(str(one) for one in demand.hours)}."
    if demand.patterns:
        yield f"A reason is required: {'; '.join(one.hint for one in demand.patterns)}"
    elif demand.needs_reason:
        yield "A reason is required."
    if demand.step_up is not None:
        yield "Each approval needs a code from an authenticator app."
    if demand.batch:
        yield "Items of a loop are put to them together."


def turn_words(demand: Demand) -> Iterator[str]:
    """Yield who has to agree, turn by turn."""
    for turn in turns_in([one.turn for one in demand.stages]):
        yield " and ".join(stage_words(demand.stages[index]) for index in turn)


def stage_words(stage: DemandStage) -> str:
    """Return who has to agree in a stage, as in "2 of @leads or @directors (1 may reject)"."""
    return f"{stage.approve} of {' or '.join(stage.asked)} ({stage.deny} may reject)"

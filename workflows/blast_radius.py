"""How grave a step is once it is known how far it reaches.

The action and the definition say what a step is; the policy may say that one which touches many
rows, many hosts or much money counts as a graver one. It is then judged, shown, recorded and
performed as that. It is never less grave than it was.
"""

from collections.abc import Mapping
from dataclasses import replace

from workflows.actions.base import Effect
from workflows.asking import plan_of
from workflows.conditions import PLAN, plan_environment
from workflows.definition_steps import Step, raised
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.policy import Policy
from workflows.policy_blast import Reach
from workflows.ready import Ready, make_ready
from workflows.segment import Segment
from workflows.step_facts import facts_of


def make_weighed(segment: Segment, step: Step) -> Ready:
    """Return `step` made ready, as grave as the policy says that it is.

    Raises:
        ActionError: the plan that it is weighed by could not be made.
        InterlockError: as `make_ready`.
    """
    return weighed(segment, make_ready(segment, step))


def is_weighed_by_plan(policy: Policy, ready: Ready) -> bool:
    """Say whether weighing it takes a plan, which may ask a service."""
    return any(_looks_at_plan(one) for one in _could_raise(policy, ready))


def weighed(segment: Segment, ready: Ready) -> Ready:
    """Return `ready` with the gravest effect that the policy gives it.

    A condition that cannot be evaluated counts as true.

    Raises:
        ActionError: the plan that it is weighed by could not be made.
        PeopleUnreadableError: who asked for the run could not be read just now.
    """
    policy = segment.house.policy()
    reaches = _could_raise(policy, ready)
    if not reaches:
        return ready
    told = policy.told(facts_of(segment, ready))
    if any(_looks_at_plan(one) for one in reaches):
        data = plan_of(segment, ready).data
        told = {**told, PLAN: data if isinstance(data, Mapping) else {}}
    effect = ready.effect
    for one in reaches:
        if _holds(one, told):
            effect = raised(effect, one.to)
    return ready if effect is ready.effect else replace(ready, effect=effect)


def _could_raise(policy: Policy, ready: Ready) -> list[Reach]:
    if ready.effect is Effect.READ:
        return []
    return [one for one in policy.blast_radius or () if one.to.rank > ready.effect.rank]


def _looks_at_plan(reach: Reach) -> bool:
    return PLAN in plan_environment().references(reach.when)


def _holds(reach: Reach, told: Mapping[str, Json]) -> bool:
    try:
        found = plan_environment().evaluate(reach.when, told)
    except ExpressionError:
        return True
    return found if isinstance(found, bool) else True

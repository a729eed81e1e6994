"""Runs in shadow: they read and plan, change nothing, and ask what people did by hand instead.

Whether a run is one is decided when it starts and stands in its first entry, so no change of
the policy ever makes a real run of it. At each effect it puts the plan to people as a question;
a named person says whether what they did by hand was the same. A model has no say in it.
"""

from workflows.asking import plan_of
from workflows.errors import NoGateError
from workflows.instances import step_of
from workflows.judging import judged
from workflows.own_workflows import is_ours
from workflows.policy import Policy
from workflows.policy_explain import turn_words
from workflows.questioning import put
from workflows.ready import Ready
from workflows.segment import Next, Segment
from workflows.shadow_question import shadow_form


def starts_in_shadow(policy: Policy, workflow: str) -> bool:
    """Say whether runs of `workflow` start in shadow; those that guard the rest never do."""
    rule = policy.production
    if rule is None or rule.shadow is None or is_ours(workflow):
        return False
    return workflow in rule.shadow


def ask_what_was_done(segment: Segment, ready: Ready) -> Next:
    """Put to people what the step would do now and whom it would ask, in the place of doing it.

    Raises:
        ActionError: the plan could not be made.
        NoApproverError: nobody is there to be asked.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    plan, name = plan_of(segment, ready), ready.step.id
    told = (f"Would have: {plan.summary}", _gate_words(segment, ready), *plan.lines)
    words = "\n".join(("This run is in shadow and did nothing here.", *told))
    definition, rule = segment.definition, segment.house.policy().production
    responsible = (definition.owner, definition.deputy)
    people = responsible if rule is None else rule.watchers(*responsible)
    return put(segment, shadow_form(step_of(name), people), name, words, is_shadow=True)


def _gate_words(segment: Segment, ready: Ready) -> str:
    """Say who would have been asked before it; nobody is."""
    try:
        demand = judged(segment, ready)[0].demand
    except NoGateError as error:
        return f"Would not have run: {error}"
    if demand is None:
        return "Would have asked nobody."
    return f"Would have asked: {', then '.join(turn_words(demand))}."

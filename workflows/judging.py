"""Puts one step of a run before the policy."""

from dataclasses import replace

from workflows.demand import Judged
from workflows.denials import Denied, asked_as_before, denied_before
from workflows.levels import watchers
from workflows.model_words import words_taken
from workflows.ready import Ready
from workflows.segment import Segment
from workflows.step_facts import facts_of


def judged(segment: Segment, ready: Ready) -> tuple[Judged, Denied | None]:
    """Return what has to be agreed to before this step as things stand now, and who denied it.

    Where the same was denied before, no rule spares people, and somebody is always asked.
    Where a language model filled arguments, every rule that would look at them asks. While the
    version is on trial, somebody watches whatever it changes.

    Raises:
        NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        PeopleUnreadableError: the requester could not be read just now.
    """
    policy, facts = segment.house.policy(), facts_of(segment, ready)
    denied = denied_before(segment, ready, facts)
    taken = words_taken(segment.definition, segment.scopes, ready.step.id)
    watching = watchers(segment.house, segment.definition)
    if taken or watching:
        facts = replace(facts, are_args_of_a_model=bool(taken), watchers=watching)
    found = policy.judge(facts, ready.step.approval, spares=denied is None)
    if found.demand is None and denied is not None:
        found = replace(found, demand=asked_as_before(denied, policy, facts.workflow))
    return found, denied

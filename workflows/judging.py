"""Puts one step of a run before the policy."""

from dataclasses import replace

from workflows.demand import Judged
from workflows.denials import Denied, asked_as_before, denied_before
from workflows.ready import Ready
from workflows.segment import Segment
from workflows.step_facts import facts_of


def judged(segment: Segment, ready: Ready) -> tuple[Judged, Denied | None]:
    """Return what has to be agreed to before this step as things stand now, and who denied it.

    Where the same was denied before, no rule spares people, and somebody is always asked.

    Raises:
        NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        PeopleUnreadableError: the requester could not be read just now.
    """
    policy, facts = segment.house.policy(), facts_of(segment, ready)
    denied = denied_before(segment, ready, facts)
    found = policy.judge(facts, ready.step.approval, spares=denied is None)
    if found.demand is None and denied is not None:
        found = replace(found, demand=asked_as_before(denied, policy))
    return found, denied

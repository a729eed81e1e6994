"""Puts one step of a run before the policy."""

from workflows.demand import Judged
from workflows.ready import Ready
from workflows.segment import Segment
from workflows.step_facts import facts_of


def judged(segment: Segment, ready: Ready) -> Judged:
    """Return what has to be agreed to before this step as things stand now.

    Raises:
        NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        PeopleUnreadableError: the requester could not be read just now.
    """
    return segment.house.policy().judge(facts_of(segment, ready), ready.step.approval)

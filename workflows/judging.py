"""Puts one step of a run before the policy: the facts its rules may ask about, and the verdict."""

from workflows.asking import requester_of
from workflows.demand import Judged
from workflows.instances import step_of
from workflows.policy import Facts
from workflows.ready import Ready
from workflows.segment import Segment


def judged(segment: Segment, ready: Ready) -> Judged:
    """Return what has to be agreed to before this step as things stand now.

    Raises:
        NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        PeopleUnreadableError: the requester could not be read just now.
    """
    return segment.house.policy().judge(facts_of(segment, ready), ready.step.approval)


def facts_of(segment: Segment, ready: Ready) -> Facts:
    """Return what the policy's rules may look at.

    Raises:
        PeopleUnreadableError: the requester could not be read just now.
    """
    requester, person = segment.state.requester, requester_of(segment)
    told = requester.kind.value if requester is not None else ""
    return Facts(
        workflow=segment.definition.workflow,
        step=step_of(ready.step.id),
        action=ready.action.name,
        effect=ready.effect,
        inputs=segment.state.inputs,
        args=ready.args,
        requester=f"@{person.handle or person.name}" if person is not None else told,
        at=segment.house.now(),
    )

"""What the policy may look at when it judges one step of a run."""

from workflows.actions.base import Concern
from workflows.entry import Ref
from workflows.instances import step_of
from workflows.people import Person
from workflows.policy_facts import Facts
from workflows.ready import Ready
from workflows.segment import Segment


def requester_of(segment: Segment) -> Person | None:
    """Return the person who asked for the run, None where it was no person.

    Raises:
        PeopleUnreadableError: the directory did not answer.
    """
    actor = segment.state.requester
    if actor is None or not actor.is_person:
        return None
    who = segment.person(Ref(actor.ref))
    return None if who is None else segment.house.people.person(who)


def concern_of(segment: Segment, ready: Ready) -> Concern | None:
    """Return whom the step concerns, if it changes the catalog.

    Raises:
        ActionError, PeopleUnreadableError: it could not be read.
    """
    call = segment.call(ready.step, ready.step, effect=ready.effect)
    return ready.action.concern(ready.arguments, call)


def facts_of(segment: Segment, ready: Ready) -> Facts:
    """Return what the policy's conditions may look at.

    Raises:
        PeopleUnreadableError: who asked for the run could not be read just now.
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
        concern=concern_of(segment, ready),
        requester=person.in_rules if person is not None else told,
        at=segment.house.now(),
    )

"""Raising an approval request: plan, resolve who is asked, bind it to exactly what will run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.actions.base import Plan
from workflows.binding import binding, commitment
from workflows.demand import Demand, DemandStage
from workflows.entry import Draft, Json, Part, Ref, RequestId
from workflows.errors import NoApproverError
from workflows.gate import MOST_PEOPLE
from workflows.house import House
from workflows.moments import stamp
from workflows.people import CLICK_AGE, Person
from workflows.preview import Shown, differences, preview
from workflows.ready import Ready
from workflows.segment import After, Next, Segment
from workflows.standing_in import acting_for, tell_if_deserted
from workflows.store import Due, DueKind, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request about to be raised: what is asked, of whom, until when."""

    id: RequestId
    ready: Ready
    plan: Plan
    demand: Demand
    requester: Person | None
    excluded: tuple[Person, ...]  # Who decides nothing of it, whatever group they are in.
    asked: tuple[tuple[Person, ...], ...]  # For each stage, without those.
    expires: datetime


def ask(segment: Segment, ready: Ready, demand: Demand) -> Next:
    """Put the gate to people; where nothing else is alive, let go of the run at the same time.

    Raises:
        ActionError: the plan could not be made.
        NoApproverError: some stage has nobody who could decide.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    house = segment.house
    requester = requester_of(segment)
    excluded = _excluded(house, requester)
    question = Question(
        id=RequestId(house.new_id()),
        ready=ready,
        plan=plan_of(segment, ready),
        demand=demand,
        requester=requester,
        excluded=excluded,
        asked=tuple(_asked(segment, stage, excluded) for stage in demand.stages),
        expires=house.now() + demand.expires,
    )
    _check_people(question)
    parts = _parts(segment, question)
    bound = bound_to(segment, ready, args=parts["args"], plan=parts["plan"])
    parts["preview"] = segment.part(_preview(segment, question, bound))

    def raised(unit: Unit) -> Draft:
        data = _data(unit, segment, question, bound)
        tell_if_deserted(unit, question.id, _first_asked(data))
        return segment.draft("approval.requested", data, parts)

    rests = segment.is_alone
    is_raised = segment.commit(
        raised, also=lambda unit: _set_times(unit, segment, question), rests=rests
    )
    return After.GONE if is_raised and rests else After.LOOK


def plan_of(segment: Segment, ready: Ready) -> Plan:
    """Return what the step would do now.

    Raises:
        ActionError: what is needed to say it could not be read.
    """
    return ready.action.plan(
        ready.arguments, segment.call(ready.step, ready.step, effect=ready.effect)
    )


def plan_json(plan: Plan) -> Json:
    """Return a plan as the JSON that its part holds."""
    return {"summary": plan.summary, "lines": list(plan.lines), "data": plan.data}


def bound_to(segment: Segment, ready: Ready, *, args: Part, plan: Part) -> str:
    """Return the digest that ties an approval to exactly these arguments and this plan."""
    return binding(
        workflow=segment.definition.workflow,
        version=segment.definition.version,
        step=ready.step.id,
        policy=segment.house.policy().digest,
        args=commitment(args.salt, "args", args.value),
        plan=commitment(plan.salt, "plan", plan.value),
    )


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


def _excluded(house: House, requester: Person | None) -> tuple[Person, ...]:
    """Return the requester, and whoever acts for them."""
    return tuple(one for one in (requester, acting_for(house, requester)) if one is not None)


def _asked(segment: Segment, stage: DemandStage, excluded: Sequence[Person]) -> tuple[Person, ...]:
    people = segment.house.people
    everybody = frozenset().union(
        *(people.members(name, max_age=CLICK_AGE) for name in stage.asked)
    )
    never = {one.id for one in excluded}
    return tuple(people.person(who) for who in sorted(everybody - never))


def _check_people(question: Question) -> None:
    for stage, people in zip(question.demand.stages, question.asked, strict=True):
        if len(people) < stage.approve:
            raise NoApproverError(
                f"{' or '.join(stage.asked)} has {len(people)} people who may decide this, "
                f"and {stage.approve} must agree.",
                hint="Add people to the group, then retry the step.",
            )
    if sum(len(people) for people in question.asked) > MOST_PEOPLE:
        raise NoApproverError(
            f"More than {MOST_PEOPLE} people would be asked.", hint="Name smaller groups."
        )


def _parts(segment: Segment, question: Question) -> dict[str, Part]:
    return {
        "args": segment.part(question.ready.args),
        "plan": segment.part(plan_json(question.plan)),
    }


def _preview(segment: Segment, question: Question, bound: str) -> Json:
    shown = preview(
        Shown(
            run=segment.state.id,
            request=question.id,
            definition=segment.definition,
            step=question.ready.step,
            effect=question.ready.effect,
            plan=question.plan,
            inputs=segment.state.inputs,
            requester=question.requester,
            demand=question.demand,
            expires=question.expires,
            digest=bound,
        )
    )
    earlier = segment.state.step(question.ready.step.id).asked
    part = None if earlier is None else earlier.parts.get("preview")
    if part is not None and part.value is not None:
        shown["changed"] = list(differences(json.loads(part.value), shown))
    return shown


def _data(unit: Unit, segment: Segment, question: Question, bound: str) -> dict[str, Json]:
    demand = question.demand
    excluded: list[Json] = [str(unit.ref(one.id, one.name)) for one in question.excluded]
    return {
        "request": question.id,
        "step": question.ready.step.id,
        "attempt": segment.state.step(question.ready.step.id).attempt + 1,
        "binding": bound,
        "policy": segment.house.policy().digest,
        "effect": question.ready.effect.value,
        "stages": list(_stages(unit, question)),
        "excluded": excluded,
        "expires": stamp(question.expires),
        "rules": list(demand.rules),
        "remind": [int(one.total_seconds()) for one in demand.remind],
        "reason": "required" if demand.needs_reason else "optional",
        **({} if demand.step_up is None else {"step_up": demand.step_up}),
    }


def _stages(unit: Unit, question: Question) -> Iterator[Json]:
    for stage, asked in zip(question.demand.stages, question.asked, strict=True):
        refs: list[Json] = [str(unit.ref(one.id, one.name)) for one in asked]
        yield {
            "from": list(stage.asked),
            "approve": stage.approve,
            "deny": min(stage.deny, len(asked)),
            "people": refs,
        }


def _first_asked(data: Mapping[str, Json]) -> list[Ref]:
    """Return whom the first stage asks."""
    match data["stages"]:
        case [{"people": [*people]}, *_]:
            return [Ref(str(one)) for one in people]
    return []


def _set_times(unit: Unit, segment: Segment, question: Question) -> None:
    run = segment.state.id
    unit.set_due(Due(kind=DueKind.EXPIRE, key=question.id, run=run, at=question.expires))
    for wait in question.demand.remind[:1]:  # Each one sets the next.
        at = segment.house.now() + wait
        unit.set_due(Due(kind=DueKind.REMIND, key=question.id, run=run, at=at))

"""Raising an approval request: plan, resolve who is asked, bind it to exactly what will run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from workflows.actions.base import Plan
from workflows.asked_people import AskedPeople, asked_people, check_hours
from workflows.batching import FIELD as BATCH
from workflows.batching import batch_of
from workflows.binding import binding, commitment
from workflows.demand import Demand, Match
from workflows.denials import Denied
from workflows.entry import Draft, Json, Part, Ref, RequestId
from workflows.instances import items_of
from workflows.limits import Limits, limits_of
from workflows.model_words import words_taken
from workflows.moments import stamp
from workflows.nudging import FIELD
from workflows.people import Person, PersonId
from workflows.preview import Shown, differences, preview
from workflows.quick_json import loaded
from workflows.ready import Ready
from workflows.run import StepState
from workflows.segment import After, Next, Segment
from workflows.standing_in import tell_if_deserted
from workflows.step_facts import concern_of, requester_of
from workflows.store import Due, DueKind, Unit
from workflows.terms import terms_data
from workflows.turns import turns_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request about to be raised: what is asked, of whom, until when."""

    id: RequestId
    ready: Ready
    plan: Plan
    demand: Demand
    requester: Person | None
    people: AskedPeople
    raised: datetime
    expires: datetime
    limits: Limits
    is_batched: bool


def ask(segment: Segment, ready: Ready, demand: Demand, denied: Denied | None = None) -> Next:
    """Put the gate to people; where nothing else is alive, let go of the run at the same time.

    Raises:
        ActionError: the plan could not be made.
        NoApproverError: some stage has too few people who could decide, or nobody may approve
            before it ends.
        OverBudgetError, UncountableError: a budget has no room for it, or cannot count it.
        PeopleUnreadableError: who belongs to a group could not be read just now.
    """
    house = segment.house
    requester, raised = requester_of(segment), house.now()
    expires = raised + demand.expires
    check_hours(demand, raised)
    plan = plan_of(segment, ready)
    limits = limits_of(segment, ready, lambda: plan.data, denied)
    question = Question(
        id=segment.state.step(ready.step.id).next_request or RequestId(house.new_id()),
        ready=ready,
        plan=plan,
        demand=demand,
        requester=requester,
        people=asked_people(
            segment, ready.step.id, demand, requester, authors=_authors(segment, ready)
        ),
        raised=raised,
        expires=expires,
        limits=limits,
        is_batched=demand.batch and _may_be_batched(segment, ready, limits),
    )
    parts = _parts(segment, question)
    bound = bound_to(segment, ready, args=parts["args"], plan=parts["plan"])
    parts["preview"] = segment.part(_preview(segment, question, bound))

    def fact(unit: Unit) -> Draft:
        data = _data(unit, segment, question, bound)
        tell_if_deserted(unit, RequestId(str(data.get(BATCH, question.id))), _first_asked(data))
        return segment.draft("approval.requested", data, parts)

    rests = segment.is_alone and not question.is_batched  # The next item may join it at once.
    is_raised = segment.commit(
        fact,
        also=lambda unit: _set_times(unit, segment, question),
        rests=rests,
        people=[one.id for one in question.people.everybody],
    )
    ready.action.load()
    return After.GONE if is_raised and rests else After.LOOK


def _authors(segment: Segment, ready: Ready) -> frozenset[Ref]:
    concern = concern_of(segment, ready)
    return frozenset() if concern is None else concern.authors


def _may_be_batched(segment: Segment, ready: Ready, limits: Limits) -> bool:
    """Say whether it is an item of a loop of which there is nothing else to know or to do.

    What was denied before has to be known first, what a glass is over can be decided alone, and
    what was changed follows an earlier card, and what a language model wrote is marked as such:
    each of these has a card of its own.
    """
    is_plain = limits.denied is None and limits.glass is None and not _by_model(segment, ready)
    is_changed = segment.state.step(ready.step.id).next_request is not None
    return bool(items_of(ready.step.id)) and is_plain and not is_changed


def _by_model(segment: Segment, ready: Ready) -> tuple[str, ...]:
    """Return the arguments of the step that a language model filled."""
    return words_taken(segment.definition, segment.scopes, ready.step.id)


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
            raised=question.raised,
            expires=question.expires,
            digest=bound,
            left_out=question.people.left_out,
            by_model=_by_model(segment, question.ready),
            limits=question.limits.shown(),
        )
    )
    earlier = segment.state.step(question.ready.step.id).asked
    part = None if earlier is None else earlier.parts.get("preview")
    if part is not None and part.value is not None:
        shown["changed"] = list(differences(loaded(part.value), shown))
    return shown


def _data(unit: Unit, segment: Segment, question: Question, bound: str) -> dict[str, Json]:
    demand, left_out = question.demand, question.people.left_out
    refs = unit.refs(question.people.everybody)
    excluded: list[Json] = [str(refs[one.id]) for one in left_out]
    data: dict[str, Json] = {
        "request": question.id,
        "step": question.ready.step.id,
        "attempt": segment.state.step(question.ready.step.id).attempt + 1,
        "binding": bound,
        "policy": segment.house.policy().digest,
        "effect": question.ready.effect.value,
        "stages": list(_stages(refs, question)),
        "excluded": excluded,
        "expires": stamp(question.expires),
        "rules": list(demand.rules),
        "remind": [int(one.total_seconds()) for one in demand.remind],
        "reason": "required" if demand.needs_reason else "optional",
        **terms_data(_near(demand, question), left_out.values()),
        **_spared(demand),
        "action": question.ready.action.name,
        **_glass(unit, question.limits),
        **({FIELD: int(demand.nudge.total_seconds())} if demand.nudge is not None else {}),
        **_replaces(segment.state.step(question.ready.step.id)),
    }
    return {**data, **_batch(segment, question, data)}


def _batch(segment: Segment, question: Question, data: Mapping[str, Json]) -> dict[str, Json]:
    """Return with which others it is put to people, as the run stands in this transaction."""
    if not question.is_batched:
        return {}
    return {BATCH: batch_of(segment.state, question.ready.step.id, data) or question.id}


def _glass(unit: Unit, limits: Limits) -> dict[str, Json]:
    return {} if limits.glass is None else {"glass": limits.glass.fixed(unit).json()}


def _near(demand: Demand, question: Question) -> Demand:
    """Return the demand with those holidays alone that matter while the request is open."""
    near = tuple(one.between(question.raised, question.expires) for one in demand.hours)
    return replace(demand, hours=near)


def _spared(demand: Demand) -> dict[str, Json]:
    """Return the rules that would have asked people too, and spared them."""
    names: list[Json] = [one.rule for one in demand.why if one.match is Match.AUTO]
    return {"auto": names} if names else {}


def _replaces(step: StepState) -> dict[str, Json]:
    """Return which request this one takes the place of, if it was promised by an edit."""
    if step.next_request is None or step.asked is None:
        return {}
    return {"replaces": step.asked.data["request"]}


def _stages(refs: Mapping[PersonId, Ref], question: Question) -> Iterator[Json]:
    for stage, asked in zip(question.demand.stages, question.people.stages, strict=True):
        people: list[Json] = [str(refs[one.id]) for one in asked]
        told: dict[str, Json] = {
            "from": list(stage.asked),
            "approve": stage.approve,
            "deny": min(stage.deny, len(asked)),
            "people": people,
        }
        yield told if stage.turn is None else {**told, "turn": stage.turn}


def _first_asked(data: Mapping[str, Json]) -> list[list[Ref]]:
    """Return whom the stages of the first turn ask, as they are about to be recorded."""
    stages = data["stages"]
    told = [one for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []
    turns = (one.get("turn") for one in told)
    numbers = [turn if isinstance(turn, int) else None for turn in turns]
    first = turns_in(numbers)[0] if told else ()
    return [_people(told[index]) for index in first]


def _people(stage: Mapping[str, Json]) -> list[Ref]:
    people = stage["people"]
    return [Ref(str(one)) for one in people] if isinstance(people, list) else []


def _set_times(unit: Unit, segment: Segment, question: Question) -> None:
    demand, raised = question.demand, question.raised
    moments = [
        (DueKind.EXPIRE, question.expires),
        # Each one of these sets the next.
        *((DueKind.REMIND, raised + wait) for wait in demand.remind[:1]),
        *((DueKind.ESCALATE, raised + one.after) for one in demand.escalations[:1]),
        *([(DueKind.NUDGE, raised + demand.nudge)] if demand.nudge is not None else []),
    ]
    for kind, at in moments:
        unit.set_due(Due(kind=kind, key=question.id, run=segment.state.id, at=at))

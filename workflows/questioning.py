"""Questions that a step puts to people, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows.binding import json_bytes
from workflows.credentials import refuse_credential
from workflows.definition_flow import Ask
from workflows.entry import Actor, ActorKind, Draft, Json, Part, RequestId, RunId
from workflows.errors import (
    InputsError,
    NoApproverError,
    NotEligibleError,
    RequestClosedError,
    SecretError,
)
from workflows.gate import MOST_PEOPLE
from workflows.given import read_given
from workflows.house import House
from workflows.moments import stamp
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import Phase, RunState, StepState
from workflows.segment import After, Next, Segment
from workflows.shadow_question import asked_form, did_in
from workflows.step_facts import requester_of
from workflows.store import Delivery, RunRow, Unit
from workflows.template import resolve_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody answers to a question of a run, field by field."""

    run: RunId
    request: RequestId
    person: PersonId
    values: Mapping[str, object]
    delivery: Delivery | None = None


def begin_question(segment: Segment, form: Ask, name: str) -> Next:
    """Put the question to people; it waits for the first of them who answers.

    Raises:
        NoApproverError: nobody is there to be asked.
        PeopleUnreadableError: who belongs to a group could not be read just now.
        ExpressionError: the question cannot be worded.
    """
    words = resolve_text(form.ask.question, segment.scope(name), segment.scopes.before(name))
    return put(segment, form, name, words)


def put(segment: Segment, form: Ask, name: str, words: str, *, is_shadow: bool = False) -> Next:
    """Put `words` to the people of `form`, in shadow in the place of an effect.

    Raises:
        NoApproverError, PeopleUnreadableError: as `begin_question`.
    """
    house = segment.house
    request = RequestId(house.new_id())
    people = _people(segment, form)
    expires = house.now() + form.ask.expires
    shown = _preview(segment, form, name, words, request=request, expires=expires)

    def asked(unit: Unit) -> Draft:
        refs: list[Json] = [unit.ref(one.id, one.name) for one in people]
        data: dict[str, Json] = {
            "request": request,
            "step": name,
            "from": list(form.ask.asked),
            "people": refs,
            "expires": stamp(expires),
            **({"shadow": True} if is_shadow else {}),
        }
        return segment.draft("question.asked", data, {"preview": segment.part(shown)})

    rests = segment.is_alone
    is_asked = segment.commit(asked, rests=rests, until=expires)
    return After.GONE if is_asked and rests else After.LOOK


def _people(segment: Segment, form: Ask) -> list[Person]:
    house = segment.house
    named = (house.people.members(one, max_age=CLICK_AGE) for one in form.ask.asked)
    found = sorted(frozenset().union(*named))
    groups = " or ".join(form.ask.asked)
    if not found:
        raise NoApproverError(
            f"{groups} has nobody who could answer.",
            hint="Add people to the group, then retry the step.",
        )
    if len(found) > MOST_PEOPLE:
        raise NoApproverError(
            f"{groups} has more than {MOST_PEOPLE} people.", hint="Name a smaller group."
        )
    return [house.people.person(one) for one in found]


def _preview(
    segment: Segment, form: Ask, name: str, words: str, *, request: RequestId, expires: datetime
) -> Json:
    requester = requester_of(segment)
    return {
        "v": 1,
        "run": segment.state.id,
        "request": request,
        "workflow": segment.definition.workflow,
        "title": segment.definition.title,
        "step": name,
        "question": words,
        "from": list(form.ask.asked),
        "fields": {
            one: field.model_dump(mode="json", exclude_none=True)
            for one, field in form.ask.fields.items()
        },
        "requester": None if requester is None else {"id": requester.id, "name": requester.name},
        "expires": stamp(expires),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering:
    """Somebody who may answer what a step asks, and the groups that they were asked in."""

    row: RunRow
    step: StepState
    person: Person
    groups: list[str]


def may_answer(house: House, run: RunId, request: RequestId, *, person: PersonId) -> None:
    """Return if an answer of this person would count, whatever its values; nothing is recorded.

    Raises:
        GateError, NotAllowedError, UnknownRunError: as `answer`.
    """
    _admitted(house, run, request, person=person)


def answer(house: House, given: Answer) -> None:
    """Record an answer; the run goes on with it. The first answer counts.

    Raises:
        RequestClosedError: it is answered already, or its time is over.
        NotEligibleError: this person was not asked, or may no longer answer.
        NotAllowedError: this person is an auditor, who decides nothing.
        PeopleUnreadableError: who this person is could not be read.
        InputsError: values that do not fit, field by field.
        SecretError: a secret stands among the values.
        UnknownRunError: there is no such run.
    """
    found = _admitted(house, given.run, given.request, person=given.person)
    step, person, groups = found.step, found.person, found.groups
    form = asked_form(house.definitions.version(found.row.version), _name(step))
    try:
        values = read_given(house, form.ask.fields, given.values)
        shadow: dict[str, Json] = {"shadow": did_in(values).value} if step.is_shadow else {}
    except InputsError:
        _open(house, given.run, given.request)  # Nobody mends values for a question that is over.
        raise
    if house.holds_secret(str(values)):
        raise SecretError(
            "A secret stands among these values; nothing was stored.",
            hint="Never type secrets here. Have it changed, since others may have seen it.",
        )
    refuse_credential(str(values))
    with house.store.begin() as unit:
        unit.lock_run(given.run)
        if given.delivery is not None and unit.is_repeat(given.delivery):
            return
        name, step = _asked(replay(given.run, unit.entries(given.run)), given.request)
        _admit_time(step, now=unit.now)
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(person.id, person.name))
        _admit(step, person, actor.ref, groups)
        data: dict[str, Json] = {"request": given.request, "step": name, **shadow}
        parts = {"comment": Part(value=json_bytes(values))}
        record(
            unit,
            Draft(kind="question.answered", actor=actor, data=data, parts=parts, run=given.run),
        )
        house.dispatcher.enqueue(unit, given.run)


def _admitted(house: House, run: RunId, request: RequestId, *, person: PersonId) -> _Answering:
    """Return who answers: first that it is open, then that it is theirs to answer."""
    row, step = _open(house, run, request)
    who = house.roles.deciding(person, row.workflow)
    groups = [name for name in _strings(step, "from") if _belongs(house, who, name)]
    with house.store.begin() as unit:
        _admit(step, who, unit.ref(who.id, who.name), groups)
    return _Answering(row=row, step=step, person=who, groups=groups)


def _open(house: House, run: RunId, request: RequestId) -> tuple[RunRow, StepState]:
    """Return the run and the step that asks, if it still does."""
    row, entries = house.store.history(run)
    _, step = _asked(replay(run, entries), request)
    _admit_time(step, now=house.now())
    return row, step


def _asked(state: RunState, request: RequestId) -> tuple[str, StepState]:
    """Return the step that put the question, if it still waits for an answer."""
    for name, one in state.steps.items():
        is_open = one.phase is Phase.QUESTIONED and state.goes_on
        if one.request == request and is_open:
            return name, one
    raise RequestClosedError(
        "This question is answered already, or asked no more.",
        hint="Nothing was changed by your answer.",
    )


def _name(step: StepState) -> str:
    return str(step.asked.data["step"]) if step.asked is not None else ""


def _strings(step: StepState, field: str) -> list[str]:
    found = step.asked.data.get(field) if step.asked is not None else None
    return [str(one) for one in found] if isinstance(found, list) else []


def _belongs(house: House, person: Person, group: str) -> bool:
    return person.id in house.people.members(group, max_age=CLICK_AGE)


def _admit_time(step: StepState, *, now: datetime) -> None:
    if step.until is not None and now >= step.until:
        raise RequestClosedError(
            "The time to answer this is over.", hint="The owner of the workflow can ask again."
        )


def _admit(step: StepState, person: Person, ref: str, groups: list[str]) -> None:
    hint = f"It waits for {' or '.join(_strings(step, 'from'))}."
    if not person.counts:
        raise NotEligibleError(f"Your answer cannot count: {person.why_not}.", hint=hint)
    if ref not in _strings(step, "people") or not groups:
        raise NotEligibleError("You are not among the people who were asked.", hint=hint)

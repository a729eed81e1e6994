"""Starting a run: who may, with which inputs, and the same start only once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows.binding import json_bytes
from workflows.credentials import refuse_credential
from workflows.definition import Definition
from workflows.entry import SYSTEM, Actor, ActorKind, Draft, Entry, Json, Part, Ref, RunId
from workflows.errors import (
    InputsError,
    InputsUnreadableError,
    InterlockError,
    KeyReusedError,
    NotAllowedError,
    ScheduleClosedError,
    SecretError,
)
from workflows.expression import Scope
from workflows.given import bare, named_inputs, read_given
from workflows.house import House
from workflows.lock_circles import refuse_circle
from workflows.orders import Child, Start, Started
from workflows.own_workflows import ACCESS_REVIEW, is_own
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.policy_roles import Role
from workflows.procedure import Procedures
from workflows.quick_json import loaded
from workflows.recorder import record
from workflows.replay import replay
from workflows.schedule import ScheduleState
from workflows.shadowing import starts_in_shadow
from workflows.store import NewRun, RunRow, Unit

LOCAL = "os:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A start that may go ahead."""

    definition: Definition
    inputs: Mapping[str, Json]
    person: Person | None
    is_shadow: bool


def start(house: House, procedures: Procedures, order: Start) -> Started:
    """Start a run, or return the one that the same key or delivery started before.

    Raises:
        UnknownWorkflowError: no such workflow; the nearest is suggested.
        InputsError: values that do not fit, field by field.
        KeyReusedError: the key started something else before.
        NotAllowedError: this person may not run it.
        SecretError: a secret stands among the inputs.
        PeopleUnreadableError: whether this person may run it could not be read.
        ScheduleClosedError: the schedule that asks rests, or has ended.
        StorageError: nothing was recorded.
    """
    earlier = _started_before(house, order)
    if earlier is not None:
        return earlier
    try:
        checked = check_start(house, order)
    except InterlockError:
        # Whoever delivers again is answered, although it would not be taken any more.
        delivered = _delivered_before(house, order)
        if delivered is None:
            raise
        return delivered
    key = order.key or (order.delivery.start_key if order.delivery is not None else None)
    with house.store.begin() as unit:
        run = unit.run_started_as(key) if key is not None else None
        if run is None:
            run = _begin(unit, house, procedures, order, checked=checked, key=key)
            return Started(run=run, is_new=True)
    # Somebody began the same at the same moment; only now is it known to be the same.
    return _started_before(house, order) or Started(run=run, is_new=False)


def _started_before(house: House, order: Start) -> Started | None:
    """Return the run that the key of `order` started, None where it has none or started none.

    It comes before every check: who asks again after a lost answer gets that answer, although
    the workflow may have changed since.
    """
    found = None if order.key is None else house.store.started_as(order.key)
    if found is None:
        return None
    row, first = found
    if order.child is not None:
        return Started(run=row.id, is_new=False)  # This key is made of that very step.
    if row.workflow != order.workflow:
        raise _reused(row, f"a run of {row.workflow}")
    part = first.parts.get("input")
    if part is None or part.value is None:
        raise _reused(row, "a run whose inputs were erased since, so nobody can compare them")
    version = str(first.data["version"])  # The run may have been moved to another one since.
    if not _are_those(house, order, version, loaded(part.value)):
        raise _reused(row, "a run with other inputs")
    return Started(run=row.id, is_new=False)


def _delivered_before(house: House, order: Start) -> Started | None:
    delivery = order.delivery
    found = None if delivery is None else house.store.started_as(delivery.start_key)
    return None if found is None else Started(run=found[0].id, is_new=False)


def _are_those(house: House, order: Start, version: str, stored: Mapping[str, Json]) -> bool:
    """Say whether the inputs are those stored, as the version that the run began with reads them.

    What people or services call things may have changed since; ids count.
    """
    inputs = house.definitions.version(version).inputs
    try:
        now = named_inputs(house, inputs, order.inputs)
    except InputsUnreadableError:
        raise
    except InputsError:
        return False
    return json_bytes(bare(inputs, now)) == json_bytes(bare(inputs, stored))


def _reused(row: RunRow, what: str) -> KeyReusedError:
    return KeyReusedError(
        f"This key already started {what}: {row.id}.",
        run=row.id,
        hint="Use a new key for a new start; the same key is for asking again after a lost answer.",
    )


def _begin(
    unit: Unit,
    house: House,
    procedures: Procedures,
    order: Start,
    *,
    checked: Checked,
    key: str | None,
) -> RunId:
    if order.trigger == "schedule":
        admit_schedule(unit, order.source)
    run = RunId(house.new_id()) if order.child is None else order.child.run
    new = NewRun(
        id=run,
        workflow=checked.definition.workflow,
        version=checked.definition.version,
        channel=checked.definition.channel or order.channel,
        start_key=key,
        lock_key=_lock_of(procedures, order, checked, run),
    )
    if order.child is not None:
        _admit_child(unit, order.child)
        refuse_circle(unit, new, order.child, at_once=checked.definition.at_once)
    unit.add_run(new)
    record(unit, _first_fact(unit, house, order, checked, run))
    house.dispatcher.enqueue(unit, run)
    return run


def _lock_of(procedures: Procedures, order: Start, checked: Checked, run: RunId) -> str | None:
    """Return the lock that the run needs; what changes nothing keeps nobody from changing it."""
    scope = Scope(inputs=checked.inputs, run={"id": run, "workflow": order.workflow})
    return None if checked.is_shadow else procedures.lock_of(checked.definition, scope)


def check_start(house: House, order: Start) -> Checked:
    """Return what `order` would start, and start nothing.

    Raises:
        InterlockError: as `start`, but for what is refused while recording.
    """
    _refuse_own(order)
    definition = house.definitions.active(order.workflow)
    person = None if order.person is None else house.people.person(order.person)
    if person is not None:
        admit_starter(house, definition, person)
    if order.child is not None and order.actor is not None and order.actor.is_person:
        _admit_requester(house, definition, Ref(order.actor.ref))
    inputs = checked_inputs(house, definition, order.inputs)
    for one in filter(None, _kept_as_said(order)):
        if house.holds_secret(one):
            raise _secret()
        refuse_credential(one)
    if order.child is None:  # What a run hands to another was let in by its own doors.
        refuse_credential(str(inputs))
    is_shadow = starts_in_shadow(house.policy(), definition.workflow)
    if order.child is not None:
        is_shadow |= order.child.is_shadow
    return Checked(definition=definition, inputs=inputs, person=person, is_shadow=is_shadow)


def _kept_as_said(order: Start) -> Sequence[str | None]:
    """Return what is kept of an order beside its inputs: a key is found again only as it was."""
    delivered = None if order.delivery is None else order.delivery.start_key
    return order.message, order.channel, order.key, delivered


def _refuse_own(order: Start) -> None:
    """Refuse our own workflows to all but a proposal, which comes in the name of a person."""
    is_proposal = order.person is None and order.child is None
    is_proposal = is_proposal and order.actor is not None and order.actor.is_person
    if is_own(order.workflow) and not is_proposal:
        raise NotAllowedError(
            f"{order.workflow} is not started like this.",
            hint="Propose a change with `interlock publish`.",
        )


def checked_inputs(
    house: House, definition: Definition, given: Mapping[str, object]
) -> Mapping[str, Json]:
    """Return `given` as the definition reads it.

    Raises:
        InputsError, InputsUnreadableError: as `read_given`.
        SecretError: a secret stands among them.
    """
    inputs = read_given(house, definition.inputs, given)
    if house.holds_secret(str(inputs)):
        raise _secret()
    return inputs


def _secret() -> SecretError:
    return SecretError(
        "A secret stands among these values; nothing was started and nothing was stored.",
        hint="Never type secrets here. Have it changed, since others may have seen it.",
    )


def admit_starter(house: House, definition: Definition, person: Person) -> None:
    """Return if `person` may start runs of `definition`.

    Raises:
        NotAllowedError: they may not, by role or by the definition; it says who may.
        PeopleUnreadableError: who belongs to those could not be read.
    """
    _admit_role(house, definition, person.id)
    # Whoever reaches the bot from its own machine as its own user holds its keys and files
    # already. Starting is all it gives: gates are decided in Slack.
    if person.id.startswith(LOCAL):
        return
    if not person.counts:
        raise NotAllowedError(
            f"You cannot run {definition.workflow}: {person.why_not}.",
            hint=f"Ask {' or '.join(definition.may_run)}.",
        )
    if not any(
        person.id in house.people.members(name, max_age=CLICK_AGE) for name in definition.may_run
    ):
        raise NotAllowedError(
            f"You may not run {definition.workflow}.",
            hint=f"{' and '.join(definition.may_run)} may; ask one of them.",
        )


def _admit_role(house: House, definition: Definition, who: PersonId) -> None:
    if definition.workflow == ACCESS_REVIEW:
        house.roles.refuse_auditor(who, None)  # Governors start it, whoever runs the rest.
    else:
        house.roles.admit_runner(who, definition.workflow)


def _admit_requester(house: House, definition: Definition, ref: Ref) -> None:
    """Return if whoever asked for a run may have it start this one too, as far as roles go.

    `run_by` is not asked again: that a workflow starts another is what its file says, and what a
    role is bound to is for those who govern.

    Raises:
        NotAllowedError: they may not, or nobody knows any more who it was.
        PeopleUnreadableError: who belongs to the role could not be read.
    """
    who = house.store.person(ref)
    if who is not None:
        _admit_role(house, definition, who)
    elif house.policy().bound(Role.RUNNER):
        raise NotAllowedError(
            f"Nobody knows any more who asked for this, so it may not start {definition.workflow}.",
            hint="Ask a runner to start it.",
        )


def _admit_child(unit: Unit, child: Child) -> None:
    """Lock the parent, so that it does not end while a run is started for it."""
    state = replay(child.parent, _of(unit, child.parent))
    if not state.goes_on or state.step(child.step).child != child.run:
        raise NotAllowedError("The run that this one was to be started for goes on without it.")


def admit_schedule(unit: Unit, schedule: str) -> None:
    """Hold a schedule, so that whoever is told that it rests is told of no run after that.

    Raises:
        ScheduleClosedError: it rests, or has ended.
    """
    row = unit.hold_schedule(schedule)
    if row is not None and row.state is not ScheduleState.ACTIVE:
        raise ScheduleClosedError("This schedule was paused, or has ended.", hint="See the list.")


def _of(unit: Unit, run: RunId) -> Sequence[Entry]:
    unit.lock_run(run)
    return unit.entries(run)


def _first_fact(unit: Unit, house: House, order: Start, checked: Checked, run: RunId) -> Draft:
    actor = order.actor or SYSTEM
    if checked.person is not None:
        ref = unit.ref(checked.person.id, checked.person.name)
        actor = Actor(kind=ActorKind.USER, ref=ref)
    data: dict[str, Json] = {
        "workflow": checked.definition.workflow,
        "version": checked.definition.version,
        "trigger": order.trigger,
    }
    if checked.is_shadow:
        data["shadow"] = True
    if order.source:
        data["source"] = order.source
    if order.child is not None:
        one = order.child
        data["parent"] = {"run": one.parent, "step": one.step, "depth": one.depth}
    parts = {"input": Part(value=json_bytes(dict(checked.inputs)))}
    if order.message:
        parts["message"] = Part(value=house.redact(order.message).encode())
    return Draft(kind="run.started", actor=actor, data=data, parts=parts, run=run)

"""Putting a waiting run on another version of its workflow, because a person says so.

Runs stay on the version that they began with. Where the rest of one is to go by another, owner
or deputy says so with a reason; what was approved under the old version is void and asked anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows.actions.base import Effect
from workflows.anew import changed_inputs
from workflows.binding import json_bytes
from workflows.closing import withdrawals
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Json, Part, RunId
from workflows.errors import (
    InputsError,
    NotAllowedError,
    RequestClosedError,
    UnknownWorkflowError,
)
from workflows.exceptions import SLACK, has_asked, owners_of
from workflows.expression import Scope
from workflows.flow import Walk
from workflows.given import bare, named_inputs
from workflows.house import House
from workflows.moves import Do
from workflows.orders import Moved, Moving
from workflows.own_workflows import is_own
from workflows.people import Person
from workflows.portrait import Known, effect_of, starts
from workflows.procedure import Procedures
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import Phase, RunState, Status
from workflows.same_so_far import first_difference, has_begun, steps_changed
from workflows.store import RunRow, Unit
from workflows.telling import trouble_card
from workflows.unseen import is_blank

MAY_MOVE = "Only owner and deputy of the workflow put a run of it on another version."
# In these a run stands until somebody or something else acts.
_STANDS = frozenset({Status.QUEUED, Status.WAITING, Status.EXCEPTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A move as far as it can be judged without the run's lock."""

    order: Moving
    person: Person
    active: Definition
    before: Definition
    after: Definition
    was: Mapping[str, Json]  # The inputs as the run has them,
    inputs: Mapping[str, Json]  # and as the other version reads them.


def may_move(house: House, procedures: Procedures, order: Moving) -> Moved:
    """Return what `move_run` would, and record nothing; no reason is needed.

    Raises:
        InterlockError: as `move_run`.
    """
    wanted = _judged(house, order)
    with house.store.begin() as unit:
        return _told(wanted, changed=_admitted_state(house, procedures, unit, wanted) is not None)


def move_run(house: House, procedures: Procedures, order: Moving) -> Moved:
    """Put a run on another version: steps that have not begun are those of that version.

    The same again changes nothing.

    Raises:
        UnknownRunError, UnknownWorkflowError: there is no such run, or no such version.
        NotAllowedError: this person may not, or the run cannot go on by that version.
        InputsError: a reason is missing, or the inputs do not fit the other version.
        RequestClosedError: the run has ended, does not wait, or was changed meanwhile.
        PeopleUnreadableError: who may could not be read.
    """
    if is_blank(order.reason):
        raise InputsError({"reason": "say why; it stays on record"})
    wanted = _judged(house, order)
    with house.store.begin() as unit:
        state = _admitted_state(house, procedures, unit, wanted)
        if state is not None:
            _record(house, unit, wanted, state)
        return _told(wanted, changed=state is not None)


def _told(wanted: _Wanted, *, changed: bool) -> Moved:
    before, after = wanted.before.version, wanted.after.version
    return Moved(run=wanted.order.run, before=before, version=after, changed=changed)


def _admitted_state(
    house: House, procedures: Procedures, unit: Unit, wanted: _Wanted
) -> RunState | None:
    """Return where the run stands, if it can go on by the other version; None if it does."""
    row = unit.lock_run(wanted.order.run)
    if row.version == wanted.after.version:
        return None
    state = replay(row.id, unit.entries(row.id))
    _refuse_not_agreed(unit, wanted)
    _refuse_news(wanted, row, state)
    _refuse_busy(house, wanted, row, state)
    _refuse_different(procedures, wanted, row, state)
    return state


def _judged(house: House, order: Moving) -> _Wanted:
    row, entries = house.store.history(order.run)
    if is_own(row.workflow):
        raise NotAllowedError("What is proposed here stays as it was proposed.")
    active = house.definitions.active(row.workflow)
    after = house.definitions.version(order.to) if order.to else active
    if after.workflow != row.workflow:
        raise UnknownWorkflowError(f"{after.version[:8]} is no version of {row.workflow}.")
    who = _admitted(house, order, active, after)
    before, state = house.definitions.version(row.version), replay(row.id, entries)
    return _Wanted(
        order=order,
        person=who,
        active=active,
        before=before,
        after=after,
        was=state.inputs,
        inputs=_inputs(house, before, after, state.inputs),
    )


def _admitted(house: House, order: Moving, active: Definition, after: Definition) -> Person:
    """Return who asks, if they answer for the workflow now and did not ask for this run."""
    who = house.deciding(order.person, order.run)
    if who.id not in owners_of(house, active) or not who.counts:
        raise NotAllowedError(MAY_MOVE, hint="Ask one of them; nothing was changed.")
    if _is_destructive(house, after) and has_asked(house, order.run, who):
        raise NotAllowedError(
            "You asked for this run, and what it does cannot be undone, so someone else has to"
            " put it on another version.",
            hint="Owner and deputy of the workflow can.",
        )
    return who


def _is_destructive(house: House, definition: Definition) -> bool:
    """Say whether it, or a workflow that it starts, does what cannot be undone."""
    known = Known(actions=house.actions, find=lambda name: _found(house, name))
    return any(
        effect_of(step, known.actions) in (Effect.DESTRUCTIVE, None)
        for one in (definition, *starts(definition, known.find))
        for step in one.works
    )


def _found(house: House, name: str) -> Definition | None:
    try:
        return house.definitions.active(name)
    except UnknownWorkflowError:
        return None


def _inputs(
    house: House, before: Definition, after: Definition, was: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Return the run's inputs as the other version reads them, with its defaults."""
    given = {name: one for name, one in bare(before.inputs, was).items() if one is not None}
    gone = sorted(given.keys() - after.inputs.keys())
    if gone:
        raise NotAllowedError(
            f"The other version has no input {gone[0]}, and this run was asked for with one.",
            hint="Cancel this run and start another one.",
        )
    read = named_inputs(house, after.inputs, given)
    odd = sorted(changed_inputs(bare(after.inputs, read), given) & given.keys())
    if odd:
        raise InputsError({odd[0]: "the other version reads this value as another one"})
    return read


def _refuse_not_agreed(unit: Unit, wanted: _Wanted) -> None:
    """Refuse a version that was only proposed; one that was active once, people agreed to."""
    after = wanted.after
    if after.version == wanted.active.version:
        return
    if unit.hold_level(after.workflow, after.version) is None:
        raise NotAllowedError(
            f"Version {after.version[:8]} of {after.workflow} was never active: nobody agreed to"
            " it.",
            hint=f"See `interlock history {after.workflow}`.",
        )


def _refuse_news(wanted: _Wanted, row: RunRow, state: RunState) -> None:
    if row.version != wanted.before.version or state.inputs != wanted.was:
        raise RequestClosedError("Somebody changed this run meanwhile.", hint="Look at it again.")


def _refuse_busy(house: House, wanted: _Wanted, row: RunRow, state: RunState) -> None:
    """Refuse a run that does not wait, and one of which something is under way or taken back."""
    if row.status.is_end:
        raise RequestClosedError("This run has ended.", hint="Start another one.")
    if state.cancel_asked or state.is_undoing:
        raise RequestClosedError("This run is being ended.", hint="Start another one.")
    if state.open_intent is not None:
        raise RequestClosedError(
            f"“{wanted.before.shown(state.open_intent)}” is under way or in doubt.",
            hint="Say first what became of it, or wait for its end.",
        )
    moves = Walk(wanted.before).moves(state, now=house.now())
    if any(one.do is Do.END for one in moves):
        raise RequestClosedError("This run is being ended.", hint="Start another one.")
    if row.status not in _STANDS and any(one.do is not Do.WAIT for one in moves):
        raise RequestClosedError("This run is at work just now.", hint="Try again once it waits.")


def _refuse_different(
    procedures: Procedures, wanted: _Wanted, row: RunRow, state: RunState
) -> None:
    hint = "Let it end as it began, or cancel it and start another one."
    difference = first_difference(wanted.before, wanted.after, state)
    if difference:
        raise NotAllowedError(f"{difference}.", hint=hint)
    scope = Scope(inputs=wanted.inputs, run={"id": row.id, "workflow": row.workflow})
    # A run in shadow holds none, by whichever version.
    lock = None if state.is_shadow else procedures.lock_of(wanted.after, scope)
    if lock != row.lock_key:
        raise NotAllowedError(
            "Under the other version the run would need another lock than the one it holds.",
            hint=hint,
        )


def _record(house: House, unit: Unit, wanted: _Wanted, state: RunState) -> None:
    """Take open requests back, begin anew what stopped, and say which version counts now."""
    run, ref = wanted.order.run, unit.ref(wanted.person.id, wanted.person.name)
    actor = Actor(kind=ActorKind.USER, ref=ref)
    for draft in withdrawals(state, reason="moved"):
        record(unit, draft)
    for name in _stopped(wanted, state):
        data: dict[str, Json] = {"step": name, "decision": "retry", "rule": "moved"}
        record(
            unit,
            Draft(kind="decision.made", actor=actor, data=data, run=run),
            trouble_card(run, name, state.step(name)),
        )
    record(unit, _fact(house, wanted, actor))
    # A branch that looks at the world just now does so by the old version: it is superseded.
    unit.claim(run, by=house.name)
    unit.release(run)
    house.dispatcher.enqueue(unit, run)


def _stopped(wanted: _Wanted, state: RunState) -> Sequence[str]:
    """Return the exceptions of steps that have left nothing and that the other version changes."""
    names = [
        name
        for name, one in state.steps.items()
        if one.phase is Phase.EXCEPTION and not has_begun(one)
    ]
    return steps_changed(wanted.before, wanted.after, names)


def _fact(house: House, wanted: _Wanted, actor: Actor) -> Draft:
    order = wanted.order
    data: dict[str, Json] = {
        "workflow": wanted.after.workflow,
        "from": wanted.before.version,
        "to": wanted.after.version,
        **({} if order.via == SLACK else {"via": order.via}),
    }
    parts = {"reason": Part(value=house.redact(order.reason.strip()).encode())}
    if wanted.inputs.keys() != wanted.was.keys():
        parts["input"] = Part(value=json_bytes(dict(wanted.inputs)))
    return Draft(kind="run.moved", actor=actor, data=data, parts=parts, run=RunId(order.run))

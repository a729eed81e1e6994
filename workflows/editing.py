"""Changing what a run asks for while people decide about it.

The edit and the end of the old request are one transaction; reading, planning and asking again
are the run's next segment, so a process that dies between the two has lost nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from workflows.anew import changed_inputs, steps_anew
from workflows.batching import batch_data
from workflows.binding import json_bytes
from workflows.closing import withdrawals
from workflows.credentials import refuse_credential
from workflows.deciding import SHOWN
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Entry, Json, Part, Ref, RequestId
from workflows.errors import (
    InputsError,
    NotAllowedError,
    RequestClosedError,
    StaleRequestError,
)
from workflows.expression import Scope
from workflows.gate import ApprovalRequest, Outcome
from workflows.given import bare
from workflows.house import House
from workflows.how_closed import closed
from workflows.orders import Edit, Edited
from workflows.own_workflows import is_own
from workflows.people import Person
from workflows.procedure import Procedures
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import RunState
from workflows.starting import admit_starter, checked_inputs
from workflows.store import RunRow, Unit
from workflows.superseded import EDITED, edit_of, next_of, stale


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """An edit as far as it can be judged without the run's lock."""

    order: Edit
    definition: Definition
    inputs: Mapping[str, Json]
    person: Person
    is_requester: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What stands in the database, the run's row locked."""

    request: ApprovalRequest
    row: RunRow
    state: RunState
    actor: Actor


def edit(house: House, procedures: Procedures, order: Edit) -> Edited:
    """Take other inputs for a run; its open request is superseded by one with another digest.

    The same edit again changes nothing. Whoever edits is left out of deciding what follows.

    Raises:
        UnknownRunError: there is no such request.
        InputsError, InputsUnreadableError: values that do not fit, or that are what is asked
            for already, or nobody could say just now.
        StaleRequestError: somebody else changed it first.
        RequestClosedError: it is settled, or its time is over.
        NotAllowedError: this person may not change it, or too much has been done.
        SecretError: a secret stands among the values.
        PeopleUnreadableError: who may change it could not be read.
    """
    asked = house.store.request(order.request)
    if order.shown and order.shown != asked.binding[:SHOWN]:
        raise StaleRequestError("This form is about an older version of the request.")
    _refuse_over(house, order)
    definition = house.definitions.version(house.store.run(asked.run).version)
    try:
        wanted = _judged(house, definition, order, requester=Ref(asked.requester))
    except InputsError:
        _refuse_over(house, order, is_repeat=False)  # Nobody mends values for what is over.
        raise
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(order.request)
        entries = unit.entries(row.id)
        ref = unit.ref(wanted.person.id, wanted.person.name)
        actor = Actor(kind=ActorKind.USER, ref=ref)
        found = _Found(request=request, row=row, state=replay(row.id, entries), actor=actor)
        if (earlier := edit_of(entries, request.id)) is not None:
            if _is_same(earlier, found, wanted):
                return Edited(run=row.id, next=next_of(earlier), changed=False)
            raise stale(earlier, unit.name(Ref(earlier.actor.ref)))
        _refuse_closed(unit, request)
        _admit(wanted, found)
        return _record(house, procedures, unit, wanted, found)


def _refuse_over(house: House, order: Edit, *, is_repeat: bool = True) -> None:
    """Refuse an edit that comes too late, whatever its values.

    What somebody changed themselves they may send once more, unless it is known to be another.
    """
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(order.request)
        if request.outcome is not Outcome.SUPERSEDED:
            _refuse_closed(unit, request)
            return
        earlier = edit_of(unit.entries(row.id), request.id)
        name = "" if earlier is None else unit.name(Ref(earlier.actor.ref))
    if earlier is None:
        return
    if not is_repeat or house.store.person(Ref(earlier.actor.ref)) != order.person:
        raise stale(earlier, name)


def _judged(house: House, definition: Definition, order: Edit, *, requester: Ref) -> _Wanted:
    """Return the edit of somebody who may make it; services are not asked for anybody else."""
    if is_own(definition.workflow):
        raise NotAllowedError(
            "What is proposed here is judged as it was proposed, by whoever proposed it.",
            hint="Cancel this run, and propose something else with `interlock publish`.",
        )
    person = house.roles.deciding(order.person, definition.workflow)
    is_requester = house.store.person(requester) == person.id
    if not (is_requester and person.counts):
        admit_starter(house, definition, person)
    inputs = checked_inputs(house, definition, order.inputs)
    refuse_credential(str(inputs))
    return _Wanted(
        order=order,
        definition=definition,
        inputs=inputs,
        person=person,
        is_requester=is_requester,
    )


def _is_same(edited: Entry, found: _Found, wanted: _Wanted) -> bool:
    part = edited.parts.get("input")
    if part is None or part.value is None or edited.actor != found.actor:
        return False
    return not _changed(wanted, json.loads(part.value))


def _changed(wanted: _Wanted, before: Mapping[str, Json]) -> frozenset[str]:
    """Return the inputs that differ; what people or services call things does not count."""
    inputs = wanted.definition.inputs
    return changed_inputs(bare(inputs, before), bare(inputs, wanted.inputs))


def _refuse_closed(unit: Unit, request: ApprovalRequest) -> None:
    if request.outcome is not Outcome.OPEN:
        raise closed(unit, request, hint="Nothing was changed.")
    if unit.now >= request.expires_at:
        raise RequestClosedError("This request has expired.", hint="Start the workflow again.")


def _admit(wanted: _Wanted, found: _Found) -> None:
    """Refuse to change what another run asked for, and whoever could alone have approved it."""
    if found.state.parent is not None:
        raise NotAllowedError(
            "This run was started by another one, which gave it these values.",
            hint="Cancel it, or have it rejected.",
        )
    alone = any(
        len(stage.everybody - {found.actor.ref}) < stage.approve for stage in found.request.stages
    )
    if alone and not wanted.is_requester:
        raise NotAllowedError(
            "Without you too few people could decide, and whoever changes it cannot decide it.",
            hint="Ask the requester to change it.",
        )


def _record(
    house: House, procedures: Procedures, unit: Unit, wanted: _Wanted, found: _Found
) -> Edited:
    """Record the edit, take other open requests back, and have the run go on from there."""
    request, row = found.request, found.row
    again = _begins_anew(procedures, wanted, found)
    following = RequestId(house.new_id())
    for draft in withdrawals(found.state, reason="edited"):
        if draft.data["request"] != request.id:
            record(unit, draft)
    data: dict[str, Json] = {
        "request": request.id,
        "next": following,
        "was": request.binding,
        "binding": None,  # The plan is made later; the request that follows has its own.
        "steps": [*again],
        **batch_data(request),
    }
    parts = {"input": Part(value=json_bytes(dict(wanted.inputs)))}
    record(unit, Draft(kind=EDITED, actor=found.actor, data=data, parts=parts, run=row.id))
    # A branch that works just now does so with the old values: its segment is superseded.
    unit.claim(row.id, by=house.name)
    unit.release(row.id)
    house.dispatcher.enqueue(unit, row.id)
    return Edited(run=row.id, next=following, changed=True)


def _begins_anew(procedures: Procedures, wanted: _Wanted, found: _Found) -> list[str]:
    definition, row = wanted.definition, found.row
    changed = _changed(wanted, found.state.inputs)
    if not changed:
        first = next(iter(definition.inputs), "")
        raise InputsError({first: "nothing is different from what is asked already"})
    scope = Scope(inputs=wanted.inputs, run={"id": row.id, "workflow": row.workflow})
    if procedures.lock_of(definition, scope) != row.lock_key:
        raise NotAllowedError(
            "With these values the run would need another lock than the one it holds.",
            hint="Cancel this run and start another one.",
        )
    return steps_anew(procedures.of(definition), found.state, changed)

"""What a person says about a doubt or an exception, and what follows from it."""

from workflows.actions.base import Effect, Happened
from workflows.binding import json_bytes
from workflows.closing import abort_run, close_run, ending_drafts, stand_down, withdrawals
from workflows.definition import Definition
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Json, Part, Ref, RunId
from workflows.errors import NotAllowedError, PeopleUnreadableError, RequestClosedError
from workflows.flow import Walk
from workflows.house import House
from workflows.instances import is_undo
from workflows.message_keys import CardName
from workflows.moves import Do
from workflows.operators import LOCAL, acting
from workflows.people import CLICK_AGE, Person, PersonId
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import Phase, RunState, StepState
from workflows.settling import named
from workflows.store import Delivery, Due, RunRow, Unit
from workflows.telling import cards_beside, doubt_card, trouble_card

ANSWERS = ("retry", "skip", "abort", "undo")
SLACK = "slack"
MOST_NAMED = 5
MAY_SETTLE = "This is for the owner and the deputy of the workflow, and for the governors."
MAY_CANCEL = "Whoever asked for a run may cancel it, and so may owner and deputy of its workflow."


def settle_doubt(
    house: House,
    about: CardName,
    *,
    person: PersonId,
    happened: Happened,
    reason: str = "",
    via: str = SLACK,
    delivery: Delivery | None = None,
) -> None:
    """Record what a person says about an effect in doubt.

    YES goes on after the effect, NO begins the step again and asks for approval again, UNKNOWN
    ends the run with the doubt on record. `about` names the entry whose card
    they answer; without one it is whatever stands there.

    Raises:
        NotAllowedError: not owner, deputy or governor, or the requester of something destructive.
        RequestClosedError: nothing is in doubt there any more, or not what was asked about.
    """
    run, step, asked_by = about
    who, responsible = _settlers(house, run, person)
    is_requester = has_asked(house, run, who)
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if delivery is not None and unit.is_repeat(delivery):
            return
        state = replay(run, unit.entries(run))
        one = state.step(step)
        if state.ended is not None or one.phase is not Phase.IN_DOUBT:
            _refuse_elsewhere(state, step)
            raise RequestClosedError(_why_certain(one), hint="Nothing was changed.")
        _refuse_earlier(asked_by, one.intended.id if one.intended is not None else "")
        _admit(responsible, who)
        if is_requester:
            _refuse_requester(one)
        actor = _actor(unit, who)
        data: dict[str, Json] = {**named(one), "happened": happened.value, "by": "person"}
        words = house.redact(reason.strip())
        parts = {"evidence": Part(value=json_bytes({"said": words}))} if words else {}
        told = Draft(
            kind="action.resolved", actor=actor, data=data | _way(via), parts=parts, run=run
        )
        record(unit, told, doubt_card(run, one), *cards_beside(told, state))
        if happened is Happened.UNKNOWN and not state.cancel_asked:
            _abort(house, unit, row, _choice(actor, run, step, "abort", via=via))
            return
        house.dispatcher.enqueue(unit, run)


def settle_exception(
    house: House,
    about: CardName,
    *,
    person: PersonId,
    answer: str,
    reason: str = "",
    via: str = SLACK,
    delivery: Delivery | None = None,
) -> None:
    """Record how a person wants a run to go on: retry the step, skip it, abort the run.

    `undo` aborts it and takes back what can be taken back, the last effect first. While that
    goes on, a step of the way there can only be aborted, which stops it. `about`
    names the entry whose card they answer; without one it is whatever stands there.

    Raises:
        NotAllowedError: not owner or deputy of the workflow, and no governor.
        RequestClosedError: the step is no exception any more, or another one, or the run has
            ended.
    """
    run, step, asked_by = about
    who, responsible = _settlers(house, run, person)
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if delivery is not None and unit.is_repeat(delivery):
            return
        state = replay(run, unit.entries(run))
        one = state.step(step)
        is_over = state.ended is not None or one.phase is not Phase.EXCEPTION
        if is_over or answer not in ANSWERS:
            _refuse_elsewhere(state, step)
            raise RequestClosedError(_why_closed(one), hint="Nothing was changed.")
        _refuse_earlier(asked_by, one.trouble)
        if step or answer != "retry":  # Its end can be tried again however that is to be.
            _refuse_ending(state, Walk(house.definitions.version(row.version)), answer)
            _refuse_amid_undoing(state, step, answer)
        _admit(responsible, who)
        words = house.redact(reason.strip())
        chosen = _choice(_actor(unit, who), run, step, answer, via=via, words=words)
        unit.send(trouble_card(run, step, one))
        if answer == "abort":
            _abort(house, unit, row, chosen)
            return
        record(unit, chosen)
        if answer == "undo":
            stand_down(unit, state, reason="aborted")
        house.dispatcher.enqueue(unit, run)


def cancel(house: House, run: RunId, *, person: PersonId, reason: str) -> bool:
    """Cancel a run: at once where nothing is under way, else at its next boundary.

    Returns whether it has ended. False: an effect is under way, in doubt or on its way to
    Slack, and the run ends once that has an end. Cancelling it again changes nothing.

    Raises:
        NotAllowedError: neither the requester nor owner or deputy.
        RequestClosedError: the run has ended.
    """
    who, owners = house.people.person(person), _owners_or_why_not(house, run)
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if row.status.is_end:
            raise RequestClosedError(
                f"This run has ended already: {row.status.words}.", hint="Nothing was changed."
            )
        state = replay(run, unit.entries(run))
        actor = _actor(unit, who)
        if state.requester != actor:
            _admit(owners, who, rule=MAY_CANCEL)
        if state.cancel_asked:
            return False
        record(unit, _cancel_asked(house, state, actor, reason))
        if state.open_intent is not None:
            stand_down(unit, state, reason="cancelled")
            house.dispatcher.enqueue(unit, run)
            return False
        for draft in ending_drafts(state, reason="cancelled"):
            record(unit, draft)
        close_run(unit, row, state)
    return True


def cancel_child(house: House, due: Due) -> None:
    """Cancel a run whose parent has ended: at once, or at its next boundary."""
    child = RunId(due.key)
    with house.store.begin() as unit:
        row = unit.lock_run(child)
        if unit.take_due(due):
            _cancel_by_itself(house, unit, row, rule="parent", ended="parent_ended")


def cancel_overtaken(house: House, run: RunId, *, why: str) -> None:
    """Cancel a run since what it was to replace has been replaced by others."""
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        _cancel_by_itself(house, unit, row, rule="replaced", ended="replaced", why=why)


def _cancel_by_itself(
    house: House, unit: Unit, row: RunRow, *, rule: str, ended: str, why: str = ""
) -> None:
    """Cancel a run without a person: at once, or at its next boundary."""
    if row.status.is_end:
        return
    state = replay(row.id, unit.entries(row.id))
    if state.cancel_asked:
        return  # It ends at its next boundary already.
    data: dict[str, Json] = {"step": _present_step(state), "decision": "cancel", "rule": rule}
    parts = {"reason": Part(value=house.redact(why).encode())} if why else {}
    record(unit, Draft(kind="decision.made", actor=INTERLOCK, data=data, parts=parts, run=row.id))
    if state.open_intent is not None:
        stand_down(unit, state, reason=ended)
        house.dispatcher.enqueue(unit, row.id)
        return
    for draft in ending_drafts(state, reason=ended):
        record(unit, draft)
    close_run(unit, row, state)


def _present_step(state: RunState) -> str:
    return state.open_intent or next(reversed(list(state.steps)), "")


def _cancel_asked(house: House, state: RunState, actor: Actor, reason: str) -> Draft:
    step = _present_step(state)
    data: dict[str, Json] = {"step": step, "decision": "cancel", "rule": "person"}
    words = house.redact(reason.strip()).encode()
    parts = {"reason": Part(value=words)} if words else {}
    return Draft(kind="decision.made", actor=actor, data=data, parts=parts, run=state.id)


def give_up(house: House, run: RunId, *, error_class: str) -> None:
    """Make an exception of a run whose segments died again and again.

    Where nothing but its end is left it is about no step: one that was rejected stays so.
    """
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        state = replay(run, unit.entries(run))
        if row.status.is_end or state.open_intent is not None:
            return  # A doubt is settled first; it has a card of its own.
        definition = house.definitions.version(row.version)
        moves = Walk(definition).moves(state, now=unit.now)
        move = next((one for one in moves if one.do is not Do.WAIT), moves[0])
        step = "" if move.do in (Do.END, Do.CANCEL) else move.step
        if state.step(step).phase is Phase.EXCEPTION:
            unit.release(run)
            return  # Somebody was asked already, and it was tried again meanwhile.
        for draft in withdrawals(state, reason=error_class):
            record(unit, draft)
        data: dict[str, Json] = {"step": step, "decision": "exception", "rule": error_class}
        record(unit, Draft(kind="decision.made", actor=INTERLOCK, data=data, run=run))
        unit.release(run)


def _responsible(house: House, run: RunId, person: PersonId) -> tuple[Person, frozenset[PersonId]]:
    """Return the person, and everybody who owns or deputises for the run's workflow."""
    definition = house.definitions.version(house.store.run(run).version)
    return house.roles.deciding(person, definition.workflow), owners_of(house, definition)


def _settlers(house: House, run: RunId, person: PersonId) -> tuple[Person, frozenset[PersonId]]:
    """Return the person, and who may settle: owner and deputy, or the governors of the policy."""
    who, responsible = _responsible(house, run, person)
    # The governors are read only for somebody else, so that owners never wait for that group.
    if who.id not in responsible:
        for name in house.policy().governors:
            responsible |= house.people.members(name, max_age=CLICK_AGE)
    return who, responsible


def owners_of(house: House, definition: Definition) -> frozenset[PersonId]:
    """Return everybody who owns a workflow or deputises for it."""
    owners = house.people.members(definition.owner, max_age=CLICK_AGE)
    return owners | house.people.members(definition.deputy, max_age=CLICK_AGE)


def _owners_or_why_not(house: House, run: RunId) -> frozenset[PersonId] | PeopleUnreadableError:
    """Return owner and deputy, or why they cannot be read: a requester needs neither."""
    try:
        return owners_of(house, house.definitions.version(house.store.run(run).version))
    except PeopleUnreadableError as error:
        return error


def _admit(
    responsible: frozenset[PersonId] | PeopleUnreadableError, who: Person, *, rule: str = MAY_SETTLE
) -> None:
    if isinstance(responsible, PeopleUnreadableError):
        raise responsible
    if who.id not in responsible or not who.counts:
        raise NotAllowedError(rule, hint="Ask one of them; nothing was changed.")


def _actor(unit: Unit, who: Person) -> Actor:
    return Actor(kind=ActorKind.USER, ref=unit.ref(who.id, who.name))


def has_asked(house: House, run: RunId, who: Person) -> bool:
    """Say whether the run was asked for by this person, be it from an account of the machine."""
    requester = house.store.person(Ref(house.store.run(run).requester))
    if requester is None or not requester.startswith(LOCAL):
        return requester == who.id
    return acting(requester, house.policy(), house.people) == who.id


def _refuse_earlier(asked_by: str, now: str) -> None:
    """Return if the card that was answered is about what stands now; "" leaves it open."""
    if asked_by and asked_by != now:
        raise RequestClosedError(
            "That card was answered already, and the step has stopped once more since.",
            hint="Nothing was changed. Answer the newer card of this thread.",
        )


def _refuse_ending(state: RunState, walk: Walk, answer: str) -> None:
    """Return if an answer leads anywhere: of a run whose end is decided only that is waited for.

    What a run has done before a request of it was rejected can still be taken back.
    """
    refused = None if state.is_undoing or answer == "undo" else walk.refused(state)
    if not state.is_ending and refused is None:
        return
    how = refused.status.words if refused is not None and refused.status is not None else "aborted"
    how = "cancelled" if state.cancel_asked else how
    raise RequestClosedError(
        f"This run was {how} already, so this step does not go on any more.",
        hint="Nothing was changed. The run ends once it is known what became of what is under way.",
    )


def _refuse_amid_undoing(state: RunState, step: str, answer: str) -> None:
    """Return if an answer leads anywhere: what is being undone neither goes on nor begins anew."""
    if not state.is_undoing or answer == "abort":
        return
    if not is_undo(step):
        raise RequestClosedError(
            "This run is being undone, so this step does not go on any more.",
            hint="Nothing was changed. Abort stops the undoing; what was done stays done then.",
        )
    if answer == "undo":
        raise RequestClosedError(
            "This step takes something back itself, and the run is being undone already.",
            hint="Nothing was changed. Retry it, skip it, or abort the rest.",
        )


def _refuse_elsewhere(state: RunState, step: str) -> None:
    """Return if something of that name has begun; who types a name may have mistaken it."""
    if not step or step in state.steps or state.ended is not None:
        return
    waiting = (Phase.EXCEPTION, Phase.IN_DOUBT)
    stopped = sorted(name for name, one in state.steps.items() if name and one.phase in waiting)
    others = f" What has stopped is {', '.join(stopped[:MOST_NAMED])}." if stopped else ""
    raise RequestClosedError(
        f"Nothing called {step} has stopped in this run.", hint=f"Nothing was changed.{others}"
    )


def _why_certain(step: StepState) -> str:
    if step.phase is Phase.EXCEPTION:
        return "This is not in doubt. It has stopped, and goes on by retry, skip, abort or undo."
    return "This is no longer in doubt."


def _why_closed(step: StepState) -> str:
    if step.phase in (Phase.INTENDED, Phase.IN_DOUBT):
        return "Whether this happened is not known yet; that has to be said first."
    return "This is settled already."


def _refuse_requester(step: StepState) -> None:
    effect = step.intended.data.get("effect") if step.intended is not None else None
    if effect == Effect.DESTRUCTIVE:
        raise NotAllowedError(
            "You asked for this destructive step, so someone else has to say what happened.",
            hint="Owner and deputy of the workflow can.",
        )


def _choice(
    actor: Actor, run: RunId, step: str, answer: str, *, via: str, words: str = ""
) -> Draft:
    data: dict[str, Json] = {"step": step, "decision": answer, "rule": "person"}
    parts = {"reason": Part(value=words.encode())} if words else {}
    return Draft(kind="decision.made", actor=actor, data=data | _way(via), parts=parts, run=run)


def _way(via: str) -> dict[str, Json]:
    """Return how an answer came, where it was not by a click."""
    return {} if via == SLACK else {"via": via}


def _abort(house: House, unit: Unit, row: RunRow, chosen: Draft) -> None:
    """Record that a person gave the run up, and end it unless an effect is still under way."""
    record(unit, chosen)
    state = replay(row.id, unit.entries(row.id))
    if state.open_intent is not None:
        stand_down(unit, state, reason="aborted")
        house.dispatcher.enqueue(unit, row.id)
        return
    abort_run(unit, row, state, actor=chosen.actor)

"""Effects: judge the approval by fresh facts, announce, act, record what came of it.

The announcement (`action.intended`) is committed before the effect and its end after it; of
two effects in a row, the end of one and the announcement of the other share a commit. An
effect is never begun on an approval that no longer covers exactly what would run.
"""

import time
from collections.abc import Mapping, Sequence

from workflows.actions.base import Call, Effect
from workflows.announcing import Announcement
from workflows.asking import bound_to, plan_json, plan_of
from workflows.authority import may_still_decide
from workflows.batching import same_batch
from workflows.blast_radius import make_weighed
from workflows.definition_steps import Step
from workflows.entry import Draft, Entry, Json, Part, Ref, RequestId
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    InterlockError,
    NotPerformedError,
    PeopleUnreadableError,
    StorageError,
    TransientReadError,
)
from workflows.holding import held_back, held_unchecked
from workflows.judging import judged
from workflows.moments import moment
from workflows.moves import Do
from workflows.people import EFFECT_AGE
from workflows.quick_json import loaded
from workflows.reading import is_read_again, read_again
from workflows.ready import Ready
from workflows.run import Phase, StepState
from workflows.segment import After, Next, Segment
from workflows.store import Message, Subject


class VoidError(Exception):
    """The approval no longer covers what would run; `code` goes into the entry."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def act_on_approval(segment: Segment, name: str) -> Next:
    """Begin the approved effect of step `name`, unless the approval has become void."""
    state = segment.state.step(name)
    try:
        if (held := held_back(segment, name)) is not None:
            return held
        ready = _judged(segment, name)
    except (PeopleUnreadableError, TransientReadError) as error:
        return held_unchecked(segment, name, error)
    except StorageError:
        raise
    except VoidError as error:
        return _withdraw(segment, state, error)
    except InterlockError as error:
        return _withdraw(segment, state, VoidError("cannot_be_checked", str(error)))
    return act(segment, ready, state)


def _judged(segment: Segment, name: str) -> Ready:
    """Return the step made ready from fresh facts.

    Raises:
        VoidError: the approval does not cover it any more.
        PeopleUnreadableError, TransientReadError: it could not be judged just now.
    """
    step, state = segment.definition.step(name), segment.state.step(name)
    if state.asked is None or state.request is None:
        raise VoidError("no_request", "The approval request is not in the run's history.")
    _check_age(segment, state)
    reads_again = is_read_again(segment, step)
    if reads_again or not segment.action(step).plans_alone:
        # Before the reads, since each of them leaves entries; and after, since they take time.
        _check_authority(segment, state, state.request)
    if reads_again:
        read_again(segment, step)
    if step.when is not None and not _still_holds(segment, name):
        raise VoidError("facts_changed", f"No longer true: {step.when}")
    ready = make_weighed(segment, step)
    _check_binding(segment, ready, state)
    _check_demand(segment, ready, state)
    _check_authority(segment, state, state.request)
    return ready


def _still_holds(segment: Segment, name: str) -> bool:
    when = segment.definition.step(name).when or "true"
    return segment.scopes.before(name).holds(when, segment.scope(name))


def _check_age(segment: Segment, state: StepState) -> None:
    """Refuse an approval that was not used within the time its request was open for."""
    asked, granted = state.asked, state.granted_at
    if asked is None or granted is None:
        return
    window = moment(str(asked.data["expires"])) - asked.at
    if segment.house.now() > granted + window:
        raise VoidError("approval_expired", "The approval was not used in time.")


def _check_binding(segment: Segment, ready: Ready, state: StepState) -> None:
    asked = state.asked
    if asked is None:
        return
    if segment.house.policy().digest != asked.data["policy"]:
        raise VoidError("policy_changed", "The policy has changed since this was asked.")
    fresh = {"args": ready.args, "plan": plan_json(plan_of(segment, ready))}
    parts = {name: _with_salt(segment, asked.parts[name].salt, one) for name, one in fresh.items()}
    if bound_to(segment, ready, args=parts["args"], plan=parts["plan"]) != asked.data["binding"]:
        raise VoidError("plan_changed", "What would run is no longer what was approved.")


def _with_salt(segment: Segment, salt: bytes | None, value: Json) -> Part:
    if salt is None:
        raise VoidError("erased", "What was approved has been erased.")
    return Part(value=segment.part(value).value, salt=salt)


def _check_demand(segment: Segment, ready: Ready, state: StepState) -> None:
    """Refuse an approval where the policy asks for more by now than it did.

    It is the same policy, and the same version; so rules that were gathered then ask for no
    more now.
    """
    if state.is_broken:
        return  # Who decides alone stands in for whatever rules there are.
    verdict, denied = judged(segment, ready)
    demand, asked = verdict.demand, state.asked
    if denied is not None and asked is not None and denied.newest.at > asked.at:
        raise VoidError("denied_meanwhile", "The same was rejected elsewhere since this was asked.")
    known = asked.data.get("rules") if asked is not None else None
    news = [
        rule
        for rule in (demand.rules if demand is not None else ())
        if not isinstance(known, list) or rule not in known
    ]
    if news:
        raise VoidError("demand_grew", f"By now the policy asks for more: {', '.join(news)}.")


def _check_authority(segment: Segment, state: StepState, request: RequestId) -> None:
    """Refuse an approval of somebody who may no longer give it, by what is known just now."""
    if state.glass is not None and state.is_broken:
        _check_breaker(segment, state.glass)
        return
    house = segment.house
    voices = {ref for one in state.approvers for ref in (one.approver, one.place)}
    asked = house.store.asked_now(request, at=house.now(), people=voices)
    barred = asked.request.excluded | asked.acting
    for voice in state.approvers:
        is_barred = not barred.isdisjoint({voice.approver, voice.place})
        if is_barred or not may_still_decide(house, voice, asked):
            raise VoidError("approver_left", "Somebody who approved this may no longer do so.")


def _check_breaker(segment: Segment, used: Entry) -> None:
    who, names = segment.house.store.person(Ref(used.actor.ref)), used.data["people"]
    groups = [str(name) for name in names] if isinstance(names, list) else []
    people = segment.house.people
    if (
        who is None
        or not people.person(who).counts
        or not any(who in people.members(name, max_age=EFFECT_AGE) for name in groups)
    ):
        raise VoidError("approver_left", "Whoever broke the glass may no longer do so.")


def _withdraw(segment: Segment, state: StepState, error: VoidError) -> Next:
    """Record that the approval is void; the step then begins again from the fresh facts."""
    data: dict[str, Json] = {
        "request": state.request,
        "binding": state.asked.data["binding"] if state.asked is not None else None,
        "reason": error.code,
        **same_batch(state.asked),
    }
    words = {"reason": segment.words(error.words)}
    segment.commit(segment.draft("approval.withdrawn", data, words))
    return After.LOOK


def act(segment: Segment, ready: Ready, state: StepState, *, spared: Sequence[Draft] = ()) -> Next:
    """Announce the effect, perform it, record its end.

    `spared` are facts that let it go on without asking anybody; they go with the announcement.
    """
    if (held := held_back(segment, ready.step.id, ready)) is not None:
        return held
    announcement = Announcement(segment, ready, spared)
    announced = _announced(segment, ready, state)
    if ready.action.is_delivered:
        return _hand_over(segment, ready, announced, announcement)
    if announcement.commit(announced) and _is_under_way(segment, ready):
        _record_end(segment, ready, announced, plan=announcement.known_plan)
    return After.LOOK


def _is_under_way(segment: Segment, ready: Ready) -> bool:
    """Say whether there was room for it in every budget."""
    return segment.state.step(ready.step.id).phase is Phase.INTENDED


def _announced(segment: Segment, ready: Ready, state: StepState) -> Draft:
    request = state.request
    binding = state.asked.data["binding"] if request and state.asked is not None else None
    data: dict[str, Json] = {
        "step": ready.step.id,
        "attempt": state.attempt + 1,
        "action": ready.action.name,
        "effect": ready.effect.value,
        "target": ready.target,
        "idem": segment.key(ready.step),
        "binding": binding,
        "request": request,
        **({"once": True} if ready.action.is_once(ready.arguments) else {}),
        **(same_batch(state.asked) if request else {}),
    }
    return segment.draft("action.intended", data, {"args": segment.part(ready.args)})


def _hand_over(
    segment: Segment, ready: Ready, announced: Draft, announcement: Announcement
) -> Next:
    """Leave a message to the outbox: the step is done when it has been delivered."""
    message = Message(
        subject=Subject(ready.action.delivered_as),
        key=segment.key(ready.step),
        run=segment.state.id,
        body=loaded(announced.parts["args"].value),
    )
    rests = segment.is_alone and not announcement.is_limited
    is_left = announcement.commit(announced, then=lambda unit: unit.send(message), rests=rests)
    return After.GONE if is_left and rests else After.LOOK


def _record_end(segment: Segment, ready: Ready, announced: Draft, *, plan: Json) -> None:
    """Perform the effect, held to `plan` if there is one, and record what came of it."""
    named = {name: announced.data[name] for name in ("step", "attempt", "idem")}
    started = time.monotonic()
    try:
        output = ready.action.perform(ready.arguments, _call(segment, ready, plan))
    except InDoubtError as error:
        doubt = segment.draft("action.in_doubt", {**named, "cause": error.error_class})
        _commit_outcome(segment, doubt)
    except ActionError as error:
        _commit_outcome(segment, _failure(segment, named, error))
    else:
        data = {**named, "ms": round((time.monotonic() - started) * 1000)}
        cls = ready.step.cls or ready.action.output_class
        part = segment.part(output.model_dump(mode="json"), cls=cls)
        segment.note_outcome(segment.draft("action.executed", data, {"output": part}))
        if not _goes_straight_on(segment):
            segment.commit()


def _goes_straight_on(segment: Segment) -> bool:
    """Say whether another effect begins now, as far as the definition alone can tell."""
    if not segment.is_alone:
        return False
    move, *others = segment.walk.moves(segment.state, now=segment.house.now())
    step = segment.definition.form(move.step) if move.step else None
    if others or move.do is not Do.BEGIN or not isinstance(step, Step):
        return False
    action = segment.house.actions.get(step.uses)
    return action is not None and action.effect is not Effect.READ and step.approval is None


def _commit_outcome(segment: Segment, draft: Draft) -> None:
    segment.note_outcome(draft)
    segment.commit()


def _call(segment: Segment, ready: Ready, plan: Json) -> Call:
    return segment.call(ready.step, ready.step, effect=ready.effect, approved=plan)


def _failure(segment: Segment, named: Mapping[str, Json], error: ActionError) -> Draft:
    partly = isinstance(error, ActionFailedError) and error.partly
    data: dict[str, Json] = {
        **named,
        "error_class": error.error_class,
        "performed": "partly" if partly else "no",
        "again": isinstance(error, NotPerformedError | TransientReadError),
    }
    return segment.draft("action.failed", data, {"reason": segment.words(str(error))})

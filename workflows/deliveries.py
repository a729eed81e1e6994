"""What the outbox reports back: a step's message was delivered, or cannot be."""

from workflows.batching import batch_in, same_batch
from workflows.binding import json_bytes
from workflows.entry import INTERLOCK, Draft, Json, Part, RequestId, RunId
from workflows.house import House
from workflows.recorder import record
from workflows.replay import replay
from workflows.run import Phase, RunState, StepState
from workflows.settling import named
from workflows.telling import cards_beside

_ASKED = frozenset({Phase.ASKED, Phase.APPROVED, Phase.QUESTIONED})


def delivered(house: House, run: RunId, step: str, *, output: Json) -> None:
    """Record that a `slack.*` step is done. Reporting it twice changes nothing."""
    with house.store.begin() as unit:
        unit.lock_run(run)
        state = replay(run, unit.entries(run))
        one = state.step(step)
        if one.phase is not Phase.INTENDED:
            return
        data: dict[str, Json] = {**named(one), "ms": _waited(house, one)}
        part = Part(value=json_bytes(output))
        told = Draft(
            kind="action.executed", actor=INTERLOCK, data=data, parts={"output": part}, run=run
        )
        record(unit, told, *cards_beside(told, state))
        house.dispatcher.enqueue(unit, run)


def _waited(house: House, step: StepState) -> int:
    if step.changed_at is None:
        return 0
    return max(0, round((house.now() - step.changed_at).total_seconds() * 1000))


def undeliverable(
    house: House, run: RunId, *, error_class: str, step: str | None, request: RequestId | None
) -> None:
    """Record that people could not be asked or told, so the step does not run."""
    with house.store.begin() as unit:
        row = unit.lock_run(run)
        if row.status.is_end:
            return
        state = replay(run, unit.entries(run))
        for draft in _undelivered(state, error_class, step=step, request=request):
            record(unit, draft, *cards_beside(draft, state))
        house.dispatcher.enqueue(unit, run)


def _undelivered(
    state: RunState, error_class: str, *, step: str | None, request: RequestId | None
) -> list[Draft]:
    if request is not None:
        return _unasked(state, error_class, request)
    one = state.step(step or "")
    if one.phase is not Phase.INTENDED:
        return []
    data: dict[str, Json] = {
        **named(one),
        "error_class": error_class,
        "performed": "no",
        "again": False,
    }
    return [Draft(kind="action.failed", actor=INTERLOCK, data=data, run=state.id)]


def _unasked(state: RunState, error_class: str, request: RequestId) -> list[Draft]:
    """Return the end of a request nobody could be shown, and the exception it makes.

    The card of a batch shows all its requests.
    """
    unseen = [
        (name, one)
        for name, one in state.steps.items()
        if request in (one.request, batch_in(one.asked)) and one.phase in _ASKED
    ]
    return [draft for name, one in unseen for draft in _unseen(state, error_class, name, one)]


def _unseen(state: RunState, error_class: str, name: str, one: StepState) -> list[Draft]:
    trouble: dict[str, Json] = {"step": name, "decision": "exception", "rule": error_class}
    stopped = Draft(kind="decision.made", actor=INTERLOCK, data=trouble, run=state.id)
    if one.phase is Phase.QUESTIONED:
        return [stopped]
    withdrawn: dict[str, Json] = {
        "request": one.request,
        "binding": one.asked.data["binding"] if one.asked is not None else None,
        "reason": "undeliverable",
        **same_batch(one.asked),
    }
    return [
        Draft(kind="approval.withdrawn", actor=INTERLOCK, data=withdrawn, run=state.id),
        stopped,
    ]

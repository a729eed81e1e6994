"""What becomes of runs once everybody does their part, and what must not be left of them then."""

from collections.abc import Sequence

from storage.database import Database
from tests.properties.office import Office
from workflows.definition import Definition
from workflows.definition_steps import Undo
from workflows.entry import Entry, RunId
from workflows.instances import is_undo, undone_by
from workflows.replay import replay
from workflows.run import Phase, RunState
from workflows.store import DueKind, Subject

# What only runs that go on may have, and how it is counted.
LEFT_BEHIND = {
    "due": "SELECT kind, key FROM due",
    "lock": "SELECT key, run_id FROM run_lock",
    "place": "SELECT key, run_id FROM run_place",
    "queue": "SELECT key, run_id FROM lock_queue",
    "request": "SELECT id, step FROM approval_request WHERE outcome = 'open'",
    "awaited": "SELECT id, ref FROM awaited",
    "work": "SELECT id, status FROM run WHERE ready_at IS NOT NULL OR claimed_at IS NOT NULL",
}
BEGINS = frozenset({"action.intended", "question.asked", "approval.requested", "wait.started"})


def left_behind(database: Database) -> list[str]:
    """Return what is left although every run has ended and all time has passed."""
    with database.read() as connection:
        return [
            f"{what}: {tuple(row)}"
            for what, query in LEFT_BEHIND.items()
            for row in connection.exec_driver_sql(query)
        ]


def check_standing(office: Office, run: RunId) -> None:
    """Raise AssertionError unless a run that goes on is waited for, or goes on by itself.

    By itself: a due-row looks at it again, or another run that goes on does once it ends. Else
    somebody is asked, and has a card to answer.
    """
    entries = office.house.entries(run)
    state = replay(run, entries)
    if state.ended is not None:
        return
    with office.database.read() as connection:
        queued = connection.exec_driver_sql("SELECT run_id FROM lock_queue").scalars().all()
        ready = connection.exec_driver_sql(
            "SELECT id FROM run WHERE ready_at IS NOT NULL OR claimed_at IS NOT NULL"
        )
        works = ready.scalars().all()
    assert run not in works, "everything was worked off, and it is still to be looked at"
    wakes = [one for one in office.house.due(run) if one.kind is DueKind.WAKE]
    reasons = [
        run in queued,
        bool(wakes),
        any(is_waited_for(office, state, name) for name in state.marked),
    ]
    assert any(reasons), {name: one.value for name, one in state.marked.items()}


def is_waited_for(office: Office, state: RunState, name: str) -> bool:
    """Say whether somebody has a card to answer about a step, or its own run goes on."""
    one, outbox = state.step(name), office.store.outbox
    match one.phase:
        case Phase.ASKED if one.request is not None:
            asked = office.store.request(one.request)
            card = outbox.find(Subject.CARD, asked.batch or one.request)
            return asked.outcome.value == "open" and card is not None
        case Phase.QUESTIONED:
            return outbox.find(Subject.QUESTION, f"{state.id}/{one.request}") is not None
        case Phase.EXCEPTION:
            return (
                outbox.find(Subject.TROUBLE, f"{state.id}/{name}/{one.trouble}") is not None
                and not state.is_ending
            )
        case Phase.IN_DOUBT | Phase.INTENDED if one.intended is not None:
            key = f"{state.id}/{name}"
            asks = outbox.find(Subject.DOUBT, f"{key}/{one.intended.id}")
            return asks is not None or outbox.find(Subject.POST, key) is not None
        case Phase.CALLED if one.child is not None:
            return not office.store.run(one.child).status.is_end
    return False


def check_undoing(definition: Definition, entries: Sequence[Entry]) -> None:
    """What was done is taken back in reverse, once, and nothing else begins meanwhile."""
    chosen = next((one.rseq for one in entries if one.data.get("decision") == "undo"), None)
    undone = [name for name, _ in happened(entries) if is_undo(name)]
    if chosen is None:
        assert undone == []
        return
    began = [one for one in entries[chosen:] if one.kind in BEGINS]
    assert all(is_undo(str(one.data["step"])) for one in began), [one.kind for one in began]
    first = dict(reversed(happened(entries)))
    taken = [undone_by(name) for name in dict.fromkeys(undone)]
    assert all(name in first for name in taken)
    assert all(isinstance(definition.step(name).undo, Undo) for name in taken)
    places = [first[name] for name in taken]
    assert places == sorted(places, reverse=True), taken


def happened(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    """Return the steps whose effect happened, with the place of the entry that says so."""
    return [
        (str(one.data["step"]), one.rseq)
        for one in entries
        if one.kind == "action.executed"
        or (one.kind == "action.resolved" and one.data["happened"] == "yes")
    ]

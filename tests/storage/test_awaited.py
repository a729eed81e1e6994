"""Whom an open request or question waits for: those whose turn it is, and nobody else."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

import storage.migrations
from storage.awaited import heal
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.storage.run_drafts import (
    ANA,
    BEN,
    NOON,
    RITA,
    fact,
    finished,
    new_run,
    requested,
    started,
    user,
    verdict,
)
from workflows.entry import Draft, Json, RunId

CARL = user("s:" + "d" * 32)
QUESTION = fact(
    "question.asked",
    request="k1",
    step="ask",
    people=[ANA.ref, CARL.ref],
    expires="2026-03-02T15:00:00.000Z",
)
ESCALATED = fact(
    "approval.escalated", request="q1", to=[CARL.ref], n=1, groups=["@more"], stages=[0]
)
ANSWERED = fact("question.answered", actor=CARL, request="k1", step="ask")


def staged(*people: Sequence[str], approve: int = 1, turns: Sequence[int] = ()) -> Draft:
    """Return a request whose stages these people decide, one after the other or in `turns`."""
    stages: list[Json] = [
        {"from": [f"@{number}"], "approve": approve, "deny": 1, "people": list(some)}
        | ({"turn": turns[number]} if turns else {})
        for number, some in enumerate(people)
    ]
    asked = requested()
    return replace(asked, data={**asked.data, "stages": stages})


def record(store: SqlStore, *drafts: Draft) -> None:
    for draft in drafts:
        with store.begin() as unit:
            if draft.kind == "run.started":
                unit.add_run(new_run(str(draft.run)))
            unit.append(draft)


def waits_for(store: SqlStore, ident: str = "q1") -> set[str]:
    with store.database.glance() as tx:
        found = tx.run("SELECT ref FROM awaited WHERE id = ?", (ident,)).fetchall()
    return {one[0] for one in found}


def test_a_request_waits_for_those_who_were_asked_and_not_for_whom_it_excludes(
    store: SqlStore,
) -> None:
    record(store, started(), requested(people=(ANA.ref, BEN.ref, RITA.ref)))

    assert waits_for(store) == {ANA.ref, BEN.ref}


def test_whoever_has_spoken_is_not_waited_for_any_more(store: SqlStore) -> None:
    record(store, started(), staged((ANA.ref, BEN.ref), approve=2))
    record(store, verdict("granted", settles=False))

    assert waits_for(store) == {BEN.ref}


def test_whose_place_a_stand_in_decided_is_not_waited_for_any_more(store: SqlStore) -> None:
    record(store, started(), staged((ANA.ref, BEN.ref), approve=2))
    given = verdict("granted", by=CARL, settles=False)
    record(store, replace(given, data={**given.data, "for": ANA.ref}))

    assert waits_for(store) == {BEN.ref}
    assert check_projections(store.database) == []


def test_a_later_stage_is_waited_for_once_it_is_its_turn(store: SqlStore) -> None:
    record(store, started(), staged((ANA.ref, BEN.ref), (BEN.ref, CARL.ref)))
    before = waits_for(store)
    record(store, verdict("granted", by=BEN, settles=False))

    assert before == {ANA.ref, BEN.ref}
    assert waits_for(store) == {CARL.ref}


def test_parts_that_are_decided_side_by_side_are_waited_for_together(store: SqlStore) -> None:
    record(store, started(), staged((ANA.ref,), (BEN.ref,), (CARL.ref,), turns=(0, 0, 1)))
    before = waits_for(store)
    record(store, verdict("granted", settles=False))

    assert before == {ANA.ref, BEN.ref}
    assert waits_for(store) == {BEN.ref}
    assert check_projections(store.database) == []


def test_whom_an_escalation_let_in_is_waited_for_too(store: SqlStore) -> None:
    record(store, started(), staged((ANA.ref,), (BEN.ref,)), ESCALATED)

    assert waits_for(store) == {ANA.ref, CARL.ref}
    assert check_projections(store.database) == []


@pytest.mark.parametrize(
    "end",
    [
        verdict("granted"),
        verdict("denied"),
        fact("approval.expired", request="q1", binding="b", have=0, need=1),
        fact("approval.withdrawn", request="q1", binding="b", reason="cancelled"),
    ],
    ids=lambda one: str(one.kind),
)
def test_a_settled_request_waits_for_nobody(store: SqlStore, end: Draft) -> None:
    record(store, started(), requested(), end)

    assert waits_for(store) == set()
    assert check_projections(store.database) == []


def test_a_refusal_says_nothing_of_whom_a_request_waits_for(store: SqlStore) -> None:
    """It does not hold the run, so it would write down what somebody changes at that moment."""
    refused = {"request": "q1", "by_run": "r1", "decision": "approved", "why": "excluded"}
    record(store, started(), requested(people=(ANA.ref, BEN.ref)))
    with store.database.begin() as tx:
        tx.run("DELETE FROM awaited WHERE ref = ?", (ANA.ref,))
    fact_outside = Draft(
        kind="approval.refused", actor=CARL, data={**refused, "via": "slack", "slack": None}
    )
    record(store, fact_outside)

    assert waits_for(store) == {BEN.ref}


def test_a_question_waits_until_the_first_answer(store: SqlStore) -> None:
    record(store, started(), QUESTION)
    before = waits_for(store, "k1")
    record(store, ANSWERED)

    assert before == {ANA.ref, CARL.ref}
    assert waits_for(store, "k1") == set()


def test_the_end_of_a_run_ends_its_questions(store: SqlStore) -> None:
    record(store, started(), QUESTION, finished(outcome="aborted"))

    assert waits_for(store, "k1") == set()
    assert check_projections(store.database) == []


def test_each_row_says_until_when_and_of_which_run(store: SqlStore) -> None:
    record(store, started(), requested(expires=NOON + timedelta(hours=2)), QUESTION)

    with store.database.read() as connection:
        found = connection.execute(text("SELECT id, run_id, is_question FROM awaited ORDER BY id"))
        rows = {(one.id, one.run_id, bool(one.is_question)) for one in found}
    assert rows == {("k1", RunId("r1"), True), ("q1", RunId("r1"), False)}
    assert check_projections(store.database) == []


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ("DELETE FROM awaited WHERE id = 'q1'", "is missing"),
        ("UPDATE awaited SET ref = 's:0' WHERE ref LIKE 's:b%'", "has no entry"),
        ("UPDATE awaited SET is_question = NOT is_question", "is_question"),
    ],
)
def test_a_row_that_does_not_follow_from_the_entries_is_named(
    store: SqlStore, lie: str, told: str
) -> None:
    record(store, started(), requested())
    with store.database.begin() as tx:
        tx.connection.execute(text(lie))

    assert any(told in str(one) for one in check_projections(store.database))


def muddled(store: SqlStore) -> None:
    """Leave the table as a process of the release before leaves it: without a word."""
    record(store, started(), staged((ANA.ref, BEN.ref), (CARL.ref,), approve=1), QUESTION)
    record(store, verdict("granted", settles=False), started("r2"), requested("r2", request="q2"))
    with store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM awaited WHERE is_question = (0 = 1)"))


def test_what_a_process_of_the_release_before_did_is_made_up_for(store: SqlStore) -> None:
    muddled(store)
    record(store, started("r3"), requested("r3", request="q3"))
    with store.database.begin() as tx:
        settled = "UPDATE approval_request SET outcome = 'expired', settled_at = raised_at"
        tx.connection.execute(text(f"{settled} WHERE id = 'q3'"))

    healed = heal(store.database)

    assert healed == 3
    assert waits_for(store) == {CARL.ref}
    assert waits_for(store, "q2") == {ANA.ref, BEN.ref}
    assert waits_for(store, "q3") == set()


def test_the_migration_says_of_everything_open_whom_it_waits_for(store: SqlStore) -> None:
    muddled(store)
    record(store, started("r5"), _of("r5", "q5", staged((ANA.ref,), (BEN.ref,), turns=(0, 0))))
    record(store, _of("r5", "q5", ESCALATED))
    with store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM awaited"))
        migration().fill(tx.connection)

    assert check_projections(store.database) == []


def _of(run: str, request: str, draft: Draft) -> Draft:
    """Return the same of another run."""
    return replace(draft, run=RunId(run), data={**draft.data, "request": request})


def migration() -> ModuleType:
    folder = Path(next(iter(storage.migrations.__path__))) / "versions"
    spec = importlib.util.spec_from_file_location("adds_homes", folder / "0014_add_homes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

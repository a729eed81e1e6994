"""Nothing on the way of a click, a step, a message or a report reads a whole table."""

import re
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import event, text

from storage import shadow_sql, soak_sql
from storage.approval_figures import read_approvals
from storage.catalog_figures import GoingOn, going_on, went
from storage.catalog_history import (
    code_of_versions,
    count_told,
    told_active,
    told_of,
    versions_had,
    was_changed_by,
)
from storage.database import Database, open_database
from storage.enrolment import verifier_keys
from storage.figures import read_standing, read_sums
from storage.history import read_run
from storage.listing import Wanted, list_runs
from storage.outbox_values import MessagePlace
from storage.refusals import read_beside
from storage.run_models import ActiveDefinitionRecord, DefinitionRecord, RunRecord
from storage.store import SqlStore
from storage.tokens import note_use, token_named, token_of
from storage.trouble_figures import read_failures
from tests.storage.run_drafts import (
    NOON,
    VERSION,
    executed,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from workflows.entry import Ref, RequestId, RunId
from workflows.people import PersonId
from workflows.store import Delivery, Due, DueKind, Message, Subject

RUN = RunId("r1")
# One row each, or the index of the queue itself, in its order; the rows of an INSERT are no table,
# nor are the values of a list in a row, which SQLite reads as a virtual one.
READ_WHOLE = re.compile(
    r"SCAN (?!\w+ (?:USING|VIRTUAL TABLE)|\d+ CONSTANT ROWS?\b|audit_tree|audit_checkpoint)\w+"
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite says beforehand how it will read; the indexes are the same on Postgres."""
    return sqlite_url


def walk(store: SqlStore) -> None:
    """Do everything once that a run does from its start to its end."""
    due = Due(kind=DueKind.WAKE, key="r1", run=RUN, at=NOON)
    with store.begin() as unit:
        unit.is_repeat(Delivery(team="T0", kind="command", key="1"))
        unit.run_started_as("k")
        unit.add_run(new_run("r1", start_key="k"))
        unit.append(started("r1"))
        unit.take_lock("order/1", RUN)
        unit.mark_ready(RUN)
        unit.send(Message(subject=Subject.ROOT, key="r1", run=RUN))
        unit.send(Message(subject=Subject.CARD, key="q1", run=RUN))
    with store.begin() as unit:
        unit.claim(RUN, by="here")
        unit.entries(RUN)
        unit.append(requested())
        unit.set_due(due)
    with store.begin() as unit:
        unit.lock_run_of(RequestId("q1"))
        unit.decisions(RequestId("q1"))
        unit.append(verdict("granted"))
    with store.begin() as unit:
        unit.lock_run(RUN, people=[PersonId("slack:T0:U0ANA")], ends=True)
        unit.open_request(RUN)
        unit.take_due(due)
        for draft in (intended(), executed(), finished()):
            unit.append(draft)
        unit.pass_lock("order/1", RUN)
        unit.clear_due(RUN)
    for number, row in enumerate(store.outbox.claim_messages(by="here", limit=5)):
        place = MessagePlace(channel="C0OPS", ts=f"{number}.0")
        store.outbox.mark_delivered(row.id, done=row.wanted, place=place)
    store.outbox.mark_failed(2, error="gone")


def look(store: SqlStore) -> None:
    """Read what the clock, the sweep and the clicks read."""
    store.due(until=NOON, limit=10)
    store.next_due()
    store.standing(claimed_before=NOON, limit=10)
    store.request(RequestId("q1"))
    store.asked_now(
        RequestId("q1"), at=NOON, people={Ref("s:a")}, stand_in=PersonId("slack:T0:U0ANA")
    )
    store.shaping_now({VERSION}, at=NOON, people={Ref("s:a")})
    store.started_as("k")
    token_of(store.database, "d" * 64)
    token_named(store.database, "ci")
    note_use(store.database, "ci", at=NOON)
    store.outbox.next_moment()
    store.outbox.request_at("C0OPS", "0.0")
    store.outbox.place_of(Subject.ROOT, "r1")


def plans(database: Database, statements: list[str]) -> dict[str, str]:
    with database.begin() as tx:
        driver: sqlite3.Connection = tx.driver
        return {
            one: "; ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {one}"))
            for one in statements
            if one.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
        }


@contextmanager
def read(database: Database) -> Iterator[list[str]]:
    """Give every statement that is sent meanwhile over the connection that readers share."""
    said: list[str] = []
    with database.read() as connection:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(said.append)
    yield said
    driver.set_trace_callback(None)


@contextmanager
def glanced(database: Database) -> Iterator[list[str]]:
    """Give every statement that is sent meanwhile in a glance."""
    said: list[str] = []
    real = database.glance

    def traced() -> object:
        with real() as tx:
            tx.driver.set_trace_callback(said.append)
        return real()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "glance", traced)
        yield said


def test_every_statement_of_a_run_reads_by_an_index(store: SqlStore) -> None:
    said: list[str] = []
    with store.database.begin() as tx:
        tx.driver.set_trace_callback(said.append)
    walk(store)
    with store.database.begin() as tx:
        tx.driver.set_trace_callback(None)

    found = plans(store.database, said)

    assert len(found) > 30
    assert {one: plan for one, plan in found.items() if READ_WHOLE.search(plan)} == {}


def test_every_look_of_clock_sweep_and_clicks_reads_by_an_index(store: SqlStore) -> None:
    walk(store)
    with glanced(store.database) as said:
        look(store)

    found = plans(store.database, said)

    assert len(found) >= 7
    assert {one: plan for one, plan in found.items() if READ_WHOLE.search(plan)} == {}


def test_the_health_of_a_period_is_read_by_its_moments(store: SqlStore) -> None:
    walk(store)
    with read(store.database) as said, store.database.read() as connection:
        read_approvals(connection, since=NOON, until=NOON + timedelta(days=30))
        read_failures(connection, since=NOON, until=NOON + timedelta(days=30))
        read_standing(connection, now=NOON)

    found = plans(store.database, said)

    assert len(found) == 8
    assert {one: plan for one, plan in found.items() if READ_WHOLE.search(plan)} == {}
    assert sum("ix_decision_decided_at" in plan for plan in found.values()) == 3
    assert sum("ix_audit_entry_counted" in plan for plan in found.values()) == 2


@pytest.mark.parametrize(
    "of",
    [{"among": frozenset({"a", "b"})}, {"workflow": "a"}, {"requester": PersonId("slack:T0:U0A")}],
)
def test_what_waits_for_a_person_is_found_among_what_waits(
    store: SqlStore, of: dict[str, Any]
) -> None:
    walk(store)
    with read(store.database) as said:
        found = list_runs(store.database, Wanted(is_troubled=True, **of))
    plan = "; ".join(plans(store.database, said).values())

    assert found == []
    assert any(one in plan for one in ("ix_run_troubled", "ix_run_status_started_at (status=?)"))
    assert "ix_run_workflow_started_at" not in plan
    assert "ix_run_requester_started_at" not in plan
    assert READ_WHOLE.search(plan) is None


def test_runs_of_some_workflows_are_found_among_the_newest_of_each(store: SqlStore) -> None:
    rows = [a_row(f"r{n}", "abc"[n % 3], "1", "ana") for n in range(9)]
    moments = [NOON + timedelta(minutes=n // 3) for n in range(9)]
    with store.database.engine.begin() as connection:
        connection.execute(
            RunRecord.__table__.insert(),
            [one | {"started_at": at} for one, at in zip(rows, moments, strict=True)],
        )
        connection.execute(
            DefinitionRecord.__table__.insert(),
            {
                "version": "1",
                "workflow": "a",
                "canonical": "{}",
                "published_at": NOON,
                "published_by": "x",
            },
        )
        connection.execute(
            ActiveDefinitionRecord.__table__.insert(),
            [
                {"workflow": one, "version": "1", "level": "trial", "activated_at": NOON}
                for one in "abc"
            ],
        )
    with read(store.database) as said:
        found = list_runs(store.database, Wanted(among=frozenset("ac")), most=3)
    plan = "; ".join(plans(store.database, said).values())

    assert [one.id for one in found] == ["r6", "r8", "r3"]
    assert "COVERING INDEX ix_run_workflow_started_at (workflow=? AND started_at>?)" in plan


def test_runs_that_ended_are_counted_without_keeping_them(store: SqlStore) -> None:
    ended = {"status": "done", "outcome": "done", "finished_at": NOON}
    with store.database.engine.begin() as connection:
        connection.execute(
            RunRecord.__table__.insert(),
            [a_row(f"r{n}", "a", "1", "ana") | ended for n in range(2_000)],
        )
    period = {"since": NOON, "until": NOON + timedelta(days=7)}
    with store.database.read() as connection:
        read_sums(connection, **period)  # What it loads is no memory of runs.
        tracemalloc.start()
        found = read_sums(connection, **period)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert found.done == 2_000
    assert most < 80_000


def test_what_somebody_typed_a_moment_ago_is_found_by_the_moment(store: SqlStore) -> None:
    wanted = Wanted(requester=PersonId("slack:T0:U0A"), workflow="a", since=NOON)
    with read(store.database) as said:
        list_runs(store.database, wanted)

    assert "(requester=? AND started_at>?)" in "".join(plans(store.database, said).values())


def ask_outside(store: SqlStore) -> None:
    """Read on the way of a start, a list or a timeline what stands outside of runs."""
    told_active(store.database, "tidy-up")
    list(versions_had(store.database, "tidy-up"))
    code_of_versions(store.database)
    was_changed_by(store.database, "tidy-up", "r1")
    with store.database.read() as connection:
        told_of(connection, "tidy-up", owns=["publish"], most=5)
        count_told(connection, "tidy-up", owns=["publish"])
        verifier_keys(connection)
        read_beside(connection, "r1", of=read_run(connection, "r1"))


def test_what_stands_outside_of_runs_is_not_read_as_if_it_were_one_run(store: SqlStore) -> None:
    walk(store)
    with read(store.database) as said:
        ask_outside(store)

    found = {
        one: plan for one, plan in plans(store.database, said).items() if "run_id IS NULL" in one
    }
    beside = found.pop(next(one for one in found if "step_up.refused" in one))

    assert len(found) == 7
    assert {one: plan for one, plan in found.items() if "outside_runs (kind=?" not in plan} == {}
    assert {one: plan for one, plan in found.items() if READ_WHOLE.search(plan)} == {}
    assert beside.count("ix_audit_entry_about (<expr>=?)") == 3


def test_on_postgres_too_what_is_told_of_a_run_is_found_by_its_name(postgres_url: str) -> None:
    said: list[tuple[str, Any]] = []
    with closing(open_database(postgres_url)) as database, database.read() as connection:
        event.listen(
            connection.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, values, *_: said.append((statement, values)),
        )
        read_beside(connection, "r1", of=[])
        statement, values = said[0]
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # Nothing stands there yet.
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()

    assert "ix_audit_entry_about" in str(plan)


@pytest.mark.parametrize("asked", [soak_sql, shadow_sql])
def test_how_a_version_went_is_read_from_when_it_was_published_on(
    store: SqlStore, asked: ModuleType
) -> None:
    (plan,) = plans(store.database, [asked._RUNS.replace("?", "'9'")]).values()  # noqa: SLF001 - its way is the subject.

    assert "ix_run_workflow_started_at (workflow=? AND started_at>?)" in plan


def test_what_goes_on_by_which_version_is_counted_from_an_index_alone(store: SqlStore) -> None:
    walk(store)
    with glanced(store.database) as said:
        going_on(store.database, named=5)

    (plan,) = plans(store.database, said).values()

    assert "USING COVERING INDEX ix_run_version_going" in plan


def test_how_runs_went_is_counted_from_an_index_alone(store: SqlStore) -> None:
    walk(store)
    with read(store.database) as said:
        went(store.database, since=NOON)
    plan = "; ".join(plans(store.database, said).values())

    assert "COVERING INDEX ix_run_went (workflow=? AND outcome=? AND finished_at>?)" in plan


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
def test_of_each_version_come_back_all_runs_and_a_few_who_asked_for_the_most(
    url: str, request: pytest.FixtureRequest
) -> None:
    database = open_database(str(request.getfixturevalue(url)))
    asked = [("a", "1", "ana")] + [("a", "2", who) for who in ("ben", "ana", "cara", "ben", "cara")]
    with database.engine.begin() as connection:
        connection.execute(
            RunRecord.__table__.insert(),
            [a_row(f"r{number}", *one) for number, one in enumerate([*asked, ("b", "3", "ben")])],
        )

    found = going_on(database, named=2)
    database.close()

    assert found == {
        "a": [
            GoingOn(version="2", runs=5, requesters=(Ref("ben"), Ref("cara"))),
            GoingOn(version="1", runs=1, requesters=(Ref("ana"),)),
        ],
        "b": [GoingOn(version="3", runs=1, requesters=(Ref("ben"),))],
    }


def a_row(run: str, workflow: str, version: str, requester: str) -> dict[str, object]:
    return {
        "id": run,
        "workflow": workflow,
        "version": version,
        "requester": requester,
        "requester_kind": "user",
        "status": "waiting",
        "trigger": "slack",
        "started_at": NOON,
        "tail_rseq": 0,
        "tail_leaf": bytes(32),
        "channel": "C0OPS",
        "epoch": 0,
        "segments_died": 0,
    }

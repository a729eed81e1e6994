"""Many threads, several processes, and a process that is killed: the log stays whole."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from storage import sequencing
from storage.audit_models import AuditEntryRow
from storage.database import Database, open_database
from storage.history import read_run
from storage.journal import Journal
from storage.log_setup import init_log
from storage.sequencing import lock_number, sequence_pending
from storage.trail_sql import Standing, TrailSql, Waiting
from storage.verify import verify_database
from tests.storage.appender import PHASES, Fuse, append_run
from workflows.entry import RunId

ROOT = Path(__file__).parents[2]
ORIGIN = "interlock.example/audit/T0ABC"


def appender(url: str, home: Path, name: str, count: int, *fuse: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.appender", url, str(home), name, str(count), *fuse],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> list[str]:
    out, _err = process.communicate(timeout=90)
    return out.split()


def places(database: Database) -> list[int | None]:
    with database.read() as connection:
        return list(
            connection.execute(select(AuditEntryRow.idx).order_by(AuditEntryRow.idx)).scalars()
        )


def pin(journal: Journal) -> list[str]:
    return [journal.sequencer.signers[0].vkey]


def test_eight_threads_leave_no_gap(
    database_url: str, database: Database, journal: Journal
) -> None:
    def work(name: str) -> None:
        for number in range(12):
            append_run(database, journal, RunId(f"{name}-{number}"), Fuse())

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sequence_pending(database, journal.sequencer)
    report = verify_database(database_url, pin(journal), processes=1)

    assert places(database) == list(range(1 + 8 * 12 * 2))
    assert (report.exit, report.failures, report.semantics) == (0, [], [])


def test_a_unit_does_not_ask_for_the_lock_while_another_of_its_process_does(
    postgres_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = open_database(postgres_url)
    request.addfinalizer(database.close)
    journal = init_log(database, tmp_path / "home", origin=ORIGIN)
    monkeypatch.setattr(sequencing, "LEAVE_SECONDS", 60)
    append_run(database, journal, RunId("r0"), Fuse())  # Now it has placed entries of late.
    standing, asked, goes_on = TrailSql.standing, list[str](), threading.Event()

    def slowly(
        sql: TrailSql, *, lock: int | None, built: Sequence[Waiting] = ()
    ) -> Standing | None:
        name = threading.current_thread().name
        asked.append(name)
        if name == "first":
            goes_on.wait(30)
        return standing(sql, lock=lock, built=built)

    monkeypatch.setattr(TrailSql, "standing", slowly)
    first = threading.Thread(
        target=append_run, args=(database, journal, RunId("r1"), Fuse()), name="first"
    )
    first.start()
    while not asked:
        time.sleep(0.001)
    append_run(database, journal, RunId("r2"), Fuse())
    meanwhile = list(asked)
    goes_on.set()
    first.join(30)
    sequence_pending(database, journal.sequencer)

    assert meanwhile == ["first"]
    assert places(database) == list(range(1 + 3 * 2))


def test_eight_processes_leave_no_gap_on_postgres(
    postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = open_database(postgres_url)
    request.addfinalizer(database.close)
    journal = init_log(database, tmp_path / "home", origin=ORIGIN)
    processes = [appender(postgres_url, tmp_path / "home", f"p{n}", 8) for n in range(8)]
    runs = [run for process in processes for run in told(process)]
    sequence_pending(database, journal.sequencer)
    report = verify_database(postgres_url, pin(journal), processes=1)

    assert len(runs) == 64
    assert places(database) == list(range(129))
    assert (report.exit, report.failures) == (0, [])


@pytest.mark.parametrize("phase", PHASES)
def test_a_process_killed_anywhere_loses_nothing_that_it_told(
    database_url: str, database: Database, journal: Journal, home: Path, phase: str
) -> None:
    process = appender(database_url, home, "k", 20, phase, "7")
    runs = told(process)

    assert process.returncode == -9
    assert len(runs) >= 2
    append_run(database, journal, RunId("after"), Fuse())
    sequence_pending(database, journal.sequencer)
    with database.read() as connection:
        assert all(len(read_run(connection, run)) == 2 for run in [*runs, "after"])
    report = verify_database(database_url, pin(journal), processes=1)
    assert (report.exit, report.failures, report.semantics) == (0, [], [])


def test_a_job_killed_while_it_places_entries_leaves_them_to_the_next_one(
    postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = open_database(postgres_url)
    request.addfinalizer(database.close)
    journal = init_log(database, tmp_path / "home", origin=ORIGIN)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_number(ORIGIN),))
        for number in range(3):
            append_run(database, journal, RunId(f"r{number}"), Fuse())
    process = appender(postgres_url, tmp_path / "home", "k", 0, "head", "1")
    told(process)
    left = places(database)
    sequence_pending(database, journal.sequencer)

    assert process.returncode == -9
    assert (left.count(None), places(database)) == (6, list(range(7)))
    assert verify_database(postgres_url, pin(journal), processes=1).exit == 0

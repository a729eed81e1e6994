"""A log moves into another database as it is, and goes on there."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database, open_database
from storage.heads import head
from storage.journal import utc_now
from storage.log_setup import open_journal
from storage.migrate import upgrade
from storage.move_marks import take_back
from storage.moving import Moved, move_log
from storage.rebuild import check_projections
from storage.search import find
from storage.search_runs import Sought
from storage.table_copy import TABLES, rows_of
from storage.verify import Report, verify_database
from tests.storage.full_log import ORIGIN, Runs, fill, house_at
from tests.storage.trail import outside
from tests.workflows.engine.test_questions import answers
from tests.world import Clock, World
from workflows.errors import (
    HeldElsewhereError,
    InterlockError,
    StorageError,
    UnusableDatabaseError,
)

FILLED = 29  # Tables that the log has rows in: all there were when this was written.


class Log:
    """A full log on SQLite, nobody at work on it."""

    def __init__(self, folder: Path, runs: Runs, effects: list[str], *, number: int) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.url = str(folder / "interlock.db")
        self.clock = Clock()
        self.runs = runs
        self.effects = effects
        self.world = World(number=number, effects=list(effects))

    @classmethod
    def made_in(cls, folder: Path) -> "Log":
        world = World()
        with house_at(str(folder / "interlock.db"), folder / "home", Clock(), world=world) as house:
            runs = fill(house)
        return cls(folder, runs, world.effects, number=world.number)

    def copied_to(self, folder: Path) -> "Log":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Log(folder, self.runs, self.effects, number=self.world.number)

    def moves_to(self, target: str) -> Moved:
        return move_log(self.url, target, now=utc_now, tell=quietly)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Make the log once; every test has a copy."""
    return Log.made_in(tmp_path_factory.mktemp("log"))


@pytest.fixture
def log(made: Log, tmp_path: Path) -> Log:
    return made.copied_to(tmp_path)


def quietly(table: str, done: int, total: int) -> None:
    """Tell nobody."""
    assert table
    assert done <= total


def rows(url: str) -> dict[str, list[str]]:
    database = open_database(url)
    with database.begin() as tx:
        found = {
            table.name: sorted(repr(tuple(one)) for one in rows_of(tx.connection, table))
            for table in TABLES
        }
    database.close()
    return found


def judged(url: str, vkey: str) -> Report:
    report = verify_database(url, [vkey], processes=1, now=Clock())
    assert report.exit == 0, report.lines()
    return report


def vkey_of(database: Database) -> str:
    with database.read() as connection:
        return head(connection).vkey


def test_every_table_moves_as_it_is(log: Log, blank_postgres_url: str) -> None:
    moved = log.moves_to(blank_postgres_url)
    before, after = rows(log.url), rows(blank_postgres_url)

    assert before == after
    assert {name: len(one) for name, one in before.items()} == dict(moved.rows)
    assert len([one for one in before.values() if one]) >= FILLED


def test_the_moved_log_gets_the_identical_verdict(log: Log, blank_postgres_url: str) -> None:
    database = open_database(log.url)
    vkey = vkey_of(database)
    database.close()
    before = judged(log.url, vkey).to_json()
    moved = log.moves_to(blank_postgres_url)

    assert judged(blank_postgres_url, vkey).to_json() == before
    assert judged(log.url, vkey).to_json() == before
    assert moved.head.size == head_size(blank_postgres_url)


def test_runs_that_wait_for_people_and_for_time_finish_at_the_new_place(
    log: Log, blank_postgres_url: str
) -> None:
    log.moves_to(blank_postgres_url)
    with house_at(blank_postgres_url, log.home, log.clock, world=log.world) as house:
        due = {one.kind.value for one in house.due(log.runs.waiting)}
        house.approve(log.runs.waiting)
        house.settle()
        house.approve(log.runs.queued)
        house.settle()
        answers(house, log.runs.asking, {"by": 7})
        log.clock.forward(timedelta(hours=3))
        house.settle()
        runs = (log.runs.waiting, log.runs.queued, log.runs.asking, log.runs.resting)
        found = [house.status(one) for one in runs]
        differences = check_projections(house.store.database)
        vkey = vkey_of(house.store.database)

    assert due == {"expire"}
    assert found == ["done"] * 4
    assert log.world.effects[len(log.effects) :] == [
        f"{log.runs.waiting}/change",
        f"{log.runs.queued}/change",
        f"{log.runs.asking}/act",
        f"{log.runs.resting}/act",
    ]
    assert [str(one) for one in differences] == []
    judged(blank_postgres_url, vkey)


def test_what_was_said_is_found_at_the_new_place(log: Log, blank_postgres_url: str) -> None:
    log.moves_to(blank_postgres_url)
    database = open_database(blank_postgres_url)
    hits = find(database, Sought(words="change"), limit=10).page
    database.close()

    assert log.runs.done in {one.run for one in hits}


def test_a_log_moves_back_into_a_file(log: Log, blank_postgres_url: str, tmp_path: Path) -> None:
    log.moves_to(blank_postgres_url)
    back = str(tmp_path / "back.db")
    move_log(blank_postgres_url, back, now=utc_now, tell=quietly)

    assert rows(back) == rows(log.url)
    with house_at(back, log.home, log.clock, world=log.world) as house:
        house.approve(log.runs.waiting)
        house.settle()
        assert house.status(log.runs.waiting) == "done"
    with pytest.raises(UnusableDatabaseError, match=r"moved to sqlite:.*back\.db"):
        opened(blank_postgres_url, log.home)


def opened(url: str, home: Path) -> None:
    database = open_database(url)
    try:
        open_journal(database, home, origin=ORIGIN)
    finally:
        database.close()


def test_the_old_copy_is_refused_until_it_is_taken_back(log: Log, blank_postgres_url: str) -> None:
    log.moves_to(blank_postgres_url)
    with pytest.raises(UnusableDatabaseError, match=r"This log moved to postgresql://") as refused:
        opened(log.url, log.home)
    database = open_database(log.url)
    mark, again = take_back(database), take_back(database)
    database.close()
    opened(log.url, log.home)

    assert "INTERLOCK_DATABASE_URL" in refused.value.hint
    assert mark is not None
    assert mark.size == head_size(blank_postgres_url)
    assert again is None


def head_size(url: str) -> int:
    database = open_database(url)
    with database.read() as connection:
        size = head(connection).size
    database.close()
    return size


def test_a_process_that_was_overlooked_cannot_write_into_the_old_copy(
    log: Log, blank_postgres_url: str
) -> None:
    database = open_database(log.url)
    journal = open_journal(database, log.home)
    log.moves_to(blank_postgres_url)
    with (
        pytest.raises((StorageError, sqlite3.IntegrityError), match="this log moved"),
        database.begin() as tx,
    ):
        journal.append(tx, outside("hold.lifted", {"hold": "h", "reason": "late"}))

    database.close()


def test_the_password_of_the_target_is_kept_nowhere(log: Log, blank_postgres_url: str) -> None:
    scheme, _, rest = blank_postgres_url.partition("://")
    user, _, place = rest.partition("@")
    moved = log.moves_to(f"{scheme}://{user.partition(':')[0]}:s3cret-word@{place}")
    content = b"".join(one.read_bytes() for one in Path(log.url).parent.glob("interlock.db*"))

    assert "s3cret-word" not in moved.target
    assert b"s3cret-word" not in content


def test_a_target_with_something_in_it_is_refused(
    log: Log, blank_postgres_url: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    with house_at(blank_postgres_url, other, Clock(), world=World()):
        pass
    before = rows(log.url)
    with pytest.raises(UnusableDatabaseError, match="is not empty"):
        log.moves_to(blank_postgres_url)

    assert rows(log.url) == before
    opened(log.url, log.home)


def test_a_target_with_a_table_of_another_program_is_refused(
    log: Log, blank_postgres_url: str
) -> None:
    target = open_database(blank_postgres_url)
    with target.begin() as tx:
        tx.connection.execute(text("CREATE TABLE run (number integer)"))
    target.close()

    with pytest.raises(UnusableDatabaseError, match="is not empty"):
        log.moves_to(blank_postgres_url)


def test_a_migrated_and_empty_target_is_taken(log: Log, blank_postgres_url: str) -> None:
    database = open_database(blank_postgres_url)
    upgrade(database.engine)
    database.close()

    assert log.moves_to(blank_postgres_url).is_new


def test_a_log_is_not_moved_onto_itself(log: Log) -> None:
    with pytest.raises(UnusableDatabaseError, match="one and the same"):
        log.moves_to(f"sqlite:{log.url}")


def test_a_log_that_does_not_verify_is_not_moved(log: Log, blank_postgres_url: str) -> None:
    with closing(sqlite3.connect(log.url)) as driver:
        driver.execute("UPDATE audit_checkpoint SET note = replace(note, 'audit', 'adult')")
        driver.commit()
    with pytest.raises(UnusableDatabaseError, match="does not verify"):
        log.moves_to(blank_postgres_url)

    assert_untouched(blank_postgres_url)


def test_a_log_whose_tables_tell_otherwise_is_not_moved(log: Log, blank_postgres_url: str) -> None:
    with closing(sqlite3.connect(log.url)) as driver:
        driver.execute("UPDATE run SET workflow = 'other' WHERE id = ?", [log.runs.done])
        driver.commit()
    with pytest.raises(UnusableDatabaseError, match="do not agree with its entries"):
        log.moves_to(blank_postgres_url)

    assert_untouched(blank_postgres_url)
    opened(log.url, log.home)


def test_a_move_into_a_file_that_is_refused_leaves_no_words_behind(log: Log) -> None:
    with closing(sqlite3.connect(log.url)) as driver:
        driver.execute("UPDATE run SET workflow = 'other' WHERE id = ?", [log.runs.done])
        driver.commit()
    with pytest.raises(UnusableDatabaseError, match="do not agree with its entries"):
        log.moves_to(str(log.folder / "new.db"))

    assert sorted(one.name for one in log.folder.iterdir()) == ["home", "interlock.db"]


def test_a_text_that_the_new_database_cannot_hold_is_told_in_a_sentence(
    log: Log, blank_postgres_url: str
) -> None:
    with closing(sqlite3.connect(log.url)) as driver:
        driver.execute("UPDATE thread_message SET body = 'half' || char(0) || 'word'")
        driver.commit()
    with pytest.raises(UnusableDatabaseError, match="thread_message holds something that"):
        log.moves_to(blank_postgres_url)

    assert_untouched(blank_postgres_url)
    opened(log.url, log.home)


def assert_untouched(url: str) -> None:
    database = open_database(url)
    with database.read() as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(text(tables)).scalar() == 0
    database.close()


def test_a_postgres_that_somebody_works_with_is_not_moved(
    log: Log, blank_postgres_url: str, tmp_path: Path
) -> None:
    log.moves_to(blank_postgres_url)
    working = open_database(blank_postgres_url)
    with working.read() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(HeldElsewhereError, match="open to this database"):
            move_log(blank_postgres_url, str(tmp_path / "back.db"), now=utc_now, tell=quietly)
    working.close()

    assert not (tmp_path / "back.db").exists()


def test_moving_again_after_it_was_done_changes_nothing(log: Log, blank_postgres_url: str) -> None:
    first, again = log.moves_to(blank_postgres_url), log.moves_to(blank_postgres_url)

    assert (first.is_new, again.is_new) == (True, False)
    assert again.head.note == first.head.note


def test_a_log_that_moved_is_not_moved_to_a_third_place(
    log: Log, blank_postgres_url: str, tmp_path: Path
) -> None:
    log.moves_to(blank_postgres_url)

    with pytest.raises(UnusableDatabaseError, match=r"moved to postgresql.* already"):
        log.moves_to(str(tmp_path / "third.db"))


KILLED = """
import os, signal, sys
from storage.journal import utc_now
from storage.moving import move_log
source, target, at = sys.argv[1:]

def tell(table, done, total):
    if table == at and done == total:
        os.kill(os.getpid(), signal.SIGKILL)

def now():
    if at == "mark":
        os.kill(os.getpid(), signal.SIGKILL)
    return utc_now()

move_log(source, target, now=now, tell=tell)
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", ["audit_entry", "summary", "mark"])
@pytest.mark.parametrize("kind", ["postgres", "file"])
def test_a_move_that_is_killed_changes_nothing_and_may_be_done_again(
    log: Log, request: pytest.FixtureRequest, tmp_path: Path, at: str, kind: str
) -> None:
    is_file = kind == "file"
    target = str(tmp_path / "new.db") if is_file else request.getfixturevalue("blank_postgres_url")
    before = rows(log.url)
    killed = subprocess.run([sys.executable, "-c", KILLED, log.url, target, at], check=False)
    opened(log.url, log.home)

    assert killed.returncode == -signal.SIGKILL
    assert rows(log.url) == before
    if is_file:
        assert not Path(target).exists()
    else:
        assert_untouched(target)
    assert log.moves_to(target).is_new
    assert rows(target) == before


def test_a_move_that_is_killed_after_its_mark_is_finished_by_the_same_command(
    log: Log, blank_postgres_url: str
) -> None:
    """The source is marked, and the target never came to commit."""
    log.moves_to(blank_postgres_url)
    database = open_database(blank_postgres_url)
    with database.begin() as tx:
        tx.connection.execute(text("DROP SCHEMA public CASCADE"))
        tx.connection.execute(text("CREATE SCHEMA public"))
    database.close()
    with pytest.raises(InterlockError, match="moved to"):
        opened(log.url, log.home)

    assert log.moves_to(blank_postgres_url).is_new
    assert rows(blank_postgres_url) == rows(log.url)

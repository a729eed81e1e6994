"""A database file that is taken away or replaced while it is open takes no commit any more."""

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import Database, open_database
from storage.held_file import LOOK_SECONDS
from storage.journal import Journal
from storage.log_setup import init_log
from tests.storage.trail import outside
from workflows.errors import UnusableDatabaseError


def take_file(path: Path) -> None:
    path.unlink()


def take_wal(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def replace_file(path: Path) -> None:
    shutil.copy(path, path.with_name("backup.db"))
    path.with_name("backup.db").replace(path)


def replace_wal(path: Path) -> None:
    shutil.copy(f"{path}-wal", path.with_name("other"))
    path.with_name("other").replace(f"{path}-wal")


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "interlock.db"


def begun(database: Database, home: Path) -> Journal:
    return init_log(database, home, origin="interlock.example/audit/T0ABC")


def record(database: Database, journal: Journal) -> None:
    data = {"release": "1", "size": 1, "root": "", "last": None}
    with database.begin() as tx:
        journal.append(tx, outside("service.started", data))


@pytest.mark.parametrize(
    ("befall", "told"),
    [
        (take_file, r"interlock\.db was taken away"),
        (take_wal, r"interlock\.db-wal was taken away"),
        (replace_file, r"interlock\.db was replaced"),
        (replace_wal, r"interlock\.db-wal was replaced"),
        (move_folder, r"interlock\.db was taken away"),
    ],
)
def test_what_nobody_would_find_again_is_not_committed(
    tmp_path: Path, path: Path, befall: Callable[[Path], None], told: str
) -> None:
    with closing(open_database(str(path))) as database:
        journal = begun(database, tmp_path / "home")
        assert database.problem() is None
        befall(path)
        time.sleep(LOOK_SECONDS)  # What was looked at just now is believed.
        with pytest.raises(UnusableDatabaseError, match=f"{told} .* Nothing was recorded"):
            record(database, journal)

        assert told.replace("\\", "") in str(database.problem())


def test_an_orderly_end_saves_what_stood_in_a_wal_that_was_taken_away(
    tmp_path: Path, path: Path
) -> None:
    with closing(open_database(str(path))) as database:
        begun(database, tmp_path / "home")
        take_wal(path)

    with closing(open_database(str(path))) as again, again.glance() as tx:
        assert tx.run("SELECT count(*) FROM audit_entry").fetchall() == [(1,)]


def test_a_file_is_held_from_its_first_commit_in_a_process_that_opened_it_again(
    tmp_path: Path, path: Path
) -> None:
    with closing(open_database(str(path))) as database:
        journal = begun(database, tmp_path / "home")
    with closing(open_database(str(path))) as database:
        record(database, journal)
        record(database, journal)

        assert database.problem() is None

"""Also on the less travelled ways, a process that ends anywhere loses and doubles nothing.

The whole sweep over both databases is for `test_crash_sweep`; here every way is swept on
SQLite, and after each crash the log and the tables are looked at by those who verify them.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path as File

import pytest

from storage.database import open_database
from storage.heads import head
from storage.log_setup import init_log, open_journal
from storage.rebuild import check_projections
from storage.store import SqlStore
from storage.verify import verify_database
from tests.crash.flow_paths import FLOW_PATHS
from tests.crash.paths import PATHS, Outside, Path, house_of
from tests.crash.shadow_paths import SHADOW_PATHS
from tests.fuse import Crash, Fuse
from tests.properties.office import check_effects, check_intents
from tests.world import Clock, Working

ORIGIN = "interlock.example/audit/T0"
EVERY_PATH = {**PATHS, **FLOW_PATHS, **SHADOW_PATHS}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> File:
    """Give a home whose log has begun and holds nothing else; copies of it are cheap."""
    home = tmp_path_factory.mktemp("empty")
    database = open_database(str(home / "interlock.db"))
    init_log(database, home, origin=ORIGIN, now=Clock())
    database.close()
    return home


@contextmanager
def opened(home: File, clock: Clock) -> Iterator[SqlStore]:
    database = open_database(str(home / "interlock.db"))
    try:
        yield SqlStore(database, open_journal(database, home, now=clock), now=clock)
    finally:
        database.close()


def walk(path: Path, home: File, *, blows_at: int | None) -> Fuse:
    """Walk until the fuse blows, then once more as another process; check all there is."""
    clock, outside, fuse = Clock(), Outside(), Fuse(blows_at)
    with opened(home, clock) as store, suppress(Crash):
        path.drive(house_of(path, store, clock, outside, fuse), outside, fuse)
    with opened(home, clock) as store:
        house = house_of(path, store, clock, outside, Fuse())
        path.drive(house, outside, Fuse())
        check(path, house, outside, fuse)
    return fuse


def check(path: Path, house: Working, outside: Outside, fuse: Fuse) -> None:
    where = fuse.places[-1] if fuse.blows_at else "nowhere"
    with house.store.database.read() as connection:
        runs = [one for (one,) in connection.exec_driver_sql("SELECT id FROM run ORDER BY rowid")]
        vkey = head(connection).vkey
    assert runs, where
    for run in runs:
        entries = house.entries(run)
        assert house.status(run) == path.status, (where, house.kinds(run))
        assert [one.rseq for one in entries] == list(range(len(entries))), where
        check_intents(entries)
        check_effects(run, entries, outside.world.effects)
    assert len(outside.world.effects) == path.effects, where
    assert set(Counter(outside.posts).values()) <= {1}, where
    assert [str(one) for one in check_projections(house.store.database)] == [], where
    report = verify_database(str(house.store.database.path), [vkey], now=house.clock, processes=1)
    assert (report.exit, report.semantics) == (0, []), (where, report.lines())


@pytest.mark.parametrize("name", EVERY_PATH)
def test_a_process_that_ends_anywhere_on_the_way_changes_nothing_about_its_end(
    name: str, empty: File, tmp_path: File
) -> None:
    path = EVERY_PATH[name]
    for number in count(1):
        home = tmp_path / str(number)
        shutil.copytree(empty, home)
        fuse = walk(path, home, blows_at=number)
        shutil.rmtree(home)
        if fuse.count < number:
            break

    assert fuse.count >= path.fewest

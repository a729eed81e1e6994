"""Also on the less travelled ways, a process that ends anywhere loses and doubles nothing.

The whole sweep over both databases is for `test_crash_sweep`; here every way is swept on
SQLite, and after each crash the log and the tables are looked at by those who verify them.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
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
from tests.fuse import Fuse
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


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill would have left behind: files, the hour, and the world outside."""

    place: str
    home: File
    clock: Clock
    outside: Outside


class Camera(Fuse):
    """Keeps what a kill at each boundary would leave, and lets the process go on.

    The files are taken as they are, an open transaction included, which is what a kill does.
    """

    def __init__(self, home: File, clock: Clock, outside: Outside) -> None:
        super().__init__()
        self.left: list[Left] = []
        self._live = home, clock, outside

    def burn(self, place: str) -> None:
        super().burn(place)
        home, clock, outside = self._live
        kept = home.with_name(f"{home.name}-{self.count}")
        shutil.copytree(home, kept)
        where = f"{place} (boundary {self.count})"
        self.left.append(Left(where, kept, copy(clock), deepcopy(outside)))


def walk(path: Path, home: File) -> Sequence[Left]:
    """Walk to the end, and check it; return what a kill on the way would have left."""
    clock, outside = Clock(), Outside()
    camera = Camera(home, clock, outside)
    with opened(home, clock) as store:
        house = house_of(path, store, clock, outside, camera)
        path.drive(house, outside, camera)
        check(path, house, outside, "nowhere")
    return camera.left


def go_on(path: Path, left: Left) -> None:
    """Walk on from there as another process; check all there is."""
    with opened(left.home, left.clock) as store:
        house = house_of(path, store, left.clock, left.outside, Fuse())
        path.drive(house, left.outside, Fuse())
        check(path, house, left.outside, left.place)


def check(path: Path, house: Working, outside: Outside, where: str) -> None:
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
    path, home = EVERY_PATH[name], tmp_path / "home"
    shutil.copytree(empty, home)
    ways = walk(path, home)
    assert len(ways) >= path.fewest

    for left in ways:
        go_on(path, left)
        shutil.rmtree(left.home)

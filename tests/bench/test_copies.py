"""Copies of a run are runs: signed, chained, projected, and open to a decision."""

from pathlib import Path

from bench.copies import Copies
from storage.database import open_database
from storage.log_setup import init_log
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.world import Clock, Working


def test_copies_of_a_run_that_waits_agree_with_the_tables_and_can_be_decided(
    tmp_path: Path,
) -> None:
    clock, database = Clock(), open_database(str(tmp_path / "interlock.db"))
    journal = init_log(database, tmp_path / "home", origin="bench.example/audit/B1", now=clock)
    store = SqlStore(database, journal, now=clock)
    house = Working(store, clock)
    run = house.start()
    house.settle()
    copies = Copies(store, run)
    made = copies.make(3)
    house.approve(made[1], by="ana")
    house.settle()

    assert check_projections(database) == []
    assert [house.status(one) for one in made] == ["waiting", "done", "waiting"]
    assert len(house.world.effects) == 1
    assert len(store.history(made[0])[1]) == copies.entries
    database.close()

"""The accounts of the demo: a purge can be checked without asking whoever purged."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.targets.accounts import (
    ACCOUNTS,
    STALE,
    STALE_BEFORE,
    Change,
    address,
    count,
    effects,
    seed,
)


def run(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def test_a_fresh_database_holds_thousands_of_accounts_and_no_history(tmp_path: Path) -> None:
    path = seed(tmp_path)
    stale = run(path, "SELECT count(*) FROM account WHERE last_seen < ?", STALE_BEFORE.isoformat())

    assert count(path) == ACCOUNTS
    assert stale == [(STALE,)]
    assert effects(path) == []
    assert address(path) == f"sqlite:///{path}"


def test_seeding_twice_changes_nothing_and_brings_nothing_back(tmp_path: Path) -> None:
    path = seed(tmp_path)
    run(path, "DELETE FROM account")
    seed(tmp_path)

    assert count(path) == 0


def test_whatever_is_done_to_an_account_is_in_its_own_log(tmp_path: Path) -> None:
    path = seed(tmp_path)
    run(path, "UPDATE account SET plan = 'free' WHERE id = 'acc_00007'")
    run(path, "DELETE FROM account WHERE id = 'acc_00008'")

    assert effects(path) == [
        Change(what="changed", account="acc_00007"),
        Change(what="deleted", account="acc_00008"),
    ]


def test_two_databases_are_seeded_alike(tmp_path: Path) -> None:
    one, other = seed(tmp_path / "one"), seed(tmp_path / "other")
    everything = "SELECT * FROM account ORDER BY id"

    assert run(one, everything) == run(other, everything)

"""Triggers and tables around the trail: what is odd about them is told, and decides nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.database import is_postgres
from storage.verify import Report, verify_database
from tests.storage.full_log import fill, house_at
from tests.world import Clock, World

NO_DELETE, ONLY_PLACE = "audit_entry_no_delete", "audit_entry_only_place"
ON_SQLITE = {
    "The table foo is not ours.": ["CREATE TABLE foo (a)"],
    "The table audit_hold is missing.": ["DROP TABLE audit_hold"],
    "The trigger heard is not ours.": [
        "CREATE TRIGGER heard AFTER INSERT ON run BEGIN SELECT 1; END"
    ],
    f"The trigger {NO_DELETE} is not the one that belongs there.": [
        f"DROP TRIGGER {NO_DELETE}",
        f"CREATE TRIGGER {NO_DELETE} BEFORE DELETE ON audit_entry BEGIN SELECT 1; END",
    ],
    f"The trigger {ONLY_PLACE} is missing.": [f"DROP TRIGGER {ONLY_PLACE}"],
}
NOTHING = "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
EACH = "FOR EACH ROW EXECUTE FUNCTION audit_entry_is_final()"
ON_POSTGRES = {
    "The table foo is not ours.": ["CREATE TABLE foo (a text)"],
    f"The trigger {ONLY_PLACE} is not the one that belongs there.": [
        f"DROP TRIGGER {ONLY_PLACE} ON audit_entry",
        f"CREATE TRIGGER {ONLY_PLACE} BEFORE UPDATE ON audit_entry {EACH}",
    ],
    "The trigger heard is not ours.": [f"CREATE TRIGGER heard AFTER INSERT ON run {EACH}"],
    f"The trigger {NO_DELETE} is missing.": [
        f"ALTER TABLE audit_entry DISABLE TRIGGER {NO_DELETE}"
    ],
    "The trigger audit_entry_no_truncate is not the one that belongs there.": [
        f"CREATE OR REPLACE FUNCTION audit_entry_is_final() RETURNS trigger {NOTHING}"
    ],
}


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = str(request.getfixturevalue(f"{request.param}_url"))
    with house_at(url, tmp_path / "home", Clock(), world=World()) as house:
        fill(house)
    return url


def verified(url: str) -> Report:
    return verify_database(url, [], processes=1)


def change(url: str, statements: list[str]) -> None:
    driver: Any = psycopg.connect(url) if is_postgres(url) else sqlite3.connect(url)
    with closing(driver):
        for one in statements:
            driver.execute(one)
        driver.commit()


def test_what_is_odd_around_the_trail_is_a_warning(log: str) -> None:
    honest = verified(log)
    odd, seen = ON_POSTGRES if is_postgres(log) else ON_SQLITE, []
    for words, statements in odd.items():
        change(log, statements)
        found = verified(log)
        seen.append((words in {text for _code, text in found.warnings}, found.exit))

    assert honest.warnings == []
    assert seen == [(True, honest.exit)] * len(odd)

"""Any value in any column of any table: whoever verifies gets a verdict, never a traceback.

SQLite takes anything anywhere, and its owner may take away what the schema demands. Postgres keeps
to its types, yet has moments that Python has none for and words that no enum has.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import cycle, product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from bot.cli import main
from storage.database import open_database
from storage.rebuild import PROJECTED, compare, rebuild
from storage.verify import Report, verify_database
from tests.storage.full_log import fill, house_at
from tests.storage.test_tables_tampered import tell_more
from tests.world import Clock, World

HOSTILE = (
    "x'00ff80'",
    "'a' || char(0) || 'b'",
    "CAST(x'eda080' AS TEXT)",
    "9223372036854775807",
    "-1.5",
    "9e999",
    "NULL",
    "'aaiting'",
    "''",
)
# The search has tables of its own, which SQLite makes.
TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'"
    " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'summary_fts%' ORDER BY name"
)
OF_TABLE = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
LAWLESS = (
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'",
    "DROP TRIGGER audit_entry_only_place",
    "PRAGMA writable_schema = RESET",
)


def verdict(url: str) -> Report:
    report = verify_database(url, [], tables=True, processes=1)
    assert report.exit in {0, 1, 2, 3}
    assert all(one.isprintable() and one.encode() for one in report.lines())
    assert json.dumps(report.to_json(), ensure_ascii=False).encode()
    return report


@pytest.fixture(scope="module")
def log(sqlite_schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    made = Path(shutil.copy(sqlite_schema, folder / "log.db"))
    with house_at(str(made), folder / "home", Clock(), world=World()) as house:
        tell_more(house.store, fill(house).waiting)
    with closing(sqlite3.connect(made)) as driver:
        driver.execute("PRAGMA journal_mode = DELETE")
        for statement in LAWLESS:
            driver.execute(statement)
        driver.commit()
    assert verdict(str(made)).exit == 3
    return made


def columns(driver: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of each table that has a row."""
    tables = [name for (name,) in driver.execute(TABLES)]
    return {
        table: [name for (name,) in driver.execute(OF_TABLE, [table])]
        for table in tables
        if driver.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None
    }


def change(driver: sqlite3.Connection, table: str, column: str, value: str) -> bool:
    """Put a value into the first row, and say whether the row is another one now."""
    where = f'rowid = (SELECT min(rowid) FROM "{table}")'
    look = f'SELECT typeof("{column}"), hex("{column}") FROM "{table}" WHERE {where}'
    before = driver.execute(look).fetchone()
    try:
        driver.execute(f'UPDATE "{table}" SET "{column}" = {value} WHERE {where}')
    except sqlite3.Error:
        return False  # A rowid takes numbers alone.
    return bool(driver.execute(look).fetchone() != before)


def test_a_table_that_holds_what_no_column_of_ours_reads_is_named(log: Path) -> None:
    database, silent, count = open_database(str(log)), [], 0
    with database.read() as connection:
        told = rebuild(connection)
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA ignore_check_constraints = ON")
        driver.execute("PRAGMA foreign_keys = OFF")
        for table, (names, others) in PROJECTED.items():
            for column, value in product((*names, *others), HOSTILE):
                driver.execute("BEGIN")
                if change(driver, table, column, value):
                    count += 1
                    found = [str(one) for one in compare(connection, told)]
                    if not any(one.startswith(f"{table} ") for one in found):
                        silent.append((table, column, value))
                driver.execute("ROLLBACK")
    database.close()

    assert count > 500
    assert silent == []


def test_every_table_gets_a_verdict_whatever_stands_in_it(log: Path, tmp_path: Path) -> None:
    drawn, judged = cycle(HOSTILE), set()
    with closing(sqlite3.connect(log)) as driver:
        of_tables = columns(driver)
    for table, named in of_tables.items():
        # Whatever the entries tell is looked at above; of the trail itself, every column here.
        for column in named if table.startswith("audit_") else named[-1:]:
            copy = Path(shutil.copy(log, tmp_path / f"{table}.{column}"))
            with closing(sqlite3.connect(copy)) as driver:
                driver.execute("PRAGMA ignore_check_constraints = ON")
                if change(driver, table, column, next(drawn)):
                    judged.add(table)
                driver.commit()
            verdict(str(copy))
            copy.unlink()

    assert len(judged) > 25


@pytest.mark.parametrize("size", ["NULL", "'abc'", "9e999"])
def test_a_stored_tree_without_a_size_is_not_that_of_the_log(
    log: Path, tmp_path: Path, size: str
) -> None:
    copy = Path(shutil.copy(log, tmp_path / "copy.db"))
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute(f"UPDATE audit_tree SET size = {size}")
        driver.commit()

    assert "tree-state" in verdict(str(copy)).codes


def test_a_table_or_column_that_is_gone_is_named_and_the_others_are_compared(
    log: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(log, tmp_path / "copy.db"))
    forgeries = "DROP TABLE glass_use", "ALTER TABLE run DROP COLUMN requester_kind"
    with closing(sqlite3.connect(copy)) as driver:
        for one in (*forgeries, "UPDATE run SET status = 'aaiting'"):
            driver.execute(one)
        driver.commit()
    told = [text for _code, text in verdict(str(copy)).failures]
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '0011'")
        driver.commit()
    of_before = verdict(str(copy))

    assert {"The table glass_use is missing.", "The column run.requester_kind is missing."} <= {
        *told
    }
    assert any("status is 'aaiting', the entries say 'done'" in one for one in told)
    assert "projections" in {code for code, _text in of_before.warnings}
    assert all("status is 'aaiting'" in text for _code, text in of_before.failures)


def test_a_row_that_stands_twice_is_named(log: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(log, tmp_path / "copy.db"))
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute("CREATE TABLE runs AS SELECT * FROM run UNION ALL SELECT * FROM run")
        driver.execute("DROP TABLE run")
        driver.execute("ALTER TABLE runs RENAME TO run")
        driver.commit()
    told = [text for _code, text in verdict(str(copy)).failures]

    assert len([one for one in told if one.endswith("stands twice.")]) == 6


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE run SET started_at = 'infinity'",
        "UPDATE run SET status = 'aaiting'",
        "UPDATE decision SET verdict = 'bpprove'",
        "UPDATE approval_request SET needs_reason = NULL",
    ],
)
def test_postgres_gives_a_verdict_for_what_python_cannot_read(
    postgres_url: str, tmp_path: Path, forgery: str
) -> None:
    with house_at(postgres_url, tmp_path / "home", Clock(), world=World()) as house:
        fill(house)
    with psycopg.connect(postgres_url) as driver:
        driver.execute("ALTER TABLE approval_request ALTER COLUMN needs_reason DROP NOT NULL")
        driver.execute(forgery)

    assert verdict(postgres_url).codes == {"projection"}


@pytest.mark.parametrize(
    ("forgery", "words"),
    [
        ("UPDATE run SET status = 'aaiting'", "holds 'aaiting' where no release writes that"),
        ("UPDATE run SET started_at = 'noon'", "holds 'noon' where no release writes that"),
        ("UPDATE run SET workflow = CAST(x'eda080' AS TEXT)", "holds bytes that are no text"),
        ("UPDATE audit_checkpoint SET note = ''", "The log cannot be read: A note has"),
    ],
)
def test_commands_that_read_such_rows_end_in_words(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgery: str, words: str
) -> None:
    copy = Path(shutil.copy(log, tmp_path / "interlock.db"))
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute(forgery)
        driver.commit()
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    command = ["audit", "anchors"] if "note" in forgery else ["runs"]
    told = CliRunner().invoke(main, command)

    assert told.exit_code == 2
    assert words in told.output
    assert "run `interlock audit verify`" in told.output


@pytest.mark.parametrize(
    ("cell", "value", "command", "holds"),
    [
        ("audit_anchor.at", "NULL", "audit anchors", "nothing"),
        ("audit_hold.set_at", "NULL", "audit hold list", "nothing"),
        ("run.started_at", "NULL", "runs", "nothing"),
        ("run.status", "'aaiting'", "runs", "'aaiting'"),
        ("run.workflow", "CAST(x'eda080' AS TEXT)", "runs", "bytes that are no text"),
        ("schedule.timezone", "x'00ff80'", "schedule list", r"b'\x00\xff\x80'"),
    ],
)
def test_a_command_names_row_and_column_of_what_no_release_writes(
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cell: str,
    value: str,
    command: str,
    holds: str,
) -> None:
    copy = Path(shutil.copy(log, tmp_path / "interlock.db"))
    table, column = cell.split(".")
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute("PRAGMA ignore_check_constraints = ON")
        (run,) = driver.execute("SELECT min(id) FROM run").fetchone()
        driver.execute(f"UPDATE {table} SET {column} = {value}")
        driver.commit()
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    told = CliRunner().invoke(main, command.format(run=run).split())

    assert told.exit_code == 2, told.output
    assert f"{cell} of the row " in told.output
    assert f"holds {holds} where no release writes that" in told.output
    assert "run `interlock audit verify`" in told.output


def test_a_command_ends_in_words_whatever_stands_in_a_column_of_ours(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    with closing(sqlite3.connect(log)) as driver:
        cells = [(table, one) for table, some in columns(driver).items() for one in some]
        (run,) = driver.execute("SELECT min(id) FROM run").fetchone()
    drawn = cycle(HOSTILE)
    commands = cycle(
        ["runs", f"show {run} --timeline", "schedule list", "audit anchors", "audit explain 3"]
    )
    for number, (table, column) in enumerate(cells[::2]):
        copy = tmp_path / f"{number}.db"
        shutil.copy(log, copy)
        with closing(sqlite3.connect(copy)) as driver:
            driver.execute("PRAGMA ignore_check_constraints = ON")
            change(driver, table, column, next(drawn))
            driver.commit()
        monkeypatch.setenv("INTERLOCK_DATABASE_URL", str(copy))
        told = CliRunner().invoke(main, next(commands).split())

        assert told.exception is None or isinstance(told.exception, SystemExit), (table, column)
        copy.unlink()


def test_a_defect_of_ours_over_a_sound_log_is_not_put_on_its_rows(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(log, tmp_path / "interlock.db")
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    monkeypatch.setattr("bot.cli.reading.list_runs", lambda *_, **__: [None])
    told = CliRunner().invoke(main, ["runs"])

    assert isinstance(told.exception, AttributeError)

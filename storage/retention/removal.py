"""Leaves no byte of what was deleted: AUDIT.md section 11 says what each database keeps.

A deleted row is overwritten at once on SQLite (`secure_delete`), but FTS5 keeps words until it
is merged, and the WAL keeps pages until it is cut. On Postgres rows lie about until a VACUUM;
its WAL archives, and the backups of either, age out by their own terms.
"""

import time

from storage.database_errors import storage_refusals
from storage.transaction import Database
from workflows.errors import StorageUnavailableError

WITH_WORDS = (
    "audit_part",
    "audit_subject",
    "summary",
    "thread_message",
    "outbox",
    "run",
    "budget_key",
    "step_up",
    "step_up_guard",
)
PATIENCE = 10.0
TURN = 0.05
STEP_PAGES = 250  # Of an index that is merged: a megabyte, a few milliseconds.
CHANGES_OF_NOTHING = 2
LEFT = (
    "What was removed is gone from the log, but its bytes may be on the disk still. The next"
    " nightly sweep makes up for it, and so does `interlock audit sweep`."
)


def overwrite_deleted(database: Database) -> None:
    """Have the database forget what was deleted from it; nothing else changes.

    Raises:
        StorageUnavailableError: a reader still sees what was, or the disk is full; try again
            later.
    """
    try:
        with storage_refusals():
            is_forgotten = _forgets(database)
    except StorageUnavailableError as error:
        # Its own hint would say that nothing was recorded, and what was deleted is.
        raise StorageUnavailableError(error.message, hint=LEFT) from error
    if not is_forgotten:
        raise StorageUnavailableError(
            "Somebody still reads the database as it was, so its WAL could not be cut.",
            hint="End long reads, such as an export, and sweep again.",
        )


def _forgets(database: Database) -> bool:
    """Overwrite what was deleted; False if a reader was in the way for too long."""
    if database.dialect == "sqlite":
        for index in ("summary_fts", "summary_fts_words"):
            _merge(database, index)
        return _cuts_wal(database)
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql(f"VACUUM {', '.join(WITH_WORDS)}")
    return True


def _merge(database: Database, index: str) -> None:
    """Make one piece of an index: `optimize`, in steps, since people's clicks wait for each."""
    pages = -STEP_PAGES  # Less than none has everything merged, also what was merged before.
    while True:
        with database.begin() as tx:
            before = tx.driver.total_changes
            merge = f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)"  # noqa: S608 - ours.
            tx.run(merge, (pages,))
            # The row that says so counts as one.
            is_done = tx.driver.total_changes - before < CHANGES_OF_NOTHING
        if is_done:
            return
        pages = STEP_PAGES


def _cuts_wal(database: Database) -> bool:
    ends = time.monotonic() + PATIENCE
    while _is_busy(database):
        if time.monotonic() > ends:
            return False
        time.sleep(TURN)
    return True


def _is_busy(database: Database) -> bool:
    with database.engine.connect() as connection:
        # Most is done while others write; only what is left is done while they wait.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        # Whoever waits for a reader here holds the right to write, and a click would wait, too.
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        try:
            found = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
    return bool(found[0])

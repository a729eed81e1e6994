"""Leaves no byte of what was deleted: AUDIT.md section 11 says what each database keeps.

A deleted row is overwritten at once on SQLite (`secure_delete`), but FTS5 keeps words until it
is merged, and the WAL keeps pages until it is cut. On Postgres rows lie about until a VACUUM;
its WAL archives, and the backups of either, age out by their own terms.
"""

import time

from storage.transaction import Database
from workflows.errors import StorageUnavailableError

WITH_WORDS = ("audit_part", "audit_subject", "summary", "thread_message", "outbox")
PATIENCE = 10.0
TURN = 0.05


def overwrite_deleted(database: Database) -> None:
    """Have the database forget what was deleted from it; nothing else changes.

    Raises:
        StorageUnavailableError: a reader still sees what was; try again later.
    """
    if database.dialect == "sqlite":
        with database.begin() as tx:
            tx.run("INSERT INTO summary_fts (summary_fts) VALUES ('optimize')")
        _cut_wal(database)
        return
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql(f"VACUUM {', '.join(WITH_WORDS)}")


def _cut_wal(database: Database) -> None:
    ends = time.monotonic() + PATIENCE
    while _is_busy(database):
        if time.monotonic() > ends:
            raise StorageUnavailableError(
                "Somebody still reads the database as it was, so its WAL could not be cut.",
                hint="End long reads, such as an export, and sweep again.",
            )
        time.sleep(TURN)


def _is_busy(database: Database) -> bool:
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return bool(found[0])

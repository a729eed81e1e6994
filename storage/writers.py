"""Waits for those who write just now, so that what they wrote of an earlier moment is there.

Writers on Postgres do not wait for each other, and an entry bears the moment at which it was
made, not that of its commit.
"""

import time

from sqlalchemy import text

from storage.transaction import Database

PATIENCE = 10.0
TURN = 0.05


def wait_for_writers(database: Database) -> None:
    """Return once every transaction is over that began before now, or after a while.

    One that has written nothing yet may do so, so that its number as a writer says too little.
    On SQLite whoever writes next waits anyhow, and nobody has to here.

    Raises:
        StorageError: the database cannot be asked.
    """
    if database.dialect == "sqlite":
        return
    ends = time.monotonic() + PATIENCE
    with database.read() as connection:
        now = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    earlier = text(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < :now"
        " LIMIT 1"
    )
    while time.monotonic() < ends:
        with database.read() as connection:
            if connection.execute(earlier, {"now": now}).first() is None:
                return
        time.sleep(TURN)

"""Bring the ledger's schema up or down: `migrate.py (show | up | down) VERSION`.

A copy of this file lies beside the database and is run as a program; it needs nothing but Python.
"""

import sqlite3
import sys
from contextlib import closing

DATABASE = "ledger.db"
STEPS = {
    5: (
        "ALTER TABLE customer ADD COLUMN country TEXT NOT NULL DEFAULT 'DE'",
        "ALTER TABLE customer DROP COLUMN country",
    ),
    6: (
        "CREATE INDEX customer_by_name ON customer (name)",
        "DROP INDEX customer_by_name",
    ),
}


def main() -> int:
    """Do what was asked, all of it in one transaction."""
    way, wanted = sys.argv[1], int(sys.argv[2])
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("SELECT version FROM schema_version").fetchone()[0]
        steps = steps_between(version, wanted)
        if way == "show" or (way == "up") != (wanted > version):
            sys.stdout.write("".join(f"{text}\n" for _, text in steps) or "nothing to do\n")
            return 0 if way == "show" else 2
        for after, text in steps:
            connection.execute(text)
            connection.execute(
                "INSERT INTO migration_log (way, version) VALUES (?, ?)", (way, after)
            )
        connection.execute("UPDATE schema_version SET version = ?", (wanted,))
        connection.execute("COMMIT")
    sys.stdout.write(f"version {wanted}\n")
    return 0


def steps_between(version: int, wanted: int) -> list[tuple[int, str]]:
    """Return each statement on the way, with the version that it leads to."""
    if wanted > version:
        return [(number, STEPS[number][0]) for number in range(version + 1, wanted + 1)]
    return [(number - 1, STEPS[number][1]) for number in range(version, wanted, -1)]


if __name__ == "__main__":
    sys.exit(main())

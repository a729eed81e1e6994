"""What a database has around the trail: its triggers, as the release makes them, and its tables.

They resist and prove nothing, so whatever is odd about them is told and decides nothing.
"""

import hashlib
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, text

from storage.dispatch.jobs_schema import TABLES as JOBS
from storage.effect_record import EFFECTS
from storage.migrate import TABLE as REVISIONS
from storage.models import SEARCH_OBJECTS, Base

# Each trigger that the trail needs, by a digest of what makes it.
TRIGGERS = {
    "sqlite": {
        "audit_entry_no_delete": "acab166f575cd696",
        "audit_entry_only_place": "749d3c9f6be3876b",
    },
    "postgresql": {
        "audit_entry_no_delete": "a35088e092b7537a",
        "audit_entry_no_truncate": "c21cace726029e7c",
        "audit_entry_only_place": "db3eb72c8ae4a4b5",
        "audit_entry_writer_counts": "2feffc18f9f7e7d8",
    },
}
# Those that follow what is searched, or shut a log that moved.
OTHERS = frozenset(
    {
        "audit_entry_log_moved",
        "summary_fts_delete",
        "summary_fts_insert",
        "summary_fts_update",
        "summary_words_delete",
        "summary_words_insert",
        "summary_words_placed",
        "summary_words_unread",
        "summary_words_update",
    }
)
LIST = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": (
        "SELECT tgname, pg_get_triggerdef(t.oid, true) || ' ' || prosrc FROM pg_trigger t"
        " JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE relnamespace = current_schema()::regnamespace"
        " AND (tgenabled = 'A' OR tgenabled = CASE current_setting('session_replication_role')"
        " WHEN 'replica' THEN 'R' ELSE 'O' END) AND NOT tgisinternal"
        " AND relname NOT LIKE 'procrastinate_%' ORDER BY tgname"
    ),
}
KNOWN = frozenset({*Base.metadata.tables, *SEARCH_OBJECTS, *JOBS, REVISIONS, EFFECTS.name})


def odd_triggers(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each trigger that is missing, another one, or not ours."""
    dialect = connection.dialect.name
    found = {str(name): str(sql) for name, sql in connection.execute(text(LIST[dialect]))}
    for name, made in TRIGGERS[dialect].items():
        if name not in found:
            yield f"The trigger {name} is missing."
        elif _digest(found[name]) != made:
            yield f"The trigger {name} is not the one that belongs there."
    for name in sorted(found.keys() - TRIGGERS[dialect].keys() - OTHERS):
        yield f"The trigger {name} is not ours."


def unknown_tables(tables: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each table that no release of ours makes."""
    for name in sorted(set(tables) - KNOWN):
        yield f"The table {name} is not ours."


def _digest(sql: str) -> str:
    return hashlib.sha256(" ".join(sql.split()).encode()).hexdigest()[:16]

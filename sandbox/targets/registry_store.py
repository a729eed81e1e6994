"""The registry's own database: things that operations change, and a log of what was changed.

A thing has a kind, a name, fields, and a version that grows by one with each change. The log is
apart from the things on purpose: nothing keeps it from showing one change twice.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.targets.own_database import OwnDatabase, RefusedError

SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
  kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, changed_by TEXT NOT NULL,
  fields TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE IF NOT EXISTS answered (
  key TEXT PRIMARY KEY, asked TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effect_log (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL, what TEXT NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL);
"""
SEEDED = "seed"
THINGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "credentials": {
        "shop-api": {"current": 3, "previous": 0, "previous_uses": 0},
        "mailer": {"current": 8, "previous": 0, "previous_uses": 0},
    },
    "grants": {
        "petra": {"role": "none"},
        "rita": {"role": "reader"},
        "omar": {"role": "none"},
    },
    "flags": {
        "new-checkout": {"percent": 0, "errors_per_mille": 2},
        "dark-mode": {"percent": 25, "errors_per_mille": 0},
    },
    "hosts": {f"web-{number}": {"state": "serving"} for number in range(1, 7)},
    "customers": {
        "cus-107": {"records": 12, "on_hold": False},
        "cus-108": {"records": 4, "on_hold": True},
    },
    "dns": {
        "www.example.test": {"type": "A", "value": "192.0.2.10", "ttl": 300},
        "api.example.test": {"type": "A", "value": "192.0.2.20", "ttl": 300},
    },
    "invoices": {
        "inv-501": {
            "vendor": "Paper & Sons",
            "amount": 48000,
            "state": "open",
            "account_days": 900,
        },
        "inv-502": {"vendor": "Cloudy", "amount": 1250000, "state": "open", "account_days": 400},
        "inv-503": {"vendor": "New Ltd", "amount": 99000, "state": "open", "account_days": 3},
    },
    "releases": {name: {"built": True} for name in ("v1.4", "v1.5", "v1.6", "v1.7")},
    "deployments": {"web": {"release": "v1.6", "healthy": True}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was changed: under which key, what, of which thing, and to what."""

    key: str
    what: str
    kind: str
    name: str
    fields: Mapping[str, Any]


class RegistryStore:
    """The registry's database in a folder, filled when it is empty."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] | None = None) -> None:
        self._own = OwnDatabase(folder / "registry.db", SCHEMA)
        self.path = self._own.path
        self._now = now or (lambda: datetime.now(UTC))
        with self._own.connected() as connection:
            _fill(connection)

    def thing(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a thing, if it is there."""
        with self._own.connected() as connection:
            return _thing(connection, kind, name)

    def things(self, kind: str) -> list[dict[str, Any]]:
        """Return all things of a kind, by their names."""
        with self._own.connected() as connection:
            rows = connection.execute(
                "SELECT name FROM thing WHERE kind = ? ORDER BY name", (kind,)
            ).fetchall()
            found = (_thing(connection, kind, one["name"]) for one in rows)
            return [one for one in found if one is not None]

    def answered(self, key: str) -> dict[str, Any] | None:
        """Return what a change under that key was answered, if there was one."""
        with self._own.connected() as connection:
            row = connection.execute("SELECT answer FROM answered WHERE key = ?", (key,)).fetchone()
        return dict(json.loads(row["answer"])) if row else None

    def put(
        self, key: str, kind: str, name: str, *, version: int, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change some fields of a thing once per key; return the thing.

        Raises:
            RefusedError: no such thing, another version by now, or the key of another change.
        """

        def change(connection: sqlite3.Connection, before: Mapping[str, Any]) -> dict[str, Any]:
            kept = {one: value for one, value in before.items() if one not in _OWN}
            connection.execute(
                "UPDATE thing SET version = version + 1, changed_by = ?, fields = ?"
                " WHERE kind = ? AND name = ?",
                (key, json.dumps({**kept, **fields}), kind, name),
            )
            return _thing(connection, kind, name) or {}

        return self._changed(key, "put", (kind, name, version), fields, change)

    def remove(self, key: str, kind: str, name: str, *, version: int) -> dict[str, Any]:
        """Remove a thing once per key; return what it was.

        Raises:
            RefusedError: as `put`.
        """

        def change(connection: sqlite3.Connection, before: Mapping[str, Any]) -> dict[str, Any]:
            connection.execute("DELETE FROM thing WHERE kind = ? AND name = ?", (kind, name))
            return dict(before)

        return self._changed(key, "remove", (kind, name, version), {}, change)

    def effects(self) -> list[Change]:
        """Return everything that was changed since it was filled, oldest first."""
        with self._own.connected() as connection:
            rows = connection.execute("SELECT * FROM effect_log ORDER BY seq").fetchall()
        return [
            Change(
                key=one["key"],
                what=one["what"],
                kind=one["kind"],
                name=one["name"],
                fields=json.loads(one["fields"]),
            )
            for one in rows
        ]

    def _changed(
        self,
        key: str,
        what: str,
        which: tuple[str, str, int],
        fields: Mapping[str, Any],
        change: Callable[[sqlite3.Connection, Mapping[str, Any]], dict[str, Any]],
    ) -> dict[str, Any]:
        kind, name, version = which
        asked = json.dumps([what, kind, name, version, dict(fields)], sort_keys=True)
        with self._own.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            known = connection.execute("SELECT * FROM answered WHERE key = ?", (key,)).fetchone()
            if known is not None:
                if known["asked"] != asked:
                    raise RefusedError(409, "This key belongs to another change.")
                return dict(json.loads(known["answer"]))
            before = _thing(connection, kind, name)
            if before is None:
                raise RefusedError(404, f"There is no {kind} {name}.")
            if before["version"] != version:
                raise RefusedError(409, f"It has version {before['version']} by now.")
            after = change(connection, before)
            connection.execute(
                "INSERT INTO answered VALUES (?, ?, ?)", (key, asked, json.dumps(after))
            )
            connection.execute(
                "INSERT INTO effect_log (at, key, what, kind, name, fields)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._now().isoformat(), key, what, kind, name, json.dumps(dict(fields))),
            )
            connection.execute("COMMIT")
        return after


_OWN = frozenset({"name", "version", "changed_by"})


def _thing(connection: sqlite3.Connection, kind: str, name: str) -> dict[str, Any] | None:
    row = connection.execute(
        "SELECT * FROM thing WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    if row is None:
        return None
    own = {one: row[one] for one in ("name", "version", "changed_by")}
    return {**json.loads(row["fields"]), **own}


def _fill(connection: sqlite3.Connection) -> None:
    """Write the things, the same ones every time, unless there are some."""
    # Not by counting: what was removed is not to come back.
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        rows = [
            (kind, name, 1, SEEDED, json.dumps(fields))
            for kind, things in THINGS.items()
            for name, fields in things.items()
        ]
        connection.executemany("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("PRAGMA user_version = 1")
    connection.execute("COMMIT")

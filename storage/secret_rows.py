"""Kept secrets as stored: sealed, each version bound to its name, listed without their values.

Setting and forgetting one is an entry, from which its row follows; the sealed value is written
beside it in the same unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.change import RowSql, read_moment, read_moment_or_none
from storage.transaction import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """A secret that is kept here, without its value."""

    name: str
    version: int
    set_at: datetime
    rotated_at: datetime | None


def secret_name(name: str, version: int) -> str:
    """Return the name under which a version of a secret is sealed."""
    return f"secret/{name}/{version}"


class SecretSql(RowSql):
    """The statements on secrets, on one transaction."""

    __slots__ = ()

    def hold(self, name: str) -> tuple[int, bool]:
        """Return the newest version of a secret, 0 before the first, and whether it is kept.

        Whoever else wants to change it waits, also for the first one, which has no row to lock.
        """
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 4))", name)
        # The release before waits at the row alone.
        tail = "" if self._is_sqlite else " FOR UPDATE"
        words = f"SELECT version, sealed IS NOT NULL FROM secret WHERE name = ?{tail}"  # noqa: S608  two fixed texts
        found = self.run(words, name).fetchone()
        return (0, False) if found is None else (int(found[0]), bool(found[1]))

    def put(self, name: str, sealed: bytes | None) -> None:
        """Store the sealed value of the newest version; None removes it."""
        self.run("UPDATE secret SET sealed = ? WHERE name = ?", sealed, name)

    def set_now(self) -> Sequence[tuple[str, int]]:
        """Return the name and version of every secret that is kept."""
        words = "SELECT name, version FROM secret WHERE forgotten_at IS NULL ORDER BY name"
        return [(str(name), int(version)) for name, version in self.run(words).fetchall()]


def sealed_secret(database: Database, name: str) -> tuple[int, bytes] | None:
    """Return the newest version of a secret and its sealed value, None if it is not kept."""
    with database.glance() as tx:
        found = tx.run("SELECT version, sealed FROM secret WHERE name = ?", (name,)).fetchone()
    return None if found is None or found[1] is None else (int(found[0]), bytes(found[1]))


def kept_names(database: Database) -> list[str]:
    """Return the names of all secrets that are kept."""
    with database.glance() as tx:
        words = "SELECT name FROM secret WHERE sealed IS NOT NULL ORDER BY name"
        return [str(one[0]) for one in tx.run(words).fetchall()]


def list_secrets(database: Database) -> list[KeptSecret]:
    """Return every secret that is kept, in order of their names."""
    with database.glance() as tx:
        rows = tx.run(
            "SELECT name, version, set_at, rotated_at FROM secret WHERE sealed IS NOT NULL"
            " ORDER BY name"
        ).fetchall()
    return [_kept(*one) for one in rows]


def _kept(name: str, version: int, set_at: Any, rotated_at: Any) -> KeptSecret:  # noqa: ANN401  the driver's
    return KeptSecret(
        name=name,
        version=version,
        set_at=read_moment(set_at),
        rotated_at=read_moment_or_none(rotated_at),
    )


def note_use(database: Database, name: str, *, at: datetime) -> None:
    """Remember that a secret was used at `at`."""
    with database.begin() as tx:
        RowSql(tx).run(
            "INSERT INTO secret_use (name, used_at) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at",
            *(name, at),
        )


def uses(database: Database) -> dict[str, datetime]:
    """Return when each secret was last used."""
    with database.glance() as tx:
        rows = tx.run("SELECT name, used_at FROM secret_use").fetchall()
    return {str(name): read_moment(at) for name, at in rows}

"""Values that lie encrypted in the database: each under its name, by a key kept outside it.

AES-256-GCM (NIST SP 800-38D) with associated data: what was sealed for one log and name opens
for no other. The key that seals is itself kept in the database, wrapped by the master key
(`master_key`). The one before it is kept too, until the next one: a process that still sealed
by it while it was replaced lost nothing. Replacing it is for `resealing`.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from cryptography.exceptions import InvalidTag

from storage.change import RowSql
from storage.master_key import KEY_BYTES, Master, opened_by, sealed_by
from storage.transaction import Database
from workflows.errors import SecretError

Keys: TypeAlias = tuple[bytes, ...]  # The first seals; each of them opens.


class Sealer:
    """Seals and opens values for one log. Safe to share between threads. It prints no key."""

    def __init__(
        self, read_keys: Callable[[], Keys], log: str, *, fixed: Keys | None = None
    ) -> None:
        """`read_keys` is asked where no known key opens, and before each sealing but by `fixed`."""
        self.log = log
        self._read_keys = read_keys
        self._fixed = fixed
        self._keys = read_keys() if fixed is None else fixed

    def ready(self) -> "Sealer":
        """Return a sealer by the keys in force now, which asks nobody: what a unit may use.

        What it seals after they were replaced opens by the key before, unless that was twice;
        what others sealed by a newer one meanwhile it still opens, by asking.
        """
        keys = self._keys = self._read_keys()
        return Sealer(self._read_keys, self.log, fixed=keys)

    def seal(self, value: bytes, *, name: str) -> bytes:
        """Return `value` so that only `open_sealed` of the same log and name reads it.

        The key is the one in force now: whoever replaced it twice opens no older one.
        """
        self._keys = self._fixed or self._read_keys()
        return sealed_by(self._keys[0], value, self._bound_to(name))

    def open_sealed(self, sealed: bytes, *, name: str) -> bytes:
        """Return what was sealed under `name`.

        Raises:
            SecretError: it was changed, or sealed for another name, log or key.
        """
        aad = self._bound_to(name)
        for key in self._to_try():
            with suppress(InvalidTag, ValueError):
                return opened_by(key, sealed, aad)
        raise SecretError(
            f"What is stored as {name} cannot be opened.",
            hint="It was changed, or belongs to another log. Store it anew.",
        )

    def _to_try(self) -> Iterator[bytes]:
        """Yield the keys that are known, then those that another process has put in place."""
        known = self._keys
        yield from known
        self._keys = self._read_keys()
        yield from (one for one in self._keys if one not in known)

    def _bound_to(self, name: str) -> bytes:
        return f"{self.log}\0{name}\0v1".encode()


def open_sealer(database: Database, *, log: str, master: Master, now: datetime) -> Sealer:
    """Return the sealer of this database; its key is made on first use.

    Raises:
        SecretError: the master key is not the one that this database was sealed under, or it
            cannot be asked.
    """
    if not wrapped_keys(database):
        fresh = master.wrap(secrets.token_bytes(KEY_BYTES), aad=wrapped_for(log))
        with database.begin() as tx:
            # Whoever is first decides; another process takes that key too.
            RowSql(tx).run(
                "INSERT INTO sealing_key (id, wrapped, made_at) VALUES (1, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                fresh,
                now,
            )

    @lru_cache(maxsize=2)
    def unwrapped(one: bytes) -> bytes:
        return master.unwrap(one, aad=wrapped_for(log))

    return Sealer(lambda: tuple(map(unwrapped, wrapped_keys(database))), log)


def wrapped_for(log: str) -> bytes:
    """Return what the wrapped keys of a log are bound to."""
    return f"{log}\0sealing-key\0v1".encode()


def wrapped_keys(database: Database) -> tuple[bytes, ...]:
    """Return the keys of a database as they lie there: the one in force, then the one before."""
    with database.glance() as tx:
        found = tx.run("SELECT wrapped, previous FROM sealing_key").fetchone()
    return tuple(bytes(one) for one in found or () if one is not None)

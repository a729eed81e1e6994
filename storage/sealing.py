"""Values that lie encrypted in the database: each under its name, by a key kept outside it.

AES-256-GCM (NIST SP 800-38D) with associated data: what was sealed for one log and name opens
for no other. The key that seals is itself kept in the database, wrapped by the master key of
the home, so that a new master key wraps one row again and touches no sealed value.
"""

import base64
import binascii
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from storage.access_models import SealingKeyRecord
from storage.change import RowSql
from storage.keys import OTHERS
from storage.transaction import Database
from workflows.errors import SecretError

MASTER_KEY = "secrets.key"
VARIABLE = "INTERLOCK_SECRETS_KEY"
KEY_BYTES, NONCE_BYTES = 32, 12
_FORMAT = b"\x01"
_PREFIX = len(_FORMAT) + NONCE_BYTES


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens values for one log. Safe to share between threads."""

    _key: bytes = field(repr=False)
    log: str

    def seal(self, value: bytes, *, name: str) -> bytes:
        """Return `value` so that only `open_sealed` of the same log and name reads it."""
        return _sealed(self._key, value, self._bound_to(name))

    def open_sealed(self, sealed: bytes, *, name: str) -> bytes:
        """Return what was sealed under `name`.

        Raises:
            SecretError: it was changed, or sealed for another name, log or key.
        """
        try:
            return _opened(self._key, sealed, self._bound_to(name))
        except (InvalidTag, ValueError):
            raise SecretError(
                f"What is stored as {name} cannot be opened.",
                hint="It was changed, or belongs to another log. Store it anew.",
            ) from None

    def _bound_to(self, name: str) -> bytes:
        return f"{self.log}\0{name}\0v1".encode()


def open_sealer(database: Database, *, log: str, master: bytes, now: datetime) -> Sealer:
    """Return the sealer of this database; its key is made on first use.

    Raises:
        SecretError: the master key is not the one that this database was sealed under.
    """
    aad = f"{log}\0sealing-key\0v1".encode()
    wrapped = _stored(database)
    if wrapped is None:
        fresh = _sealed(master, secrets.token_bytes(KEY_BYTES), aad)
        with database.begin() as tx:
            # Whoever is first decides; another process takes that key too.
            RowSql(tx).run(
                "INSERT INTO sealing_key (id, wrapped, made_at) VALUES (1, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                fresh,
                now,
            )
        wrapped = _stored(database)
    try:
        return Sealer(_opened(master, wrapped or b"", aad), log)
    except (InvalidTag, ValueError):
        raise SecretError(
            "The secrets in this database were sealed under another master key.",
            hint=f"Copy keys/{MASTER_KEY} from the machine that made it, or set {VARIABLE}_FILE.",
        ) from None


def _stored(database: Database) -> bytes | None:
    with database.read() as connection:
        return connection.execute(select(SealingKeyRecord.wrapped)).scalar()


def master_key(home: Path, given: str = "") -> bytes:
    """Return the master key: `given` as base64, else the home's own, made if there is none.

    Raises:
        SecretError: it is no key, cannot be read, or others may read its file.
    """
    if given:
        return _key_of(given, VARIABLE)
    path = home / "keys" / MASTER_KEY
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & OTHERS:
            raise SecretError(
                f"Others may read {path.name}.",
                hint=f"chmod 600 {path}; if somebody may have read it, replace what it sealed.",
            )
        return _key_of(path.read_text(encoding="ascii"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{path.name} cannot be read: {error}.") from error


def _key_of(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretError(
            f"{name} is not {KEY_BYTES} bytes in base64.",
            hint="Make one with: openssl rand -base64 32",
        )
    return key


def _make(path: Path) -> None:
    """Write a new key whole or not at all; one that another process made meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _sealed(key: bytes, value: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, value, aad)


def _opened(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    if sealed[: len(_FORMAT)] != _FORMAT:
        raise ValueError("an unknown format")
    return AESGCM(key).decrypt(sealed[len(_FORMAT) : _PREFIX], sealed[_PREFIX:], aad)

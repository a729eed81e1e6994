"""The key over the key: it wraps what seals values, and never lies in the database.

It is a file in the home folder, or given by the environment. A key in a service that wraps for
us (KMS) has the same form and lives elsewhere, since it is asked over a network.
"""

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.flushed import flush_folder
from storage.half_written import clear_half_written, fresh_name
from storage.keys import OTHERS
from workflows.errors import SecretError

NAME = "secrets.key"
NEXT = "secrets.key.next"  # Where a new one stands until the database is wrapped by it.
VARIABLE = "INTERLOCK_SECRETS_KEY"
KEY_BYTES, NONCE_BYTES = 32, 12
BY_KEY = b"\x01"  # How something begins that was wrapped or sealed by AES-256-GCM.
_PREFIX = len(BY_KEY) + NONCE_BYTES


class Master(Protocol):
    """Wraps a key and unwraps it. What is wrapped says in its first byte by which kind."""

    def wrap(self, key: bytes, *, aad: bytes) -> bytes:
        """Return `key` so that only `unwrap` with the same `aad` gives it back.

        Raises:
            SecretError: there is no master key here, or it cannot be asked.
        """

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> bytes:
        """Return the key.

        Raises:
            SecretError: it was wrapped by another master key, or this one cannot be asked.
        """

    def settle(self) -> None:
        """Take note that the database is wrapped by this one, and by none before it."""


class KeyMaster:
    """Master keys that this process holds: the first wraps, each may unwrap."""

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    def wrap(self, key: bytes, *, aad: bytes) -> bytes:
        return sealed_by(self._keys[0], key, aad)

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> bytes:
        for key in self._keys:
            with suppress(InvalidTag, ValueError):
                return opened_by(key, wrapped, aad)
        raise another_key()

    def settle(self) -> None:
        """Nothing is to be done: whoever gave the key takes the earlier one away."""


class HomeMaster:
    """The master key in the home folder, made when first needed.

    A new one stands beside it until the database is wrapped by it. Whenever the process dies,
    one of the two opens the database; the one that does is the only one kept.
    """

    def __init__(self, home: Path, *, is_next: bool = False) -> None:
        """With `is_next` it wraps under a new key, which counts once it is settled."""
        self._current = home / "keys" / NAME
        self._next = home / "keys" / NEXT
        self._is_next = is_next

    def following(self) -> "HomeMaster":
        """Return a master with a new key, written down but not in force yet.

        One that stands there already stays: where a process died, it may be the only one that
        opens the database, and whoever unwraps that puts it in force first.
        """
        _make(self._next)
        return HomeMaster(self._current.parents[1], is_next=True)

    def wrap(self, key: bytes, *, aad: bytes) -> bytes:
        return sealed_by(_read(self._next if self._is_next else self._current), key, aad)

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> bytes:
        with suppress(InvalidTag, ValueError):
            return opened_by(_read(self._current), wrapped, aad)
        with suppress(InvalidTag, ValueError):
            if self._next.exists():
                key = opened_by(_read(self._next), wrapped, aad)
                self._promote()  # Whoever made it died between the database and the file.
                return key
        raise another_key()

    def settle(self) -> None:
        if self._is_next:
            self._promote()

    def _promote(self) -> None:
        """Put the new key in the place of the one before it, for good."""
        with suppress(FileNotFoundError):  # Another thread or process was quicker.
            os.replace(self._next, self._current)  # noqa: PTH105  as rename(2), whole or not at all
        flush_folder(self._current.parent)


def sealed_by(key: bytes, value: bytes, aad: bytes) -> bytes:
    """Return `value`, encrypted under `key` and bound to `aad`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return BY_KEY + nonce + AESGCM(key).encrypt(nonce, value, aad)


def opened_by(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        InvalidTag, ValueError: it was changed, or sealed under another key or for another use.
    """
    if sealed[: len(BY_KEY)] != BY_KEY:
        raise ValueError("an unknown format")
    return AESGCM(key).decrypt(sealed[len(BY_KEY) : _PREFIX], sealed[_PREFIX:], aad)


def another_key() -> SecretError:
    """Return the refusal of whoever has not the right master key."""
    return SecretError(
        "The secrets in this database were sealed under another master key.",
        hint=f"Copy keys/{NAME} from the machine that made it, or set {VARIABLE}_FILE.",
    )


def read_key(text: str, name: str) -> bytes:
    """Return the master key that `text` spells in base64.

    Raises:
        SecretError: it spells none.
    """
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


def _read(path: Path) -> bytes:
    try:
        clear_half_written(path)
        if not path.exists():
            _make(path)
        if path.stat().st_mode & OTHERS:
            raise SecretError(
                f"Others may read {path.name}.",
                hint=f"chmod 600 {path}; if somebody may have read it, replace what it sealed.",
            )
        return read_key(path.read_text(encoding="ascii"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{path.name} cannot be read: {error}.") from error


def _make(path: Path) -> None:
    """Write a new key whole or not at all; one that another process made meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = fresh_name(path)
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
    flush_folder(path.parent)
    flush_folder(path.parents[1])  # The folder of keys may be new.

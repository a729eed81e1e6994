"""Signing keys in files below the home folder, readable by their owner alone.

A process has its own writer key, which signs entries; every process that sequences holds the
hot log key, which signs heads. A key in a device implements `checkpoint.Signer` instead.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import VerifierKey, key_id
from storage.flushed import flush_folder
from storage.half_written import clear_half_written, fresh_name
from storage.pem import pem_of, read_pem
from workflows.errors import SigningKeyError

LOG_KEY = "log.pem"
WRITER_KEY = "writer.pem"
# Made by a rotation, and not used yet.
NEXT_LOG_KEY = "log-next.pem"
NEXT_WRITER_KEY = "writer-next.pem"
OTHERS = 0o077


class Writer(Protocol):
    """Whoever signs entries here; a rotation changes with which key."""

    def current(self) -> "WriterKey":
        """Return the key to sign with now."""


@dataclass(frozen=True, slots=True)
class WriterKey:
    """The key with which one process signs entries."""

    private: Ed25519PrivateKey
    public: bytes
    id: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> "WriterKey":
        """Return the writer key around `private`."""
        public = private.public_key().public_bytes_raw()
        return cls(private, public, key_id(public))

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self.private.sign(message)

    def current(self) -> "WriterKey":
        """Return this key: one that is given never changes."""
        return self

    def possession(self, origin: str) -> bytes:
        """Return the proof that whoever enrols this key holds it (AUDIT.md section 12)."""
        return self.sign(possession_message(origin, self.id))


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log key in a file: signs heads of the log `origin`."""

    private: Ed25519PrivateKey
    key: VerifierKey
    vkey: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey, origin: str) -> "LogKey":
        """Return the log key around `private`, for the log `origin`."""
        public = private.public_key().public_bytes_raw()
        key = VerifierKey(origin, public)
        return cls(private, key, str(key))

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self.private.sign(message)


class HomeWriter:
    """The writer key of a home, followed when a rotation puts another in its place.

    Several processes may share a home, and only one of them carries out the rotation. A file
    that holds no enrolled key is not followed: its entries would not count.
    """

    def __init__(self, home: Path, *, is_enrolled: Callable[[WriterKey], bool]) -> None:
        self._home = home
        self._file = str(home / "keys" / WRITER_KEY)
        self._is_enrolled = is_enrolled
        self._seen = _stamp(self._file)
        self._key = WriterKey.of(load_key(home, WRITER_KEY))

    def current(self) -> WriterKey:
        """Return the key to sign with now. The look at the file takes some microseconds."""
        stamp = _stamp(self._file)
        if stamp != self._seen:
            self._follow()
            self._seen = stamp
        return self._key

    def _follow(self) -> None:
        try:
            found = WriterKey.of(load_key(self._home, WRITER_KEY))
        except SigningKeyError:
            return  # What is in memory still signs.
        if found.id != self._key.id and self._is_enrolled(found):
            self._key = found


def possession_message(origin: str, writer_id: str) -> bytes:
    """Return what a new writer key signs to show that its holder has it."""
    return f"audit-key-pop/v1\n{origin}\n{writer_id}".encode()


def load_key(home: Path, name: str) -> Ed25519PrivateKey:
    """Return the private key of that file.

    Raises:
        SigningKeyError: missing, unreadable, open to others, or of another kind.
    """
    path = home / "keys" / name
    try:
        if path.stat().st_mode & OTHERS:
            raise SigningKeyError(
                f"Others may read {path.name}.",
                hint=f"chmod 600 {path}; if somebody may have read it, begin a successor log.",
            )
        private = read_pem(path.read_bytes())
    except FileNotFoundError:
        raise SigningKeyError(
            f"The signing key {path.name} is missing.",
            hint="Bring it back from its backup. A machine that joins a log needs a copy of"
            " keys/log.pem, and a writer key of its own: `interlock keys new`. A new log begins"
            " with `interlock init`.",
        ) from None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path.name} is not an Ed25519 key.")
    return private


def load_or_create_key(home: Path, name: str) -> Ed25519PrivateKey:
    """Return the private key of that file, made now if there is none.

    What a process left that was killed while it made one is cleared away.
    """
    clear_half_written(home / "keys" / name)
    if not (home / "keys" / name).exists():
        save_key(home, name, Ed25519PrivateKey.generate())
    # Whoever made it may have died before its name, or that of the folder, was on the disk.
    flush_folder(home / "keys")
    flush_folder(home)
    return load_key(home, name)


def save_key(home: Path, name: str, private: Ed25519PrivateKey) -> None:
    """Write a key once, whole or not at all; a file that stands there stays.

    Raises:
        SigningKeyError: there is such a file already.
    """
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = fresh_name(folder / name)
    data = pem_of(private)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(fresh, folder / name)
    except FileExistsError:
        raise SigningKeyError(f"{name} exists already.", hint="Move it away first.") from None
    finally:
        fresh.unlink()
    flush_folder(folder)


def replace_key(home: Path, name: str) -> None:
    """Put the next key into the place of the key `name`, which is kept beside it.

    At every instant there is a whole file `name`; cut short, it may be done again.
    """
    folder, present = home / "keys", Path(name)
    old = WriterKey.of(load_key(home, name))
    # A restored copy of the log needs the old one.
    kept = folder / f"{present.stem}-{old.id}.pem"
    if not kept.exists():
        os.link(folder / name, kept)
        flush_folder(folder)
    (folder / f"{present.stem}-next.pem").replace(folder / name)
    flush_folder(folder)


def private_halves(home: Path) -> Mapping[str, str]:
    """Return the names of the key files of a home that can be read, by the ids of their keys.

    The one in use comes last, so that its name stands where a file is there twice.
    """
    found: dict[str, str] = {}
    names = sorted(path.name for path in (home / "keys").glob("*.pem"))
    for name in sorted(names, key=lambda one: one in {LOG_KEY, WRITER_KEY}):
        try:
            found[WriterKey.of(load_key(home, name)).id] = name
        except SigningKeyError:
            continue
    return found


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  a Path would take ten times as long, for each entry
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns

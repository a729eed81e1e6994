"""Signing keys in files below the home folder, readable by their owner alone.

A process has its own writer key, which signs entries; every process that sequences holds the
hot log key, which signs heads. A key in a device implements `checkpoint.Signer` instead.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from storage.checkpoint import VerifierKey, key_id
from workflows.errors import SigningKeyError

LOG_KEY = "log.pem"
WRITER_KEY = "writer.pem"
OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class WriterKey:
    """The key with which one process signs entries."""

    private: Ed25519PrivateKey
    public: bytes
    id: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> "WriterKey":
        """Return the writer key around `private`."""
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(private, public, key_id(public))

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self.private.sign(message)

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
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = VerifierKey(origin, public)
        return cls(private, key, str(key))

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self.private.sign(message)


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
        private = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise SigningKeyError(
            f"The signing key {path.name} is missing.",
            hint="Bring it back from its backup, or run `interlock init` for a new log.",
        ) from None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path.name} is not an Ed25519 key.")
    return private


def load_or_create_key(home: Path, name: str) -> Ed25519PrivateKey:
    """Return the private key of that file, made now if there is none."""
    if not (home / "keys" / name).exists():
        save_key(home, name, Ed25519PrivateKey.generate())
    return load_key(home, name)


def save_key(home: Path, name: str, private: Ed25519PrivateKey) -> None:
    """Write a key once, whole or not at all; a file that stands there stays.

    Raises:
        SigningKeyError: there is such a file already.
    """
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f".{name}.{os.getpid()}"
    data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
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

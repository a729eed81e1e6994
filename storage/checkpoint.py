"""Signed heads of the log: C2SP checkpoints, signed notes and verifier keys (AUDIT.md section 6).

Which keys count at which size is decided by `verify`; where heads are kept, by `sequencing`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
ID_BYTES = 4
DASH = "\N{EM DASH}"
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
# What is space to one reader of a note and none to another stands in no name.
ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f\x85\ufeff]{1,255}")
FINGERPRINT = 12
# Control characters but LF, and what stands for a byte that is no UTF-8.
NO_NOTE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")


class MalformedNoteError(ValueError):
    """Text that is no note, no checkpoint or no verifier key."""


class BadSignatureError(ValueError):
    """A line under a known key does not verify, so the note is rejected."""


class Signer(Protocol):
    """Whoever signs heads: a key in a file, or one that never leaves its device."""

    @property
    def vkey(self) -> str:
        """The verifier key that belongs to it."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of the log `origin` at a moment."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by which a log's notes are checked."""

    name: str
    public: bytes
    note_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Compute the four bytes that stand before a signature."""
        material = self.name.encode() + b"\n" + ED25519 + self.public
        object.__setattr__(self, "note_id", hashlib.sha256(material).digest()[:ID_BYTES])

    @property
    def id(self) -> str:
        """The id under which `key.retire` names it: 16 hex digits."""
        return key_id(self.public)

    def __str__(self) -> str:
        key = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.note_id.hex()}+{key}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Say whether `signature` over `message` is of this key."""
        return is_signature(self.public, signature, message)


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line of a note: who claims to have signed, and the bytes."""

    name: str
    note_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{DASH} {self.name} {base64.b64encode(self.note_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint with its signature lines, not yet verified."""

    checkpoint: Checkpoint
    lines: tuple[SignatureLine, ...]

    def signers(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """Return the keys that signed; lines of unknown keys are ignored.

        Raises:
            BadSignatureError: one bad line under a known key rejects the note.
        """
        message = self.checkpoint.text.encode()
        by_id = {(key.name, key.note_id): key for key in keys}
        found = []
        for line in self.lines:
            key = by_id.get((line.name, line.note_id))
            if key is None:
                continue
            if not key.verifies(line.signature, message):
                raise BadSignatureError(f"The line of key {key.id} does not verify.")
            found.append(key)
        return found


def key_id(public: bytes) -> str:
    """Return the id of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether `signature` over `message` is of the key `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_vkey(text: str) -> VerifierKey:
    """Return the verifier key that `text` spells.

    Raises:
        MalformedNoteError: not one, or with an id that is not its own.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  name, id, key
        raise MalformedNoteError("A verifier key reads name+id+key.")
    name, note_id, encoded = parts
    material = _decode(encoded)
    if len(material) != 1 + KEY_BYTES or material[:1] != ED25519:
        raise MalformedNoteError("Only Ed25519 verifier keys are used.")
    key = VerifierKey(name, material[1:])
    if ORIGIN.fullmatch(name) is None or str(key) != text.strip() or note_id != key.note_id.hex():
        raise MalformedNoteError("The verifier key's id is not its own.")
    return key


class NoteSigner:
    """Signs heads with one line for each of its signers, whose verifier keys are read once."""

    def __init__(self, signers: Iterable[Signer]) -> None:
        self._signers = [(one, read_vkey(one.vkey)) for one in signers]

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the note over `checkpoint`."""
        text = checkpoint.text
        message = text.encode()
        lines = [signature_line(key, one.sign(message)) for one, key in self._signers]
        return f"{text}\n{''.join(lines)}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Return the line that carries `signature` of `key`."""
    return str(SignatureLine(key.name, key.note_id, signature))


def read_note(text: str) -> Note:
    """Return the note that `text` spells, unverified.

    Raises:
        MalformedNoteError: not a note over a checkpoint of three lines.
    """
    if NO_NOTE.search(text):
        raise MalformedNoteError("A note is UTF-8, and holds no control characters.")
    body, separator, signatures = text.partition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise MalformedNoteError("A note has a text, an empty line and signature lines.")
    lines = tuple(_signature(line) for line in signatures[:-1].split("\n"))
    return Note(_checkpoint(body), lines)


def fingerprint(root: bytes) -> str:
    """Return the 12 characters that people compare: the start of a note's third line."""
    return base64.b64encode(root).decode()[:FINGERPRINT]


def _checkpoint(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 3:  # noqa: PLR2004  origin, size, root
        raise MalformedNoteError("A checkpoint has exactly three lines.")
    origin, size, root = lines
    if ORIGIN.fullmatch(origin) is None or SIZE.fullmatch(size) is None:
        raise MalformedNoteError("A checkpoint names its origin and a size.")
    digest = _decode(root)
    if len(digest) != hashlib.sha256().digest_size:
        raise MalformedNoteError("A checkpoint's root has 32 bytes.")
    return Checkpoint(origin, int(size), digest)


def _signature(line: str) -> SignatureLine:
    words = line.split(" ")
    if len(words) != 3 or words[0] != DASH:  # noqa: PLR2004  dash, name, bytes
        raise MalformedNoteError("A signature line reads: dash, name, base64.")
    data = _decode(words[2])
    if len(data) <= ID_BYTES:
        raise MalformedNoteError("A signature line holds a key id and a signature.")
    return SignatureLine(words[1], data[:ID_BYTES], data[ID_BYTES:])


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNoteError("Not base64.") from None
    if base64.b64encode(data).decode() != text:
        raise MalformedNoteError("Another spelling of base64 than ours.")
    return data

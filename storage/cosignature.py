"""Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519): who saw this head, and when."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.checkpoint import (
    ID_BYTES,
    KEY_BYTES,
    ORIGIN,
    SIGNATURE_BYTES,
    MalformedNoteError,
    Note,
    SignatureLine,
    is_signature,
)

COSIGNATURE = b"\x04"
TIME_BYTES = 8
LATEST = 1 << 62


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A public key by which a witness's lines are checked."""

    name: str
    public: bytes

    @property
    def note_id(self) -> bytes:
        """Return the four bytes that stand before its signatures."""
        material = self.name.encode() + b"\n" + COSIGNATURE + self.public
        return hashlib.sha256(material).digest()[:ID_BYTES]

    def __str__(self) -> str:
        key = base64.b64encode(COSIGNATURE + self.public).decode()
        return f"{self.name}+{self.note_id.hex()}+{key}"

    def is_of(self, line: SignatureLine) -> bool:
        """Say whether a line claims to be of this key."""
        return (line.name, line.note_id) == (self.name, self.note_id)

    def seen_at(self, note: Note, line: SignatureLine) -> datetime | None:
        """Return when the witness saw the head, as its line says; None if that is false."""
        stamp, signature = line.signature[:TIME_BYTES], line.signature[TIME_BYTES:]
        seconds = int.from_bytes(stamp, "big")
        message = cosigned(note.checkpoint.text, seconds)
        if len(signature) != SIGNATURE_BYTES or not is_signature(self.public, signature, message):
            return None
        return datetime.fromtimestamp(seconds, UTC) if seconds < LATEST else None


def cosigned(text: str, seconds: int) -> bytes:
    """Return what a witness signs: that it saw this head at that second."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def read_witness_key(text: str) -> WitnessKey:
    """Return the key of a witness that `text` spells.

    Raises:
        MalformedNoteError: not one, or with an id that is not its own.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  name, id, key
        raise MalformedNoteError("A witness's key reads name+id+key.")
    name, _, encoded = parts
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise MalformedNoteError("A witness's key ends in base64.") from error
    if len(material) != 1 + KEY_BYTES or material[:1] != COSIGNATURE:
        raise MalformedNoteError("Only witnesses with an Ed25519 key are asked.")
    key = WitnessKey(name, material[1:])
    if ORIGIN.fullmatch(name) is None or str(key) != text.strip():
        raise MalformedNoteError("The witness's key has an id that is not its own.")
    return key

"""That a key signed an entry: claims, and which of them are false.

The processes that a verification spreads over begin with this file, so it imports no more than
it takes.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.entry_bytes import ENTRY_TYPE, MalformedEntryError, body_of, decode64, pae

SIGNATURE_BYTES = 64


class Claim(NamedTuple):
    """That `public` signed the line at `place`."""

    place: int
    public: bytes
    signature: str
    line: bytes


def false_claims(claims: Sequence[Claim]) -> list[int]:
    """Return the places of the entries whose signature is false."""
    return [claim.place for claim in claims if not _holds(claim)]


def _holds(claim: Claim) -> bool:
    try:
        signature = decode64(claim.signature, SIGNATURE_BYTES)
        _key(claim.public).verify(signature, pae(ENTRY_TYPE, body_of(claim.line)))
    except (InvalidSignature, MalformedEntryError, ValueError):
        return False
    return True


@cache
def _key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)

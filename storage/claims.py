"""That a key signed an entry: claims, and which of them are false.

The processes that a verification spreads over begin with this file, so it imports no more than
it takes.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.entry_bytes import ENTRY_TYPE, MalformedEntryError, body_of, decode64, pae

SIGNATURE_BYTES = 64


# A place, a public key, a signature, and the line at that place that the key is said to have
# signed. Many of them go to another process, which for a class of its own takes thrice the time.
Claim: TypeAlias = tuple[int, bytes, str, bytes]


def false_claims(claims: Sequence[Claim]) -> list[int]:
    """Return the places of the entries whose signature is false."""
    return [
        place for place, public, signature, line in claims if not _holds(public, signature, line)
    ]


def _holds(public: bytes, encoded: str, line: bytes) -> bool:
    try:
        signature = decode64(encoded, SIGNATURE_BYTES)
        _key(public).verify(signature, pae(ENTRY_TYPE, body_of(line)))
    except (InvalidSignature, MalformedEntryError, ValueError):
        return False
    return True


@cache
def _key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)

"""What a token of a program looks like: how one is made, checked at a glance, and stored.

A token is `ilk_`, 43 letters and digits that write 256 random bits, and 6 that are a checksum
of them. The prefix and the checksum let secret scanners find a leaked one and be sure of it.
Only its SHA-256 is stored: 256 random bits cannot be guessed from it, so nothing slower is needed.
"""

import hashlib
import re
import zlib

PREFIX = "ilk_"
BYTES = 32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECK = 43, 6  # What 256 and 32 bits need in 62 letters.
_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_BODY}}})([0-9A-Za-z]{{{_CHECK}}})")


def make_token(random: bytes) -> str:
    """Return the token that `random`, 32 bytes, stands for.

    Raises:
        ValueError: there are not 32 of them.
    """
    if len(random) != BYTES:
        raise ValueError(f"a token is made of {BYTES} random bytes, not {len(random)}")
    body = _written(int.from_bytes(random), _BODY)
    return f"{PREFIX}{body}{_checksum(body)}"


def is_token(text: str) -> bool:
    """Say whether `text` is a token in form, whether or not it was ever given out."""
    found = _FORM.fullmatch(text)
    return found is not None and found[2] == _checksum(found[1])


def digest_of(token: str) -> str:
    """Return what is stored of a token: the hex SHA-256 of its letters."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _written(zlib.crc32(body.encode()), _CHECK)


def _written(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))

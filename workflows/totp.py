"""One-time codes by time (RFC 6238) as authenticator apps make them. Pure.

HMAC-SHA-1, six digits, a new code each 30 seconds: other choices exist in the standard, and
apps ignore them. A code of the step before or after counts too, since clocks differ.
"""

import base64
import hmac
import re
from datetime import datetime

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20  # As long as the digest, as RFC 4226 recommends.
_TOLERATED = (0, -1, 1)
_IGNORED = re.compile(r"[\s\u00a0-]+")


def step_at(moment: datetime) -> int:
    """Return the number of the time step in which `moment` lies."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_of(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """Return the code of a time step."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def matching_step(secret: bytes, code: str, *, at: datetime) -> int | None:
    """Return the time step whose code this is at that moment, None if it is of none."""
    now = step_at(at)
    matching = [
        now + shift
        for shift in _TOLERATED
        if hmac.compare_digest(code_of(secret, now + shift), code)
    ]
    return max(matching, default=None)


def read_code(typed: str) -> str | None:
    """Return the digits that somebody typed, as apps show them in groups; None if it is no code."""
    code = _IGNORED.sub("", typed)
    return code if len(code) == DIGITS and code.isascii() and code.isdigit() else None


def written(secret: bytes) -> str:
    """Return a secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

"""What is kept as text of bytes that came from outside, once secrets are out and it is cut."""

from collections.abc import Callable


def kept_text(raw: bytes, limit: int, redact: Callable[[str], str]) -> str:
    """Return at most `limit` characters of `raw` without secrets and without half of one.

    What stands behind `limit` bytes was read for the secrets alone that stand across the limit.
    It is left out as a whole: its own end may be the beginning of a secret that nobody can
    recognise any more.
    """
    beyond = len(raw[limit:].decode(errors="replace"))
    text = redact(raw.decode(errors="replace"))
    return text[: min(limit, len(text) - beyond)]


def kept_end(raw: bytes, spare: int, redact: Callable[[str], str]) -> str:
    """Return the end of what was long, from behind its first `spare` bytes, without secrets.

    These are there for the secrets alone, of which the first may have lost its beginning.
    """
    before = len(redact(raw[:spare].decode(errors="replace")))
    return redact(raw.decode(errors="replace"))[before:]

"""The writer key of a machine that joins a log, or comes back to it with another key."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.enrolment import LogKeys
from storage.keys import (
    NEXT_WRITER_KEY,
    WRITER_KEY,
    WriterKey,
    load_key,
    load_or_create_key,
    replace_key,
    save_key,
)


def writer_to_enrol(home: Path, keys: LogKeys) -> WriterKey:
    """Return the writer key of `home`, made now if there is none, or if the old one was ended.

    The same home gives the same key until it is ended, so this may be called again.

    Raises:
        SigningKeyError: a key file cannot be read.
    """
    found = WriterKey.of(load_or_create_key(home, WRITER_KEY))
    known = keys.known.get(found.id)
    if known is None or known.ended_at is None:
        return found
    if not (home / "keys" / NEXT_WRITER_KEY).exists():
        save_key(home, NEXT_WRITER_KEY, Ed25519PrivateKey.generate())
    replace_key(home, WRITER_KEY)
    return WriterKey.of(load_key(home, WRITER_KEY))

"""The line by which a machine asks for its writer key to be enrolled.

It holds nothing secret, so it may travel by chat. Who carries it vouches for where it came
from; that its sender holds the key is shown by the proof in it.
"""

import re
from dataclasses import dataclass

from storage.checkpoint import KEY_BYTES, key_id
from storage.enrolment import shows_possession, spelled
from storage.entry_bytes import MalformedEntryError, decode64
from storage.keys import WriterKey
from workflows.errors import SigningKeyError

START = "writer-key"
HOLDER = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A public writer key, who holds the private half, and the proof that they do."""

    holder: str
    public: bytes
    proof: str

    @property
    def id(self) -> str:
        """Return the id under which entries name the key."""
        return key_id(self.public)

    def __str__(self) -> str:
        return f"{START}:{self.holder}:{spelled(self.public)}:{self.proof}"

    def require_possession(self, origin: str) -> None:
        """Return if the sender holds the key, and means the log `origin`.

        Raises:
            SigningKeyError: the proof does not show that.
        """
        if not shows_possession(self.public, self.proof, origin=origin):
            raise SigningKeyError(
                f"The line does not prove that its sender holds the key {self.id} for the log"
                f" {origin}.",
                hint="Copy the whole line again. If it stays so, it was made for another log: check"
                " INTERLOCK_DATABASE_URL there and run `interlock keys new` again.",
            )


def request_for(writer: WriterKey, *, origin: str, holder: str) -> KeyRequest:
    """Return the request for `writer`, made by whoever holds it.

    Raises:
        SigningKeyError: `holder` is no name that an entry can carry.
    """
    if HOLDER.fullmatch(holder) is None:
        raise SigningKeyError(
            f"{holder!r} cannot name a machine.",
            hint="Use letters, digits and `_.@-`, at most 64.",
        )
    proof = spelled(writer.possession(origin))
    return KeyRequest(holder=holder, public=writer.public, proof=proof)


def read_request(line: str) -> KeyRequest:
    """Return the request that `line` spells.

    Raises:
        SigningKeyError: it spells none.
    """
    parts = "".join(line.split()).split(":")
    try:
        start, holder, public, proof = parts
        raw = decode64(public, KEY_BYTES)
    except (ValueError, MalformedEntryError):
        raise _unreadable() from None
    if start != START or HOLDER.fullmatch(holder) is None:
        raise _unreadable()
    return KeyRequest(holder=holder, public=raw, proof=proof)


def _unreadable() -> SigningKeyError:
    return SigningKeyError(
        "This is no line of `interlock keys new`.",
        hint=f"Copy the whole line; it begins with {START}: and has no spaces.",
    )

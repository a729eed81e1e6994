"""Holds the log against heads that were kept outside: is each of them the log's own past?"""

from dataclasses import dataclass

from sqlalchemy import Connection

from storage.checkpoint import (
    BadSignatureError,
    MalformedNoteError,
    Note,
    read_note,
    read_vkey,
)
from storage.enrolment import verifier_keys
from storage.heads import head
from storage.proofs import StoredHashes, range_root
from workflows.errors import UnusableDatabaseError

HINT = (
    "Bring back the newest copy of the database; docs/operations says how to begin a successor log."
)


@dataclass(frozen=True, slots=True)
class OwnPast:
    """The log as it is now, for comparisons with what is remembered of it elsewhere."""

    connection: Connection

    def require(self, size: int, root: str, *, where: str) -> None:
        """Return if the log had at `size` a root that begins with these hex digits.

        Raises:
            UnusableDatabaseError: it is shorter, or had another root.
        """
        ours = head(self.connection).size
        if size > ours:
            raise _older(f"{where} shows a head of {size} entries, and this log has {ours}.")
        if size and not self._root_at(size).hex().startswith(root):
            raise _older(f"{where} shows another history: at {size} entries it differs from this.")

    def is_ours(self, note: Note) -> bool:
        """Say whether a key of this log signed the note."""
        keys = [read_vkey(one) for one in verifier_keys(self.connection)]
        try:
            return bool(note.signers(keys))
        except BadSignatureError:
            return False

    def _root_at(self, size: int) -> bytes:
        return range_root(StoredHashes(self.connection), 0, size)


def read_own_note(connection: Connection, text: str) -> Note | None:
    """Return the note that `text` spells, None if it is none of a key of this log."""
    try:
        note = read_note(text)
    except MalformedNoteError:
        return None
    return note if OwnPast(connection).is_ours(note) else None


def _older(what: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"{what} This is an older copy or a changed one, and effects it has forgotten would be"
        " done twice.",
        hint=HINT,
    )

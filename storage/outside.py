"""Holds the log against heads that were kept outside: is each of them the log's own past?"""

from sqlalchemy import Connection

from storage.checkpoint import (
    BadSignatureError,
    MalformedNoteError,
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


class OwnPast:
    """The log as it is now, for comparisons with what is remembered of it elsewhere."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._hashes = StoredHashes(connection)
        self._size = head(connection).size

    def require(self, size: int, root: str, *, where: str) -> None:
        """Return if the log had at `size` a root that begins with these hex digits.

        Raises:
            UnusableDatabaseError: it is shorter, or had another root.
        """
        if size > self._size:
            raise _older(f"{where} shows a head of {size} entries, and this log has {self._size}.")
        if size and not range_root(self._hashes, 0, size).hex().startswith(root):
            raise _older(f"{where} shows another history: at {size} entries it differs from this.")

    def require_note(self, text: str, *, where: str) -> bool:
        """Return if a note is of the log's own past; False if no key of this log signed it.

        Raises:
            UnusableDatabaseError: it is of a key of this log, and not of its past.
        """
        try:
            note = read_note(text)
            keys = [read_vkey(one) for one in verifier_keys(self._connection)]
            is_ours = bool(note.signers(keys))
        except (MalformedNoteError, BadSignatureError):
            return False
        if is_ours:
            self.require(note.checkpoint.size, note.checkpoint.root.hex(), where=where)
        return is_ours


def _older(what: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"{what} This is an older copy or a changed one, and effects it has forgotten would be"
        " done twice.",
        hint=HINT,
    )

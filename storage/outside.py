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

UNKNOWN = (
    " This log does not know the key of that head: it is a later one, or somebody forged the head,"
    " which is then to be taken away."
)


class OwnPast:
    """The log as it is now, for comparisons with what is remembered of it elsewhere."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._hashes = StoredHashes(connection)
        now = head(connection)
        self._size, self._origin = now.size, now.origin

    def require(self, size: int, root: str, *, where: str, hint: str = HINT) -> None:
        """Return if the log had at `size` a root that begins with these hex digits.

        Raises:
            UnusableDatabaseError: it is shorter, or had another root.
        """
        if size > self._size:
            what = f"{where} shows a head of {size} entries, and this log has {self._size}."
            raise older_copy(what, hint)
        if size and not range_root(self._hashes, 0, size).hex().startswith(root):
            what = f"{where} shows another history: at {size} entries it differs from this."
            raise older_copy(what, hint)

    def require_note(self, text: str, *, where: str) -> bool:
        """Return if a note is of the log's own past; False if no key of this log signed it.

        A copy from before the log's key was replaced does not know the key of later heads, so
        one of this log's name under an unknown key counts as well.

        Raises:
            UnusableDatabaseError: it is of this log, and not of its past.
        """
        try:
            note = read_note(text)
            keys = [read_vkey(one) for one in verifier_keys(self._connection)]
            is_ours = bool(note.signers(keys))
        except (MalformedNoteError, BadSignatureError):
            return False
        if is_ours or note.checkpoint.origin == self._origin:
            size, root = note.checkpoint.size, note.checkpoint.root.hex()
            self.require(size, root, where=where, hint=HINT if is_ours else HINT + UNKNOWN)
        return is_ours


def older_copy(what: str, hint: str = HINT) -> UnusableDatabaseError:
    """Return the refusal of a log of which something outside it shows more than it holds."""
    return UnusableDatabaseError(
        f"{what} This is an older copy or a changed one, and effects it has forgotten would be"
        " done twice.",
        hint=hint,
    )

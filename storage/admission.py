"""What may get a place in the log: a look at each entry before a head is signed over it.

Whoever can write to the database can put an entry where it waits for its place, and this process
would sign for it. Each signature is for verifiers; here is seen that the line is what its leaf
says, and that nobody changes the keys of the log without having one. What the unit itself has
built, it need not look at again unless it is about keys: its own may be one that nobody enrolled.
"""

from collections.abc import Sequence

from storage.enrolment import KEY_KINDS, keys_before
from storage.entry_bytes import MalformedEntryError, leaf_hash, read_line
from storage.trail_sql import Waiting
from storage.transaction import Transaction
from workflows.errors import UnusableDatabaseError

CHANGES_KEYS, BEGINS = b'"kind":"key.', b'"kind":"log.init"'


def note_built(tx: Transaction, leaf: bytes, seq: int | None) -> None:
    """Remember that this unit has built the entry of that leaf, and its row where that is known."""
    tx.notes[leaf] = seq


def built_here(tx: Transaction) -> list[Waiting]:
    """Return the entries that `note_built` was told of with their rows, oldest first."""
    return [
        Waiting(seq, leaf, None)
        for leaf, seq in tx.notes.items()
        if isinstance(leaf, bytes) and seq is not None
    ]


def admit(tx: Transaction, waiting: Sequence[Waiting], first: int) -> None:
    """Refuse entries that no head may be signed over; `first` is the place of the first one.

    Raises:
        UnusableDatabaseError: one is not what its leaf says, or changes keys unsigned by any.
    """
    changes: list[tuple[int, Waiting]] = []
    for place, one in enumerate(waiting, start=first):
        line = one.line
        if line is None or one.leaf in tx.notes:
            continue
        if leaf_hash(line) != one.leaf:
            raise _refusal(one, "is not the one that its leaf is of")
        if CHANGES_KEYS in line or BEGINS in line:
            changes.append((place, one))
    if changes:
        _require_enrolled(tx, changes, first)


def _require_enrolled(tx: Transaction, changes: Sequence[tuple[int, Waiting]], first: int) -> None:
    keys = keys_before(tx.connection, first)
    for place, one in changes:
        line = one.line or b""
        try:
            kind = read_line(line)["kind"]
            if kind in KEY_KINDS or kind == "log.init":
                keys.take_up(place, line)
        except (MalformedEntryError, UnusableDatabaseError) as error:
            words = "changes the keys of this log, and no enrolled key signed it"
            raise _refusal(one, words) from error


def _refusal(one: Waiting, words: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"An entry that waits for its place {words}: row {one.seq} of audit_entry.",
        hint="Somebody wrote to the database. Nothing is recorded until that row is gone: see"
        " `interlock audit verify`, and docs/verifying.md.",
    )

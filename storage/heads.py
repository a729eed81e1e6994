"""The head of the log, as it is shown to people and handed to those who keep it outside."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update

from storage.audit_models import AuditCheckpointRow, AuditEntryRow, AuditTreeRow
from storage.checkpoint import MalformedNoteError, Note, fingerprint, read_note, read_vkey
from storage.enrolment import verifier_keys
from storage.entry_bytes import read_line
from storage.proofs import StoredHashes, inclusion, tlog_proof
from storage.transaction import Transaction
from workflows.entry import Json
from workflows.errors import EvidenceError, UnusableDatabaseError

SHOWN, ANCHORED = "shown", "anchored"
SHORT = 8  # Hex digits of a hash on a receipt.


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest signed size and root; `vkey` is the key that signed it."""

    origin: str
    size: int
    root: bytes
    note: str
    vkey: str

    @property
    def fingerprint(self) -> str:
        """The 12 characters that people compare."""
        return fingerprint(self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where an entry stands, under the head of a moment."""

    index: int
    leaf: bytes
    size: int
    root: bytes

    @property
    def line(self) -> str:
        """The short form, as it stands on a card."""
        leaf, root = self.leaf.hex()[:SHORT], self.root.hex()[:SHORT]
        return f"#{self.index} · leaf {leaf} · head {self.size}/{root}"


def head(connection: Connection) -> Head:
    """Return the newest head. One that leaves the process is taken by `show_head` instead.

    Raises:
        UnusableDatabaseError: the log has no head.
    """
    return _head_of(connection, _newest(connection).note)


def head_at(connection: Connection, size: int) -> Head:
    """Return the head of that size, which was kept.

    Raises:
        UnusableDatabaseError: it is not there.
    """
    found = select(AuditCheckpointRow.note).where(AuditCheckpointRow.size == size)
    note = connection.execute(found).scalar()
    if note is None:
        raise UnusableDatabaseError(f"There is no head of {size} entries.")
    return _head_of(connection, note)


def show_head(tx: Transaction, *, because: str = SHOWN) -> Head:
    """Return the newest head and keep it for ever, since someone outside will hold it.

    Raises:
        UnusableDatabaseError: the log has no head.
    """
    # Without this lock another process could replace the head between reading and keeping it.
    tx.connection.execute(
        select(AuditTreeRow.size).where(AuditTreeRow.id == 1).with_for_update()
    ).all()
    found = head(tx.connection)
    mark_shown(tx, found.size, because=because)
    return found


def mark_shown(tx: Transaction, size: int, *, because: str = SHOWN) -> bool:
    """Keep the head of that size for ever; False when it was replaced already."""
    tx.connection.execute(
        update(AuditCheckpointRow)
        .where(AuditCheckpointRow.size == size, AuditCheckpointRow.kept_because.is_(None))
        .values(kept_because=because)
    )
    found = select(AuditCheckpointRow.size).where(AuditCheckpointRow.size == size)
    return tx.connection.execute(found).scalar() is not None


def add_lines(tx: Transaction, size: int, lines: str) -> str:
    """Put signature lines under the kept head of that size; return the note as it is then.

    What was signed never changes, and a line that stands there already is not put twice.

    Raises:
        UnusableDatabaseError: no such head is kept.
    """
    kept = select(AuditCheckpointRow.note).where(
        AuditCheckpointRow.size == size, AuditCheckpointRow.kept_because.is_not(None)
    )
    note = tx.connection.execute(kept.with_for_update()).scalar()
    if note is None:
        raise UnusableDatabaseError(f"No head of {size} entries is kept.")
    known = set(note.splitlines())
    fresh = [line for line in lines.splitlines() if line not in known]
    whole = note + "".join(f"{line}\n" for line in fresh)
    if fresh:
        read_note(whole)
        tx.connection.execute(
            update(AuditCheckpointRow).where(AuditCheckpointRow.size == size).values(note=whole)
        )
    return whole


def first_kept(connection: Connection, *, after: int) -> tuple[int, str]:
    """Return size and note of the first head that is kept and covers the entry `after`.

    Raises:
        UnusableDatabaseError: there is none.
    """
    row = connection.execute(
        select(AuditCheckpointRow.size, AuditCheckpointRow.note)
        .where(AuditCheckpointRow.size > after, AuditCheckpointRow.kept_because.is_not(None))
        .order_by(AuditCheckpointRow.size)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise UnusableDatabaseError(f"No kept head covers entry {after}.")
    return row.size, row.note


def receipt(connection: Connection, entry_id: str) -> Receipt | None:
    """Return the receipt of an entry; None while its place is pending."""
    row = connection.execute(
        select(AuditEntryRow.idx, AuditEntryRow.leaf).where(AuditEntryRow.uid == entry_id)
    ).one_or_none()
    if row is None or row.idx is None:
        return None
    newest = _read(_newest(connection).note).checkpoint
    return Receipt(index=row.idx, leaf=bytes(row.leaf), size=newest.size, root=newest.root)


def proof_of(connection: Connection, index: int) -> str:
    """Return the tlog-proof of an entry under the newest head.

    Raises:
        ProofError: there is no such entry under it.
        UnusableDatabaseError: the log has no head.
    """
    row = _newest(connection)
    return tlog_proof(index, inclusion(StoredHashes(connection), index, row.size), row.note)


def _head_of(connection: Connection, text: str) -> Head:
    note = _read(text)
    return Head(
        origin=note.checkpoint.origin,
        size=note.checkpoint.size,
        root=note.checkpoint.root,
        note=text,
        vkey=_signed_by(connection, note),
    )


def _newest(connection: Connection) -> Row[int, str]:
    row = connection.execute(
        select(AuditCheckpointRow.size, AuditCheckpointRow.note)
        .order_by(AuditCheckpointRow.size.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise UnusableDatabaseError("The log has no head.", hint=_why_none(connection))
    return row


def _why_none(connection: Connection) -> str:
    """Say what to do: nothing has begun here, or somebody took the heads away."""
    placed = select(AuditEntryRow.idx).where(AuditEntryRow.idx.is_not(None)).limit(1)
    if connection.execute(placed).first() is None:
        return "Begin one: `interlock init`."
    return "Somebody wrote to the database; run `interlock audit verify`."


def _read(text: str) -> Note:
    try:
        return read_note(text)
    except MalformedNoteError as error:
        raise UnusableDatabaseError(
            f"A head of the log cannot be read: {error}",
            hint="Somebody wrote to the database; run `interlock audit verify`.",
        ) from error


def _signed_by(connection: Connection, note: Note) -> str:
    """Return the verifier key that stands on the note's first known line."""
    known = {read_vkey(one).note_id: one for one in verifier_keys(connection)}
    return next((known[line.note_id] for line in note.lines if line.note_id in known), "")


def first_vkeys(connection: Connection) -> list[Json]:
    """Return the keys that the log began with, as its first entry names them.

    Raises:
        EvidenceError: the log has no first entry.
    """
    line = connection.execute(select(AuditEntryRow.line).where(AuditEntryRow.idx == 0)).scalar()
    if line is None:
        raise EvidenceError("The log is empty.", hint="Begin one: `interlock init`.")
    return list(read_line(line.encode())["data"]["log_vkeys"])

"""One entry and everything that vouches for it: signature, place, proof, payloads, bonds.

Each statement is checked on the spot against what is stored, not repeated from it. Whether the
whole log holds is for `storage.verify`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage.audit_models import IS_OUTSIDE_RUNS, AuditEntryRow
from storage.checkpoint import BadSignatureError, is_signature, read_note, read_vkey
from storage.enrolment import KnownKey, LogKeys, read_keys
from storage.entry_bytes import (
    ENTRY_TYPE,
    MalformedEntryError,
    body_of,
    decode64,
    leaf_hash,
    pae,
    read_line,
)
from storage.heads import Head, head
from storage.history import read_entry, read_run
from storage.proofs import StoredHashes, inclusion, root_of_inclusion
from storage.verify.held_parts import Markers
from workflows.binding import commitment
from workflows.entry import Entry, StoredPart
from workflows.errors import EvidenceError

SIGNATURE_BYTES = 64
MARKERS = ("erasure", "retention.sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPart:
    """A payload: held and the one that was recorded, held and another, or gone."""

    name: str
    cls: str
    is_held: bool
    is_original: bool
    gone_by: int | None  # The entry that says that it is gone.

    @property
    def is_right(self) -> bool:
        """Whether it is here as recorded, or gone with an entry that says so."""
        is_gone = self.gone_by is not None
        return (self.is_original and not is_gone) if self.is_held else is_gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An entry, and what was found when each thing about it was checked."""

    entry: Entry
    leaf: bytes
    key: KnownKey | None
    is_signed: bool
    before: int | None  # The entry before it in its run.
    is_chained: bool
    head: Head
    hashes: int  # How many lead from the entry to the head.
    is_proven: bool
    parts: Sequence[ExplainedPart]
    bound: Sequence[int]  # The entries of its run with the same binding.

    @property
    def holds(self) -> bool:
        """Whether everything about it is as it should be."""
        entry_holds = self.is_signed and self.is_chained and self.is_proven
        return entry_holds and all(one.is_right for one in self.parts)


def explain_entry(connection: Connection, index: int) -> Explained:
    """Check everything about the entry at `index`.

    Raises:
        EvidenceError: there is no such entry.
        UnusableDatabaseError: there is no log, or its keys were changed by nobody enrolled.
    """
    try:
        return _explained(connection, index)
    except MalformedEntryError as error:
        raise EvidenceError(
            f"Entry {index}, or one beside it, cannot be read: {error}",
            hint="Somebody wrote to the database; run `interlock audit verify`.",
        ) from error


def _explained(connection: Connection, index: int) -> Explained:
    entry, now, keys = read_entry(connection, index), head(connection), read_keys(connection)
    if entry is None or index >= now.size:
        raise EvidenceError(
            f"The log has the entries 0 to {now.size - 1}, and no entry {index}.",
            hint="`interlock show RUN` names the entries of a run.",
        )
    line = _line(connection, index)
    members, leaf = read_line(line), leaf_hash(line)
    key = keys.known.get(members["key"])
    chain = _before(connection, entry)
    path = inclusion(StoredHashes(connection), index, now.size)
    root = root_of_inclusion(leaf, index=index, size=now.size, proof=path)
    return Explained(
        entry=entry,
        leaf=leaf,
        key=key,
        is_signed=_is_signed(key, index, signature=members["sig"], line=line),
        before=chain[0] if chain else None,
        is_chained=members["prev"] == (base64.b64encode(chain[1]).decode() if chain else ""),
        head=now,
        hashes=len(path),
        is_proven=root == now.root and _is_head_signed(now, keys),
        parts=[_part(connection, entry, name) for name in sorted(entry.parts)],
        bound=_bound(connection, entry),
    )


def _line(connection: Connection, index: int) -> bytes:
    wanted = select(AuditEntryRow.line).where(AuditEntryRow.idx == index)
    return connection.execute(wanted).scalar_one().encode()


def _before(connection: Connection, entry: Entry) -> tuple[int | None, bytes] | None:
    if entry.run is None or entry.rseq == 0:
        return None
    row = connection.execute(
        select(AuditEntryRow.idx, AuditEntryRow.line).where(
            AuditEntryRow.run_id == entry.run, AuditEntryRow.rseq == entry.rseq - 1
        )
    ).first()
    return None if row is None else (row.idx, leaf_hash(row.line.encode()))


def _is_signed(key: KnownKey | None, index: int, *, signature: str, line: bytes) -> bool:
    if key is None or key.role != "entry" or not key.signs_at(index):
        return False
    message = pae(ENTRY_TYPE, body_of(line))
    return is_signature(key.public, decode64(signature, SIGNATURE_BYTES), message)


def _is_head_signed(now: Head, keys: LogKeys) -> bool:
    own = [read_vkey(one.vkey) for one in keys.known.values() if one.role == "log"]
    try:
        return bool(read_note(now.note).signers(own))
    except BadSignatureError:
        return False


def _part(connection: Connection, entry: Entry, name: str) -> ExplainedPart:
    part = entry.parts[name]
    return ExplainedPart(
        name=name,
        cls=part.cls.value,
        is_held=part.value is not None,
        is_original=_is_original(name, part),
        gone_by=_gone_by(connection, entry, name),
    )


def _is_original(name: str, part: StoredPart) -> bool:
    if part.value is None or part.salt is None:
        return False
    return commitment(part.salt, name, part.value) == part.commitment


def _gone_by(connection: Connection, entry: Entry, name: str) -> int | None:
    """Return the first later entry that says that this payload is gone."""
    index = entry.index or 0
    found = connection.execute(
        select(AuditEntryRow.idx, AuditEntryRow.kind, AuditEntryRow.line)
        .where(IS_OUTSIDE_RUNS, AuditEntryRow.kind.in_(MARKERS), AuditEntryRow.idx > index)
        .order_by(AuditEntryRow.idx)
    )
    for row in found:
        markers = Markers()
        markers.add(row.idx or 0, row.kind, read_line(row.line.encode())["data"])
        if markers.explain(index, name, entry.parts[name].cls):
            return int(row.idx or 0)
    return None


def _bound(connection: Connection, entry: Entry) -> list[int]:
    binding = entry.data.get("binding")
    if binding is None or entry.run is None:
        return []
    others = read_run(connection, entry.run)
    same = [one.index for one in others if one.data.get("binding") == binding]
    return [one for one in same if one is not None and one != entry.index]

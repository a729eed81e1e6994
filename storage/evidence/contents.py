"""The files of a pack that copy the log: entries, leaves, context, payloads, people, heads."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, Row, Select, select

from storage.audit_models import (
    AuditAnchorRow,
    AuditCheckpointRow,
    AuditEntryRow,
    AuditPartRow,
    AuditSubjectRow,
    AuditTreeRow,
)
from storage.evidence import names
from storage.evidence.pack import Hashed, Pack
from storage.heads import Head
from storage.proofs import ProofError, StoredHashes, inclusion, tlog_proof
from workflows.binding import canonical
from workflows.entry import Json
from workflows.errors import EvidenceError
from workflows.kinds import BARE

Ts = TypeVarTuple("Ts")

CHUNK = 2_000
REF = re.compile(r'"(s:[0-9a-f]{32})"')
ANCHOR_TYPE = re.compile(r"[a-z0-9]{1,20}")
PLACE = AuditEntryRow.idx


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes into a pack: entries `start` to `end` - 1 under `head`.

    `parts` names the payloads to disclose, None for all; `proofs` the entries to prove.
    """

    start: int
    end: int
    head: Head
    parts: frozenset[str] | None
    proofs: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the range is the whole log."""
        return (self.start, self.end) == (0, self.head.size)


def write_contents(connection: Connection, pack: Pack, contents: Contents) -> None:
    """Copy everything that `contents` asks for."""
    refs = _write_entries(connection, pack, contents)
    _write_leaves(connection, pack)
    refs |= _write_context(connection, pack, contents)
    _write_disclosures(connection, pack, contents)
    _write_subjects(connection, pack, None if contents.is_whole else refs)
    _write_heads(connection, pack, contents.head)
    for index in contents.proofs:
        pack.put(names.proof_name(index), proof(connection, index, contents.head).encode())


def proof(connection: Connection, index: int, under: Head) -> str:
    """Return the text of an entry's proof under that head.

    Raises:
        EvidenceError: there is no such entry under it.
    """
    try:
        path = inclusion(StoredHashes(connection), index, under.size)
    except ProofError as error:
        raise EvidenceError(str(error), hint="Name an entry of the log.") from error
    return tlog_proof(index, path, under.note)


def _write_entries(connection: Connection, pack: Pack, contents: Contents) -> set[str]:
    """Write lines and their readable columns; return the people they name."""
    refs: set[str] = set()
    columns = (
        AuditEntryRow.idx,
        AuditEntryRow.line,
        AuditEntryRow.run_id,
        AuditEntryRow.rseq,
        AuditEntryRow.ts,
        AuditEntryRow.kind,
        AuditEntryRow.actor_ref,
    )
    # A zip holds one open file at a time, so each goes over the rows by itself.
    with pack.file(names.ENTRIES) as lines:
        for row in _rows(connection, _between(select(*columns), contents)):
            lines.write(f"{row.line}\n".encode())
            refs.update(REF.findall(row.line))
    with pack.file(names.INDEX) as index:
        index.write(f"{names.INDEX_COLUMNS}\n".encode())
        for row in _rows(connection, _between(select(*columns), contents)):
            index.write(f"{_index_row(row)}\n".encode())
    return refs


def _index_row(row: Row[*tuple[Any, ...]]) -> str:
    return names.index_row(
        index=row.idx,
        run=row.run_id,
        rseq=row.rseq,
        ts=row.ts,
        kind=row.kind,
        actor=row.actor_ref,
    )


def _write_leaves(connection: Connection, pack: Pack) -> None:
    with pack.file(names.LEAVES) as leaves:
        wanted = select(AuditEntryRow.leaf).where(PLACE.is_not(None)).order_by(PLACE)
        for (leaf,) in _rows(connection, wanted):
            leaves.write(bytes(leaf))


def _write_context(connection: Connection, pack: Pack, contents: Contents) -> set[str]:
    """Write what a reader has to know of the entries outside the range."""
    refs: set[str] = set()
    wanted = (
        select(AuditEntryRow.idx, AuditEntryRow.line)
        .where(
            AuditEntryRow.run_id.is_(None),
            AuditEntryRow.kind.in_(sorted(BARE)),
            PLACE.is_not(None),
            (contents.start > PLACE) | (contents.end <= PLACE),
        )
        .order_by(PLACE)
    )
    with pack.file(names.CONTEXT) as out:
        for row in _rows(connection, wanted):
            out.write(f"{row.idx}\t{row.line}\n".encode())
            refs.update(REF.findall(row.line))
    return refs


def _write_disclosures(connection: Connection, pack: Pack, contents: Contents) -> None:
    wanted = (
        _between(
            select(AuditEntryRow.idx, AuditPartRow.name, AuditPartRow.salt, AuditPartRow.body),
            contents,
        )
        .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
        .order_by(AuditPartRow.name)
    )
    if contents.parts is not None:
        wanted = wanted.where(AuditPartRow.name.in_(sorted(contents.parts)))
    with pack.file(names.DISCLOSURES) as out:
        for row in _rows(connection, wanted):
            _write_line(
                out,
                {
                    "d": base64.b64encode(bytes(row.body)).decode(),
                    "i": row.idx,
                    "n": row.name,
                    "s": base64.b64encode(bytes(row.salt)).decode(),
                },
            )


def _write_subjects(connection: Connection, pack: Pack, refs: set[str] | None) -> None:
    wanted = select(AuditSubjectRow.ref, AuditSubjectRow.k, AuditSubjectRow.external_id)
    with pack.file(names.SUBJECTS) as out:
        for row in _rows(connection, wanted.order_by(AuditSubjectRow.ref)):
            if refs is None or row.ref in refs:
                _write_line(
                    out,
                    {
                        "id": row.external_id,
                        "k": base64.b64encode(bytes(row.k)).decode(),
                        "ref": row.ref,
                    },
                )


def _write_heads(connection: Connection, pack: Pack, newest: Head) -> None:
    pack.put(names.CHECKPOINT, newest.note.encode())
    kept = select(AuditCheckpointRow.size, AuditCheckpointRow.note).where(
        AuditCheckpointRow.kept_because.is_not(None) | (AuditCheckpointRow.size == newest.size)
    )
    for row in connection.execute(kept.order_by(AuditCheckpointRow.size)).all():
        pack.put(names.checkpoint_name(row.size), row.note.encode())
    tree = connection.execute(select(AuditTreeRow.size, AuditTreeRow.frontier)).one()
    state: Json = {"frontier": bytes(tree.frontier).hex(), "size": tree.size}
    pack.put(names.STATE, canonical(state))
    columns = (AuditAnchorRow.id, AuditAnchorRow.size, AuditAnchorRow.type, AuditAnchorRow.evidence)
    for anchor in connection.execute(select(*columns).order_by(AuditAnchorRow.id)).all():
        if ANCHOR_TYPE.fullmatch(anchor.type):
            # The place keeps two of one size and type apart.
            name = f"anchors/{anchor.size}-{anchor.id}.{anchor.type}"
            pack.put(name, bytes(anchor.evidence))


def _write_line(out: Hashed, value: Json) -> None:
    out.write(canonical(value) + b"\n")


def _between(wanted: Select[*Ts], contents: Contents) -> Select[*Ts]:
    return wanted.where(contents.start <= PLACE, contents.end > PLACE).order_by(PLACE)


def _rows(connection: Connection, wanted: Select[*Ts]) -> Iterator[Row[*Ts]]:
    found = connection.execute(wanted, execution_options={"yield_per": CHUNK})
    yield from found

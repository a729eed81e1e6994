"""Read the entries of a run on the driver, as a segment does each time it takes a run up.

`history` reads the same values through SQLAlchemy and checks that a line is canonical; a line
that this process reads back from its own database is only parsed here, since whether it was
altered is the question of `audit verify`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from storage.change import RowSql
from storage.entry_bytes import read_stamp
from storage.transaction import Question
from workflows.entry import Actor, ActorKind, Entry, PartClass, RunId, StoredPart
from workflows.quick_json import loaded

Held = Mapping[tuple[int, str], tuple[bytes, bytes]]


_ENDLESS = 2**62  # No run has as many entries.
_ENTRIES = (
    "SELECT seq, idx, line FROM audit_entry"
    " WHERE run_id = ? AND rseq > ? AND rseq <= ? ORDER BY rseq"
)
_PARTS = (
    "SELECT p.entry_seq, p.name, p.salt, p.body FROM audit_part p"
    " JOIN audit_entry e ON e.seq = p.entry_seq"
    " WHERE e.run_id = ? AND e.rseq > ? AND e.rseq <= ?"
)


def entries_of_run(sql: RowSql, run: str, *, after: int = -1, until: int = _ENDLESS) -> list[Entry]:
    """Return the run's entries after `after` up to `until`, with the parts still held."""
    return entries_in(sql.ask(*entry_questions(run, after=after, until=until)))


def entry_questions(
    run: str, *, after: int = -1, until: int = _ENDLESS
) -> tuple[Question, Question]:
    """Return what to ask for those entries; `entries_in` reads the answers."""
    return (_ENTRIES, (run, after, until)), (_PARTS, (run, after, until))


def entries_in(answers: Sequence[Sequence[Any]]) -> list[Entry]:
    """Return the entries that the answers to `entry_questions` tell."""
    rows, parts = answers
    held = {(seq, name): (bytes(salt), bytes(body)) for seq, name, salt, body in parts}
    return [entry_of(line, seq=seq, index=index, held=held) for seq, index, line in rows]


def first_entry(sql: RowSql, run: str) -> Entry:
    """Return the entry that a run began with. A run without one is never committed."""
    return entries_of_run(sql, run, until=0)[0]


def entry_of(line: str, *, seq: int, index: int | None, held: Held) -> Entry:
    """Return the entry that a stored line tells."""
    members = loaded(line)
    actor = members["actor"]
    return Entry(
        id=members["id"],
        index=index,
        run=None if members["run"] is None else RunId(members["run"]),
        rseq=members["rseq"],
        at=read_stamp(members["ts"]),
        kind=members["kind"],
        actor=Actor(kind=ActorKind(actor["t"]), ref=actor["ref"]),
        data=members["data"],
        parts={name: _part(part, held.get((seq, name))) for name, part in members["parts"].items()},
    )


def _part(committed: Mapping[str, Any], found: tuple[bytes, bytes] | None) -> StoredPart:
    salt, value = found or (None, None)
    return StoredPart(
        cls=PartClass(committed["cls"]), commitment=committed["c"], value=value, salt=salt
    )

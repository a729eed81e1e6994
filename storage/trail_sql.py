"""The statements of the trail's hot path, spoken straight to the driver, in one place.

They are said to the driver: measured on SQLite, a statement through SQLAlchemy costs some five
times as much, and an append needs eight of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from storage.change import stored_on_sqlite
from storage.transaction import Cursor, Transaction
from storage.tree import Tile, Tree
from workflows.errors import UnusableDatabaseError

MOST_PENDING = 1000
NEWEST_END = (
    "(SELECT max(seq) FROM audit_entry"
    " WHERE run_id IS NULL AND kind IN ('key.retire', 'key.revoke'))"
)
_ENTRY = "INSERT INTO audit_entry (line, leaf) VALUES (?, ?)"
# Where nobody else writes, the place is known at once, unless entries without one came before.
_ENTRY_IN_PLACE = (
    "INSERT INTO audit_entry (idx, line, leaf) VALUES ("
    "CASE WHEN EXISTS (SELECT 1 FROM audit_entry WHERE idx IS NULL) THEN NULL"
    " ELSE (SELECT max(idx) + 1 FROM audit_entry) END, ?, ?)"
)
_PART = (
    "INSERT INTO audit_part (entry_seq, name, cls, subject_ref, salt, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_TREE = "SELECT size, frontier FROM audit_tree WHERE id = 1"
_PENDING = (
    "SELECT seq, leaf, CAST(line AS BLOB) FROM audit_entry WHERE idx IS NULL ORDER BY seq LIMIT ?"
)
_HEAD = (
    "SELECT size, created_at, kept_because, NULL AS newest_end FROM audit_checkpoint"
    " ORDER BY size DESC LIMIT 1"
)
# Where entries have their places already, they are found together with tree and head.
_BEYOND = (
    "SELECT e.seq, e.leaf, CAST(e.line AS BLOB), tree.size, tree.frontier,"
    " head.size, head.created_at, head.kept_because, NULL AS newest_end"
    " FROM audit_tree tree CROSS JOIN audit_entry e LEFT JOIN audit_checkpoint head"
    " ON head.size = (SELECT max(size) FROM audit_checkpoint)"
    " WHERE tree.id = 1 AND e.idx >= tree.size ORDER BY e.idx LIMIT ?"
)
# Of entries that this unit has inserted with their places, only the first and the last are looked
# at: each took the place after the highest one, so none of another stands between them.
_BUILT = (
    "SELECT tree.size, tree.frontier, head.size, head.created_at, head.kept_because,"
    " NULL AS newest_end FROM audit_tree tree LEFT JOIN audit_checkpoint head"
    " ON head.size = (SELECT max(size) FROM audit_checkpoint) WHERE tree.id = 1"
    " AND (SELECT seq FROM audit_entry WHERE idx = tree.size) = ?"
    " AND (SELECT seq FROM audit_entry WHERE idx = tree.size + ? - 1) = ?"
    " AND (SELECT max(idx) FROM audit_entry) = tree.size + ? - 1"
)
# On a server each statement costs its driver more than what is done, so there it is one. Of lines
# that say nothing of keys, and have the leaf that they must, none travels.
_PENDING_THERE = (
    'SELECT seq, leaf, CASE WHEN strpos(line, \'"kind":"key.\') > 0'
    ' OR strpos(line, \'"kind":"log.init"\') > 0'
    " OR leaf <> sha256(decode('00', 'hex') || convert_to(line, 'UTF8'))"
    " THEN convert_to(line, 'UTF8') END AS line"
    " FROM audit_entry WHERE idx IS NULL ORDER BY seq LIMIT ?"
)
_ALL_THREE = (
    "SELECT tree.size, tree.frontier, head.size, head.created_at, head.kept_because,"  # noqa: S608  fixed texts
    f" {NEWEST_END}, pending.seqs, pending.leaves, pending.lines"
    " FROM (SELECT array_agg(seq ORDER BY seq) AS seqs, array_agg(leaf ORDER BY seq) AS leaves,"
    " array_agg(line ORDER BY seq) AS lines"
    f" FROM ({_PENDING_THERE}) AS found) AS pending"
    f" LEFT JOIN ({_TREE}) AS tree ON true LEFT JOIN ({_HEAD}) AS head ON true"
)


class PartRow(NamedTuple):
    """A part of an entry, as its row has it."""

    name: str
    cls: str
    subject: str | None
    salt: bytes
    body: bytes


_PLACE = (
    "UPDATE audit_entry SET idx = given.idx"
    " FROM unnest(?::bigint[], ?::bigint[]) AS given (seq, idx)"
    " WHERE audit_entry.seq = given.seq"
)
_SAVE_TREE = (
    "INSERT INTO audit_tree (id, size, frontier) VALUES (1, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier"
)
_ADD_HEAD = (
    "INSERT INTO audit_checkpoint (size, note, kept_because, created_at) VALUES (?, ?, ?, ?)"
)
_REPLACE_HEAD = (
    "UPDATE audit_checkpoint SET size = ?, note = ?, kept_because = ?, created_at = ?"
    " WHERE size = ?"
)


class Waiting(NamedTuple):
    """An entry before its place; a server keeps the line of one that is in order to itself."""

    seq: int
    leaf: bytes
    line: bytes | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the log stands before its pending entries are placed."""

    tree: Tree
    pending: list[Waiting]  # Oldest first.
    head: "NewestHead | None"
    are_placed: bool = False  # They have their place already, and only the tree lacks them.


@dataclass(frozen=True, slots=True)
class NewestHead:
    """The newest stored checkpoint: how large, since when, and whether it is kept.

    `newest_end` is the number of the newest entry that ended a key; on SQLite, where no other
    process writes, it is not looked for.
    """

    size: int
    created_at: datetime
    is_kept: bool
    newest_end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The log with its pending entries placed: what is to be stored of it."""

    seqs: list[int]
    are_placed: bool  # They were inserted with their places.
    first: int  # The place of the first of them.
    tree: Tree
    tiles: Sequence[Tile]
    note: str
    kept: str | None
    at: datetime
    before: NewestHead | None

    @property
    def places(self) -> list[int]:
        """The places of the entries, in the order of `seqs`."""
        return list(range(self.first, self.first + len(self.seqs)))


class TrailSql:
    """The statements, on one transaction."""

    __slots__ = ("_is_sqlite", "_tx")

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._is_sqlite = tx.is_sqlite

    def add_entry(self, line: str, leaf: bytes, parts: Sequence[PartRow]) -> int | None:
        """Insert an entry and its parts; return its row, None on a server: no place is given."""
        if not self._is_sqlite:
            values = [line, leaf, *(value for one in parts for value in one)]
            self._tx.later(_entry_with_parts(len(parts)), values)
            return None
        seq: int = self._tx.run(_ENTRY_IN_PLACE, (line, leaf)).lastrowid
        for part in parts:
            self._tx.run(_PART, (seq, *part))
        return seq

    def add_subject(self, ref: str, *, k: bytes, external_id: str, display: str | None) -> str:
        """Insert a person, unless another process just has; return the pseudonym that stands."""
        self._run(
            "INSERT INTO audit_subject (ref, k, external_id, display) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (external_id) DO NOTHING",
            *(ref, k, external_id, display),
        )
        (stands,) = self._run(
            "SELECT ref FROM audit_subject WHERE external_id = ?", external_id
        ).fetchone()
        return str(stands)

    def subjects(self, external_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
        """Return the pseudonym of each of these people who has one, and the name they had."""
        marks = ", ".join("?" * len(external_ids))
        found = self._run(
            f"SELECT external_id, ref, display FROM audit_subject WHERE external_id IN ({marks})",  # noqa: S608  marks
            *external_ids,
        )
        return {one: (ref, display) for one, ref, display in found.fetchall()}

    def rename(self, ref: str, name: str) -> None:
        """Keep the newest name of a person."""
        self._tx.later("UPDATE audit_subject SET display = ? WHERE ref = ?", (name, ref))

    def tail(self, run: str) -> tuple[int, bytes] | None:
        """Return the newest entry of a run: its `rseq` and its leaf."""
        found = self._run(
            "SELECT rseq, leaf FROM audit_entry WHERE run_id = ? ORDER BY rseq DESC LIMIT 1", run
        ).fetchone()
        return None if found is None else (found[0], bytes(found[1]))

    def share_writer(self, writer: str) -> None:
        """Keep the key from being ended before this transaction ends; many may do so at once."""
        if not self._is_sqlite:
            self._tx.later("SELECT pg_advisory_xact_lock_shared(?)", (writer_lock(writer),))

    def hold_writer(self, writer: str) -> None:
        """Wait until no transaction with entries of this key is under way, and let none begin."""
        if not self._is_sqlite:
            self._tx.later("SELECT pg_advisory_xact_lock(?)", (writer_lock(writer),))

    def lock(self, number: int) -> None:
        """Wait for the sequencing lock; SQLite has one writer anyway."""
        if not self._is_sqlite:
            self._tx.later("SELECT pg_advisory_xact_lock(?)", (number,))

    def standing(self, *, lock: int | None, built: Sequence[Waiting] = ()) -> Standing | None:
        """Return where the log stands; None when another process holds the sequencing lock.

        `lock` is None for whoever holds that lock already. `built` are the entries that this
        unit has inserted, in order: where no others wait, these are not read again.

        Until this transaction ends, nobody else changes what this returns; should somebody who
        ignores the lock, then both give the same place, which the database refuses.
        """
        if not self._is_sqlite:
            return self._standing_on_server(lock)
        if built and (known := self._standing_with(built)):
            return known
        (placed,) = self._tx.ask((_BEYOND, (MOST_PENDING,)))
        if placed:
            _, _, _, size, frontier, *head = placed[0]
            pending = [row[:3] for row in placed]
        else:
            # Without a place are the first of a log, and what came from a server before it had one.
            pending, stored, heads = self._tx.ask(
                (_PENDING, (MOST_PENDING,)), (_TREE, ()), (_HEAD, ())
            )
            size, frontier = stored[0] if stored else (None, b"")
            head = list(heads[0]) if heads else [None]
        return Standing(
            tree=Tree() if size is None else _tree(size, frontier),
            pending=list(map(Waiting._make, pending)),
            head=None if head[0] is None else self._head(head),
            are_placed=bool(placed),
        )

    def _standing_with(self, built: Sequence[Waiting]) -> Standing | None:
        """Return where the log stands before `built`, if exactly these have a place beyond it."""
        count = len(built)
        (found,) = self._tx.ask((_BUILT, (built[0].seq, count, built[-1].seq, count)))
        if not found:
            return None
        size, frontier, *head = found[0]
        return Standing(
            tree=_tree(size, frontier),
            pending=list(built),
            head=None if head[0] is None else self._head(head),
            are_placed=True,
        )

    def _standing_on_server(self, lock: int | None) -> Standing | None:
        asked = (_ALL_THREE, (MOST_PENDING,))
        if lock is None:
            (found,) = self._tx.ask(asked)
        else:
            # A statement sees the moment it begins, so the second one sees what whoever held
            # the lock before us has committed.
            (taken,), found = self._tx.ask(("SELECT pg_try_advisory_xact_lock(?)", (lock,)), asked)
            if not taken[0]:
                return None
        size, frontier, *head, seqs, leaves, lines = found[0]
        return Standing(
            tree=Tree() if size is None else _tree(size, frontier),
            pending=list(map(Waiting, seqs or (), leaves or (), lines or ())),
            head=None if head[0] is None else self._head(head),
        )

    def extend(self, log: Extended) -> None:
        """Give the pending entries their places; store the tree, its tiles and the head."""
        if self._is_sqlite:
            if not log.are_placed:
                self._place(log)
            self._tx.run(_SAVE_TREE, (log.tree.size, log.tree.dump()))
            self._tx.run(*self._save_head(log))
        else:
            head, values = self._save_head(log)
            self._tx.later(
                f"WITH placed AS ({_PLACE}), tree AS ({_SAVE_TREE}) {head}",
                (log.seqs, log.places, log.tree.size, log.tree.dump(), *values),
            )
        for tile in log.tiles:
            self._tx.later("INSERT INTO audit_tile (level, n, hash) VALUES (?, ?, ?)", tile)

    def _place(self, log: Extended) -> None:
        self._tx.driver.executemany(
            "UPDATE audit_entry SET idx = ? WHERE seq = ?", zip(log.places, log.seqs, strict=True)
        )

    def _save_head(self, log: Extended) -> tuple[str, tuple[object, ...]]:
        """Return what stores the head: beside one that is kept, in place of one that is not."""
        values = (log.tree.size, log.note, log.kept, self._moment(log.at))
        if log.before is None or log.before.is_kept:
            return _ADD_HEAD, values
        return _REPLACE_HEAD, (*values, log.before.size)

    def _run(self, statement: str, *values: object) -> Cursor:
        return self._tx.run(statement, values)

    def _head(self, found: Sequence[Any]) -> NewestHead:
        size, created_at, kept_because, newest_end = found
        return NewestHead(size, self._read_moment(created_at), kept_because is not None, newest_end)

    def _moment(self, at: datetime) -> datetime | str:
        """Return `at` as the column kind `UtcDateTime` stores it."""
        if not self._is_sqlite:
            return at
        return stored_on_sqlite(at)

    def _read_moment(self, stored: datetime | str) -> datetime:
        if isinstance(stored, datetime):
            return stored.astimezone(UTC)
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def writer_lock(writer: str) -> int:
    """Return the number under which Postgres locks a writer key; the trigger takes the same."""
    return int.from_bytes(bytes.fromhex(writer), "big", signed=True)


def _tree(size: int, frontier: bytes) -> Tree:
    try:
        return Tree.load(size, bytes(frontier))
    except ValueError as error:
        raise UnusableDatabaseError(
            f"The stored tree of hashes cannot be read: {error}",
            hint="Somebody wrote to the database; run `interlock audit verify`.",
        ) from error


@lru_cache(maxsize=32)
def _entry_with_parts(count: int) -> str:
    """Return one statement that inserts an entry and its parts, in the words of Postgres."""
    if not count:
        return _ENTRY
    row = "(?::text, ?::text, ?::text, ?::bytea, ?::bytea)"
    return (
        f"WITH entry AS ({_ENTRY} RETURNING seq)"  # noqa: S608  fixed texts
        " INSERT INTO audit_part (entry_seq, name, cls, subject_ref, salt, body)"
        " SELECT entry.seq, part.* FROM entry, (VALUES "
        f"{', '.join([row] * count)}) AS part (name, cls, subject_ref, salt, body)"
    )

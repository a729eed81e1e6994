"""The statements of the trail's hot path, spoken straight to the driver, in one place.

They run on `Transaction.driver`: measured on SQLite, a statement through SQLAlchemy costs some
five times as much, and an append needs eight of them. Everything else in `storage/` goes
through SQLAlchemy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage.transaction import Transaction
from storage.tree import Tile, Tree

MOST_PENDING = 1000
NEWEST_END = (
    "(SELECT max(idx) FROM audit_entry"
    " WHERE run_id IS NULL AND kind IN ('key.retire', 'key.revoke'))"
)


@dataclass(frozen=True, slots=True)
class NewestHead:
    """The newest stored checkpoint: how large, since when, and whether it is kept.

    `newest_end` is the place of the newest entry that ended a key; on SQLite, where no other
    process writes, it is not looked for.
    """

    size: int
    created_at: datetime
    is_kept: bool
    newest_end: int | None


class TrailSql:
    """The statements, on one transaction."""

    __slots__ = ("_driver", "_is_sqlite")

    def __init__(self, tx: Transaction) -> None:
        self._driver = tx.driver
        self._is_sqlite = tx.is_sqlite

    def add_entry(self, line: str, leaf: bytes) -> int:
        """Insert an entry without a place; return its `seq`."""
        found = self._run(
            "INSERT INTO audit_entry (line, leaf) VALUES (?, ?) RETURNING seq", line, leaf
        )
        return int(found.fetchone()[0])

    def add_part(
        self, seq: int, name: str, *, cls: str, subject: str | None, salt: bytes, body: bytes
    ) -> None:
        """Insert a part of the entry `seq`."""
        self._run(
            "INSERT INTO audit_part (entry_seq, name, cls, subject_ref, salt, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(seq, name, cls, subject, salt, body),
        )

    def add_subject(self, ref: str, *, k: bytes, external_id: str, display: str | None) -> str:
        """Insert a person, unless another process just has; return the pseudonym that stands."""
        self._run(
            "INSERT INTO audit_subject (ref, k, external_id, display) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (external_id) DO NOTHING",
            *(ref, k, external_id, display),
        )
        return str(self.subject(external_id))

    def subject(self, external_id: str) -> str | None:
        """Return the pseudonym of a person, if they have one."""
        found = self._run(
            "SELECT ref FROM audit_subject WHERE external_id = ?", external_id
        ).fetchone()
        return None if found is None else found[0]

    def tail(self, run: str) -> tuple[int, bytes] | None:
        """Return the newest entry of a run: its `rseq` and its leaf."""
        found = self._run(
            "SELECT rseq, leaf FROM audit_entry WHERE run_id = ? ORDER BY rseq DESC LIMIT 1", run
        ).fetchone()
        return None if found is None else (found[0], bytes(found[1]))

    def share_writer(self, writer: str) -> None:
        """Keep the key from being ended before this transaction ends; many may do so at once."""
        if not self._is_sqlite:
            self._run("SELECT pg_advisory_xact_lock_shared(?)", writer_lock(writer))

    def hold_writer(self, writer: str) -> None:
        """Wait until no transaction with entries of this key is under way, and let none begin."""
        if not self._is_sqlite:
            self._run("SELECT pg_advisory_xact_lock(?)", writer_lock(writer))

    def lock(self, number: int) -> None:
        """Wait for the sequencing lock; SQLite has one writer anyway."""
        if not self._is_sqlite:
            self._run("SELECT pg_advisory_xact_lock(?)", number)

    def try_lock(self, number: int) -> bool:
        """Take the sequencing lock if it is free."""
        if self._is_sqlite:
            return True
        return bool(self._run("SELECT pg_try_advisory_xact_lock(?)", number).fetchone()[0])

    def tree(self) -> Tree:
        """Return the stored tree, its row locked until the commit."""
        lock = "" if self._is_sqlite else " FOR UPDATE"
        found = self._run(f"SELECT size, frontier FROM audit_tree WHERE id = 1{lock}").fetchone()  # noqa: S608  two fixed texts
        return Tree() if found is None else Tree.load(found[0], bytes(found[1]))

    def pending(self) -> list[tuple[int, bytes]]:
        """Return entries without a place, oldest first: `seq` and leaf."""
        rows = self._run(
            "SELECT seq, leaf FROM audit_entry WHERE idx IS NULL ORDER BY seq LIMIT ?",
            MOST_PENDING,
        ).fetchall()
        return [(seq, bytes(leaf)) for seq, leaf in rows]

    def place(self, seqs: Sequence[int], first: int) -> None:
        """Give these entries the places from `first` on."""
        places = range(first, first + len(seqs))
        if self._is_sqlite:
            self._driver.executemany(
                "UPDATE audit_entry SET idx = ? WHERE seq = ?", zip(places, seqs, strict=True)
            )
            return
        self._run(
            "UPDATE audit_entry SET idx = given.idx"
            " FROM unnest(?::bigint[], ?::bigint[]) AS given (seq, idx)"
            " WHERE audit_entry.seq = given.seq",
            *(list(seqs), list(places)),
        )

    def save_tree(self, tree: Tree, tiles: Sequence[Tile]) -> None:
        """Store the tree and the tiles it completed."""
        self._run(
            "INSERT INTO audit_tree (id, size, frontier) VALUES (1, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier",
            *(tree.size, tree.dump()),
        )
        for tile in tiles:
            self._run("INSERT INTO audit_tile (level, n, hash) VALUES (?, ?, ?)", *tile)

    def newest_head(self) -> NewestHead | None:
        """Return what is known of the newest checkpoint."""
        newest_end = "NULL" if self._is_sqlite else NEWEST_END
        found = self._run(
            f"SELECT size, created_at, kept_because, {newest_end} FROM audit_checkpoint"  # noqa: S608  two fixed texts
            " ORDER BY size DESC LIMIT 1"
        ).fetchone()
        if found is None:
            return None
        return NewestHead(found[0], self._read_moment(found[1]), found[2] is not None, found[3])

    def add_head(self, size: int, note: str, *, kept: str | None, at: datetime) -> None:
        """Store a checkpoint beside the ones there are."""
        self._run(
            "INSERT INTO audit_checkpoint (size, note, kept_because, created_at)"
            " VALUES (?, ?, ?, ?)",
            *(size, note, kept, self._moment(at)),
        )

    def replace_head(
        self, old: int, *, size: int, note: str, kept: str | None, at: datetime
    ) -> None:
        """Store a checkpoint in place of the one at `old`, which is not kept."""
        self._run(
            "UPDATE audit_checkpoint SET size = ?, note = ?, kept_because = ?, created_at = ?"
            " WHERE size = ?",
            *(size, note, kept, self._moment(at), old),
        )

    def _run(self, statement: str, *values: object) -> Any:  # noqa: ANN401  a cursor of either driver
        words = statement if self._is_sqlite else statement.replace("?", "%s")
        return self._driver.execute(words, values)

    def _moment(self, at: datetime) -> datetime | str:
        """Return `at` as the column kind `UtcDateTime` stores it."""
        if not self._is_sqlite:
            return at
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")

    def _read_moment(self, stored: datetime | str) -> datetime:
        if isinstance(stored, datetime):
            return stored.astimezone(UTC)
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def writer_lock(writer: str) -> int:
    """Return the number under which Postgres locks a writer key; the trigger takes the same."""
    return int.from_bytes(bytes.fromhex(writer), "big", signed=True)

"""Give entries their place, extend the tree and sign the head (AUDIT.md sections 6 and 7).

It runs at the end of the transaction that appended: on SQLite once for all who commit
together; on Postgres by whoever gets the lock, for everything that is pending.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from storage.admission import admit, built_here
from storage.checkpoint import Checkpoint, NoteSigner, Signer, read_vkey
from storage.enrolment import read_keys
from storage.outside import older_copy
from storage.trail_sql import MOST_PENDING, Extended, NewestHead, TrailSql
from storage.transaction import Database, Transaction
from workflows.errors import SigningKeyError

Now = Callable[[], datetime]
LOCK_IS_HELD = "sequencing lock held"
KEEP_HEAD = "keep the head because"
LEAVE_SECONDS = 0.05  # So long at most may entries go without a place while others append.


class Sequencer:
    """Places the entries of one log. `signers` holds the hot key first."""

    def __init__(self, *, origin: str, signers: Sequence[Signer], now: Now) -> None:
        self.origin = origin
        self._now = now
        self._lock = lock_number(origin)
        self._seen_end: int | None = None
        self._refused: str | None = None
        self._largest = 0  # On Postgres: how many entries had their place at a commit we saw.
        self._appending: set[Transaction] = set()  # On Postgres: those that will place too.
        self._placing: set[Transaction] = set()  # Those that ask for the lock, or hold it.
        self._placed_at = 0.0
        self.sign_with(signers)

    def sign_with(self, signers: Sequence[Signer]) -> None:
        """Sign heads with these keys from now on."""
        self.signers = tuple(signers)
        self._notes = NoteSigner(signers)

    def problem(self) -> str | None:
        """Return why this process can sign no head any more, if so."""
        return self._refused

    def expect(self, tx: Transaction) -> None:
        """Have `at_end` called when `tx`, which has appended, is about to commit."""
        tx.at_end(self.at_end)
        if not tx.is_sqlite and tx not in self._appending:
            self._appending.add(tx)
            tx.on_rollback(lambda: self._appending.discard(tx))

    def take_lock(self, tx: Transaction) -> None:
        """Wait until nobody else places entries, for kinds whose place counts at commit.

        Every entry committed before gets a place before those of this transaction.
        """
        TrailSql(tx).lock(self._lock)
        tx.notes[LOCK_IS_HELD] = True

    def at_end(self, tx: Transaction) -> None:
        """Place what is pending, unless another process does, or another unit of ours will."""
        sql = TrailSql(tx)
        self._appending.discard(tx)
        lock = None if tx.notes.get(LOCK_IS_HELD) else self._lock
        if lock is not None and self._may_leave_it():
            return
        while self._place(sql, tx, lock) == MOST_PENDING:
            lock = None

    def _may_leave_it(self) -> bool:
        """Say whether another unit of this process places now, or soon will.

        Under load one placing serves many units. Should no other unit come after all, the
        backstop places what this one appended within a second.
        """
        is_recent = monotonic() - self._placed_at < LEAVE_SECONDS
        return is_recent and bool(self._placing or self._appending)

    def _tries(self, tx: Transaction) -> None:
        """Remember that `tx` asks for the lock, and has it until it ends if it gets it."""
        if not tx.is_sqlite and tx not in self._placing:
            self._placing.add(tx)
            tx.after_commit(lambda: self._placing.discard(tx))
            tx.on_rollback(lambda: self._placing.discard(tx))

    def _place(self, sql: TrailSql, tx: Transaction, lock: int | None) -> int:
        self._tries(tx)
        found = sql.standing(lock=lock, built=built_here(tx))
        if found is None:
            self._placing.discard(tx)
            return 0
        self._require_growth(tx, found.tree.size)
        if not found.pending:
            return 0
        self._placed_at = monotonic()
        tree, first = found.tree, found.tree.size
        admit(tx, found.pending, first)
        tiles = tree.extend(one.leaf for one in found.pending)
        at = self._now()
        self._check_keys(tx, found.head)
        sql.extend(
            Extended(
                seqs=[one.seq for one in found.pending],
                are_placed=found.are_placed,
                first=first,
                tree=tree,
                tiles=tiles,
                note=self._notes.sign(Checkpoint(self.origin, tree.size, tree.root())),
                kept=tx.notes.get(KEEP_HEAD) or _hourly(found.head, at),
                at=at,
                before=found.head,
            )
        )
        self._remember(tx, tree.size)
        return len(found.pending)

    def _require_growth(self, tx: Transaction, size: int) -> None:
        """Refuse a log that is shorter than it was: its server is behind the one of before.

        Raises:
            UnusableDatabaseError: it has forgotten entries, effects among them.
        """
        if size < self._largest:
            refusal = older_copy(
                f"The log had {self._largest} entries while this process ran, and has {size} now."
            )
            self._refused = str(refusal)
            raise refusal
        self._remember(tx, size)

    def _remember(self, tx: Transaction, size: int) -> None:
        """Hold later looks against `size`, if `tx` is kept."""
        if size > self._largest and not tx.is_sqlite:
            tx.after_commit(lambda: self._saw(size))

    def _saw(self, size: int) -> None:
        self._largest = max(self._largest, size)

    def _check_keys(self, tx: Transaction, before: NewestHead | None) -> None:
        """Look at the keys again if one was ended: a head under an ended one would not count."""
        if before is not None and before.newest_end != self._seen_end:
            self._require_signers(tx)
            self._seen_end = before.newest_end

    def _require_signers(self, tx: Transaction) -> None:
        known = read_keys(tx.connection).known
        for key in (read_vkey(one.vkey) for one in self.signers):
            if key.id in known and known[key.id].ended_at is not None:
                refusal = SigningKeyError(
                    f"The log key {key.id} of this process was ended.",
                    hint="Copy keys/log.pem from the machine on which it was replaced, and start"
                    " this process again.",
                )
                self._refused = str(refusal)
                raise refusal


def sequence_pending(database: Database, sequencer: Sequencer) -> None:
    """Place what is pending: the backstop that runs each second on Postgres."""
    with database.begin() as tx:
        tx.at_end(sequencer.at_end)


def lock_number(origin: str) -> int:
    """Return the number under which Postgres locks the sequencing of that log."""
    return int.from_bytes(hashlib.sha256(origin.encode()).digest()[:8], "big", signed=True)


def _hourly(before: NewestHead | None, at: datetime) -> str | None:
    """Return `hourly` for the first head of each hour."""
    if before is not None and _hour(before.created_at) == _hour(at):
        return None
    return "hourly"


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600

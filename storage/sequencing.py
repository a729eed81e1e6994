"""Give entries their place, extend the tree and sign the head (AUDIT.md sections 6 and 7).

It runs at the end of the transaction that appended: on SQLite once for all who commit
together; on Postgres by whoever gets the lock, for everything that is pending.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from storage.checkpoint import Checkpoint, NoteSigner, Signer, read_vkey
from storage.enrolment import read_keys
from storage.trail_sql import MOST_PENDING, NewestHead, TrailSql
from storage.transaction import Database, Transaction
from workflows.errors import SigningKeyError

Now = Callable[[], datetime]
LOCK_IS_HELD = "sequencing lock held"
KEEP_HEAD = "keep the head because"


class Sequencer:
    """Places the entries of one log. `signers` holds the hot key first."""

    def __init__(self, *, origin: str, signers: Sequence[Signer], now: Now) -> None:
        self.origin = origin
        self._now = now
        self._lock = lock_number(origin)
        self._seen_end: int | None = None
        self._refused: str | None = None
        self.sign_with(signers)

    def sign_with(self, signers: Sequence[Signer]) -> None:
        """Sign heads with these keys from now on."""
        self.signers = tuple(signers)
        self._notes = NoteSigner(signers)

    def problem(self) -> str | None:
        """Return why this process can sign no head any more, if so."""
        return self._refused

    def take_lock(self, tx: Transaction) -> None:
        """Wait until nobody else places entries, for kinds whose place counts at commit.

        Every entry committed before gets a place before those of this transaction.
        """
        TrailSql(tx).lock(self._lock)
        tx.notes[LOCK_IS_HELD] = True

    def at_end(self, tx: Transaction) -> None:
        """Place what is pending, unless another process is just doing so."""
        sql = TrailSql(tx)
        if not tx.notes.get(LOCK_IS_HELD) and not sql.try_lock(self._lock):
            return
        while self._place(sql, tx) == MOST_PENDING:
            pass

    def _place(self, sql: TrailSql, tx: Transaction) -> int:
        tree = sql.tree()
        pending = sql.pending()
        if not pending:
            return 0
        sql.place([seq for seq, _leaf in pending], tree.size)
        tiles = tree.extend(leaf for _seq, leaf in pending)
        sql.save_tree(tree, tiles)
        note = self._notes.sign(Checkpoint(self.origin, tree.size, tree.root()))
        self._save_head(sql, tx, tree.size, note)
        return len(pending)

    def _save_head(self, sql: TrailSql, tx: Transaction, size: int, note: str) -> None:
        at = self._now()
        before = sql.newest_head()
        if before is not None and before.newest_end != self._seen_end:
            # Another machine ended a key; a head under it would not count.
            self._require_signers(tx)
            self._seen_end = before.newest_end
        kept = tx.notes.get(KEEP_HEAD) or _hourly(before, at)
        if before is None or before.is_kept:
            sql.add_head(size, note, kept=kept, at=at)
        else:
            sql.replace_head(before.size, size=size, note=note, kept=kept, at=at)

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

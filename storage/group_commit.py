"""Commit on SQLite in groups: many threads, one writer connection, one fsync for all who wait.

The right to write is a baton. Whoever comes alone opens the transaction, works and commits it
without any further thread. When others wait, a thread that is done hands the baton on inside
the open transaction and waits; whoever ends last commits for all. Each body but the first
stands in a savepoint, so one that fails takes back only itself; a commit that fails, fails in
all of them, and nobody is told of success before it.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from sqlite3 import Connection as Driver
from sqlite3 import Error as SqliteError
from time import monotonic

from storage.transaction import Transaction
from workflows.errors import StorageUnavailableError

MOST_BODIES = 64
MOST_SECONDS = 0.05
TURN_TIMEOUT = 30.0


class Turn:
    """One thread's place in the line, and the way to wake it."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, timeout: float = -1) -> bool:
        """Sleep until woken; False when the time ran out."""
        return self._gate.acquire(timeout=timeout)

    def wake(self) -> None:
        """Let the waiting thread go on."""
        self._gate.release()


class Group:
    """The bodies that will be committed together."""

    __slots__ = ("bodies", "failure", "since", "turns", "unit")

    def __init__(self, unit: Transaction) -> None:
        self.since = monotonic()
        self.bodies = 0
        self.turns: list[Turn] = []
        self.unit = unit
        self.failure: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether those who are done have waited long enough."""
        return self.bodies >= MOST_BODIES or monotonic() - self.since > MOST_SECONDS


class GroupCommit:
    """The baton, the line of those who wait for it, and the open group."""

    def __init__(
        self,
        driver: Driver,
        unit: Callable[[], Transaction],
        *,
        busy_ms: int,
        require_kept: Callable[[], None] = lambda: None,
    ) -> None:
        """`busy_ms` is how long `driver` waits for a writer in another process.

        `require_kept` raises where a commit, though it succeeds, would not last.
        """
        self._driver = driver
        self._busy_ms = busy_ms
        self._require_kept = require_kept
        self._unit = unit
        self._mutex = threading.Lock()
        self._line: deque[Turn] = deque()
        self._taken = False
        self._group: Group | None = None

    def enter(self, timeout: float = TURN_TIMEOUT) -> Turn:
        """Wait for the baton, then open a body; both together take at most `timeout` seconds.

        Raises:
            StorageUnavailableError: the turn did not come in time.
        """
        turn, ends = Turn(), monotonic() + timeout
        if not self._take(turn):
            self._await(turn, timeout)
        try:
            self._open(ends)
        except BaseException:
            self._move_on()
            raise
        return turn

    def leave(self, turn: Turn, body: Transaction) -> None:
        """Keep the body just run: return once it is committed, raise if it was not."""
        group = self._the_group()
        if not self._driver.in_transaction:
            # A full disk makes SQLite roll back by itself: nobody in the group was kept.
            self._close(group, _lost())
            raise _lost()
        if group.bodies:
            self._end_savepoint(group, "RELEASE body")
        group.bodies += 1
        group.unit.ends.update(body.ends)
        group.unit.notes.update(body.notes)
        heir = None if group.is_full else self._heir()
        if heir is None:
            self._commit(group)
        else:
            group.turns.append(turn)
            heir.wake()
            turn.wait()
        if group.failure is not None:
            raise group.failure

    def abandon(self) -> None:
        """Take back the body just run, and only that one."""
        group = self._the_group()
        if not self._driver.in_transaction:
            self._close(group, _lost())
            return
        if not group.bodies:
            self._roll_back()
            self._close(group, None)
            return
        self._end_savepoint(group, "ROLLBACK TO body", "RELEASE body")
        heir = None if group.is_full else self._heir()
        if heir is None:
            self._commit(group)
        else:
            heir.wake()

    def _take(self, turn: Turn) -> bool:
        with self._mutex:
            if self._taken:
                self._line.append(turn)
                return False
            self._taken = True
            return True

    def _await(self, turn: Turn, timeout: float) -> None:
        came = False
        try:
            came = turn.wait(timeout)
        finally:
            if not came:
                self._withdraw(turn)
        if not came:
            raise StorageUnavailableError(
                "Other work held the database for too long.", hint="Try again in a moment."
            )

    def _withdraw(self, turn: Turn) -> None:
        """Leave the line; if the baton arrived in the meantime, hand it on."""
        with self._mutex:
            if turn in self._line:
                self._line.remove(turn)
                return
        self._move_on()

    def _move_on(self) -> None:
        """Let others go on after a turn that came to nothing."""
        if self._group is None:
            self._give_on()
        else:
            self._commit(self._group)

    def _open(self, ends: float) -> None:
        if self._group is None:
            self._begin(ends)
            self._group = Group(self._unit())
        else:
            self._driver.execute("SAVEPOINT body")

    def _begin(self, ends: float) -> None:
        """Begin the group's transaction; whoever waited in the line waits the less for others."""
        left_ms = max(1, round((ends - monotonic()) * 1000))
        if left_ms >= self._busy_ms:
            self._driver.execute("BEGIN IMMEDIATE")
            return
        self._driver.execute(f"PRAGMA busy_timeout = {left_ms}")
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        finally:
            self._driver.execute(f"PRAGMA busy_timeout = {self._busy_ms}")

    def _the_group(self) -> Group:
        if self._group is None:
            raise RuntimeError("No body is open.")
        return self._group

    def _heir(self) -> Turn | None:
        with self._mutex:
            return self._line.popleft() if self._line else None

    def _commit(self, group: Group) -> None:
        failure: BaseException | None = None
        try:
            for end in group.unit.ends:
                end(group.unit)
            self._require_kept()
            self._driver.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001  whatever it is, every member raises it
            failure = error
            self._roll_back()
        self._close(group, failure)

    def _end_savepoint(self, group: Group, *statements: str) -> None:
        """End the body's savepoint; if even that fails, nobody in the group is kept."""
        try:
            for statement in statements:
                self._driver.execute(statement)
        except BaseException as error:
            self._roll_back()
            self._close(group, error)
            raise

    def _roll_back(self) -> None:
        """Take back the transaction; a disk that fails here too has lost it anyway."""
        with suppress(SqliteError):
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")

    def _close(self, group: Group, failure: BaseException | None) -> None:
        group.failure = failure
        self._group = None
        self._give_on()
        for turn in group.turns:
            turn.wake()

    def _give_on(self) -> None:
        """Hand the baton to the next in line, or lay it down."""
        with self._mutex:
            heir = self._line.popleft() if self._line else None
            self._taken = heir is not None
        if heir is not None:
            heir.wake()


def _lost() -> StorageUnavailableError:
    return StorageUnavailableError(
        "The database gave up the transaction; nothing was recorded.",
        hint="Check the disk's free space, then try again.",
    )

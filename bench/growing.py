"""A database that grows while its bot is away: copies of a run that waits, and of one done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.clicking import APPROVERS, Clicking
from bench.copies import Copies
from bench.verification import apart
from sandbox.demo.bot import Bot
from storage.database import open_database
from storage.log_setup import open_journal
from storage.store import SqlStore
from workflows.entry import RunId

SETTLED = 3.0  # Seconds after its start until the bot is idle.


class Growing:
    """The real bot on a database that grows while the bot is away."""

    def __init__(self, bot: Bot, home: Path, clicking: Clicking) -> None:
        self._bot = bot
        self._home = home
        self._clicking = clicking
        self._waiting, self._ended = self._templates()
        self.waits = 1
        self.entries = 0

    def _templates(self) -> tuple[RunId, RunId]:
        """Have the bot make one run that waits and one that is done, to be copied."""
        self._bot.start()
        ((number, card),) = self._clicking.asked(1)
        self._clicking.click(card, APPROVERS[0], wait=True)
        self._clicking.marks.wait(number)
        time.sleep(SETTLED)
        self._clicking.asked(1)
        time.sleep(SETTLED)
        self._bot.stop()
        with self._store() as store, store.database.glance() as look:
            found = "SELECT id FROM run WHERE status = ? ORDER BY started_at DESC LIMIT 1"
            waiting, ended = (look.run(found, (one,)).fetchone()[0] for one in ("waiting", "done"))
        return RunId(waiting), RunId(ended)

    @contextmanager
    def _store(self) -> Iterator[SqlStore]:
        database = open_database(str(self._home / "interlock.db"))
        try:
            yield SqlStore(database, open_journal(database, self._home))
        finally:
            database.close()

    def grow(self, waiting: int, entries: int) -> float:
        """Grow to that many waiting approvals and entries; return entries made a second."""
        began = time.perf_counter()
        with self._store() as store:
            before = _size(store)
            Copies(store, self._waiting).make(waiting - self.waits)
            filling = Copies(store, self._ended)
            filling.make(max(0, entries - _size(store)) // filling.entries)
            self.waits, self.entries = waiting, _size(store)
        return (self.entries - before) / (time.perf_counter() - began)

    def verified(self) -> dict[str, float]:
        """Verify all but signatures in a process of its own, every table with its entries."""
        with self._store() as store:
            pin = store.journal.sequencer.signers[0].vkey
        how = {"quick": True, "tables": True, "processes": 1}
        spent, _cpu, megabytes = apart(str(self._home / "interlock.db"), pin, how)
        return {"verified_s": spent, "verified_mb": megabytes}


def _size(store: SqlStore) -> int:
    with store.database.glance() as look:
        return int(look.run("SELECT size FROM audit_tree").fetchone()[0])

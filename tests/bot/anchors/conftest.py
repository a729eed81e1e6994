"""A begun log under a clock that a test moves, and what brings its heads outside."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.anchors.anchoring import Anchoring
from bot.anchors.outsiders import Outsider
from bot.anchors.second_key import SecondKey
from storage.anchors import Anchor, Turn, read_anchors, read_turns
from storage.checkpoint import read_note
from storage.database import open_database
from storage.heads import Head, head, head_at, show_head
from storage.history import read_entries
from storage.log_setup import init_log, open_journal
from storage.store import SqlStore
from storage.verify import Report, verify_database
from tests.storage.machines import FACT
from tests.storage.run_drafts import HandClock
from tests.storage.trail import ORIGIN
from workflows.entry import Entry

EVERY = timedelta(hours=24)


@dataclass
class Ledger:
    """The log, and what a test asks of it."""

    url: str
    home: Path
    store: SqlStore
    clock: HandClock
    vkey: str = ""
    outsiders: list[Outsider] = field(default_factory=list)
    second: SecondKey | None = None

    def grows(self, by: int = 1) -> None:
        """Record some facts."""
        for _ in range(by):
            with self.store.begin() as unit:
                unit.append(FACT)

    def backup(self) -> Path:
        """Copy the SQLite file as it is now."""
        copy = self.home / "backup.db"
        with closing(sqlite3.connect(self.url)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        return copy

    def restore(self, copy: Path) -> None:
        """Put a copy in the place of the file, and open it."""
        self.store.database.close()
        shutil.copy(copy, self.url)
        database = open_database(self.url)
        journal = open_journal(database, self.home, now=self.clock)
        self.store = SqlStore(database, journal, now=self.clock)

    def look(self) -> None:
        """Ask everybody whose turn it is, as the serving process does."""
        now = self.clock
        Anchoring(self.store, self.outsiders, second=self.second, every=EVERY, now=now).look()

    def head(self) -> Head:
        with self.store.database.read() as connection:
            return head(connection)

    def head_at(self, size: int) -> Head:
        with self.store.database.read() as connection:
            return head_at(connection, size)

    def shown(self) -> Head:
        with self.store.database.begin() as tx:
            return show_head(tx)

    def kept_note(self, size: int) -> str:
        with self.store.database.read() as connection:
            found = connection.execute(
                text("SELECT note FROM audit_checkpoint WHERE size = :size"), {"size": size}
            ).scalar_one()
        return str(found)

    def lines(self, size: int) -> list[str]:
        """Return who signed the kept head of that size."""
        return [one.name for one in read_note(self.kept_note(size)).lines]

    def anchors(self) -> list[Entry]:
        """Return the entries that tell of anchors."""
        with self.store.database.read() as connection:
            found = read_entries(connection, 0, head(connection).size)
        return [one for one in found if one.kind == "checkpoint.anchored"]

    def kept_anchors(self) -> list[Anchor]:
        """Return the anchors as they are kept, the newest first."""
        with self.store.database.read() as connection:
            return read_anchors(connection, most=100)

    def evidence(self, kind: str) -> bytes:
        """Return the newest evidence of a type."""
        with self.store.database.read() as connection:
            found = connection.execute(
                text("SELECT evidence FROM audit_anchor WHERE type = :type ORDER BY id DESC"),
                {"type": kind},
            ).scalars()
            return bytes(next(iter(found)))

    def turns(self) -> dict[str, Turn]:
        with self.store.database.read() as connection:
            return {one.name: one for one in read_turns(connection)}

    def verified(self, *notes: str) -> Report:
        return verify_database(self.url, [self.vkey], notes, processes=1)


@pytest.fixture
def ledger(sqlite_url: str, tmp_path: Path) -> Iterator[Ledger]:
    yield from _begun(sqlite_url, tmp_path)


@pytest.fixture
def any_ledger(database_url: str, tmp_path: Path) -> Iterator[Ledger]:
    """Give one on each database."""
    yield from _begun(database_url, tmp_path)


def _begun(url: str, tmp_path: Path) -> Iterator[Ledger]:
    database, clock, home = open_database(url), HandClock(), tmp_path / "home"
    journal = init_log(database, home, origin=ORIGIN, now=clock)
    store = SqlStore(database, journal, now=clock)
    vkey = journal.sequencer.signers[0].vkey
    begun = Ledger(url=url, home=home, store=store, clock=clock, vkey=vkey)
    yield begun
    begun.store.database.close()

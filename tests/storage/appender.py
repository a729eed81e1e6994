"""A process that appends to a log until it is done, or until its fuse ends it.

`python -m tests.storage.appender URL HOME NAME COUNT [PHASE NTH]`: each unit is one run of two
entries; a run whose commit returned is told on standard output. At last it places what is pending,
as the job of each second does.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from storage.database import Database, Transaction, open_database
from storage.entry_builder import NO_TAIL
from storage.journal import Journal, new_entry_id, utc_now
from storage.keys import LogKey
from storage.log_setup import open_journal
from storage.sequencing import sequence_pending
from workflows.entry import INTERLOCK, Draft, Part, RunId

Value = TypeVar("Value")
PHASES = ("id", "time", "head", "sealed", "committed")


@dataclass
class Fuse:
    """Ends the process, as a power cut would, when it is passed for the n-th time."""

    phase: str = ""
    left: int = 0

    def passed(self, phase: str) -> None:
        if phase == self.phase:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def before(self, phase: str, call: Callable[[], Value]) -> Callable[[], Value]:
        def passing() -> Value:
            self.passed(phase)
            return call()

        return passing


@dataclass
class FusedKey:
    """A log key with a fuse before it signs."""

    key: LogKey
    fuse: Fuse

    @property
    def vkey(self) -> str:
        return self.key.vkey

    def sign(self, message: bytes) -> bytes:
        self.fuse.passed("head")
        return self.key.sign(message)


def fused_journal(database: Database, home: Path, fuse: Fuse) -> Journal:
    plain = open_journal(database, home)
    return Journal(
        origin=plain.origin,
        writer=plain.writer,
        signers=[FusedKey(key, fuse) for key in plain.sequencer.signers],
        now=fuse.before("time", utc_now),
        new_id=fuse.before("id", new_entry_id),
    )


def append_run(database: Database, journal: Journal, run: RunId, fuse: Fuse) -> None:
    def sealed(_tx: Transaction) -> None:
        fuse.passed("sealed")

    start = {"workflow": "deploy", "version": "ab", "trigger": "cli"}
    with database.begin() as tx:
        first = journal.append(
            tx,
            Draft(
                kind="run.started",
                actor=INTERLOCK,
                data=start,
                run=run,
                parts={"message": Part(value=run.encode())},
            ),
            tail=NO_TAIL,
        )
        end = Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=run)
        journal.append(tx, end, tail=first.tail)
        tx.at_end(sealed)
    fuse.passed("committed")


def main(url: str, home: str, name: str, count: str, *fused: str) -> None:
    fuse = Fuse(fused[0], int(fused[1])) if fused else Fuse()
    database = open_database(url)
    journal = fused_journal(database, Path(home), fuse)
    for number in range(int(count)):
        run = RunId(f"{name}-{number}")
        append_run(database, journal, run, fuse)
        sys.stdout.write(f"{run}\n")
        sys.stdout.flush()
    sequence_pending(database, journal.sequencer)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A log of any size for `audit`, and what this machine could do at best beside it."""

import base64
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from bench.raw import lengthen, repeat
from storage.audit_models import AuditEntryRow
from storage.database import open_database
from storage.entry_builder import NO_TAIL, EntryBuilder
from storage.entry_bytes import ENTRY_TYPE, body_of, leaf_hash, pae, seal
from storage.journal import Journal, new_entry_id, utc_now
from storage.keys import WriterKey
from storage.log_setup import init_log
from storage.transaction import Database, Transaction
from storage.tree import Tree
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass, RunId

ORIGIN = "bench.example/audit/B1"
BATCH = 100
STARTED: dict[str, Json] = {"workflow": "deploy", "version": "ab" * 32, "trigger": "cli"}
OBSERVED: dict[str, Json] = {"step": "look", "attempt": 1, "action": "sql.query", "outcome": "ok"}
SAMPLE = 20_000  # Lines over which the raw rates are measured.


def begin(url: str, home: Path) -> tuple[Database, Journal]:
    """Begin a log in an empty database."""
    database = open_database(url)
    return database, init_log(database, home, origin=ORIGIN)


def facts_of_run() -> Iterator[Draft]:
    """Yield one run of five facts, two of them with a payload."""
    run = RunId(secrets.token_hex(8))
    output = Part(value=b"12 rows, none of them odd", cls=PartClass.BUSINESS)
    for kind, data, parts in (
        ("run.started", STARTED, {"message": Part(value=b"deploy, please")}),
        ("step.observed", OBSERVED, {"output": output}),
        ("step.observed", OBSERVED, {}),
        ("step.observed", OBSERVED, {}),
        ("run.finished", {"outcome": "done"}, {}),
    ):
        yield Draft(kind=kind, actor=INTERLOCK, data=data, run=run, parts=parts)


def add_run(journal: Journal, tx: Transaction) -> None:
    """Append one run of five entries."""
    tail = NO_TAIL
    for draft in facts_of_run():
        tail = journal.append(tx, draft, tail=tail).tail


def add_batch(database: Database, journal: Journal, *, size: int = BATCH) -> None:
    """Commit a hundred entries at once, or as many as `size` says."""
    with database.begin() as tx:
        for _ in range(size // 5):
            add_run(journal, tx)


def batch_rate(folder: Path, seconds: float) -> float:
    """Return how many entries a second are committed in hundreds, as by a bot that serves."""
    path = folder / "batch.db"
    database, journal = begin(str(path), folder / "batch-home")
    try:
        lengthen(path, lambda: add_batch(database, journal))
        return BATCH * repeat(lambda: add_batch(database, journal), seconds)
    finally:
        database.close()


def fsync_rate(folder: Path, seconds: float) -> float:
    """Return how often a second a page of a file reaches the disk."""
    file = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY)

    def once() -> None:
        os.pwrite(file, b"x" * 4096, 0)
        os.fdatasync(file)

    try:
        return repeat(once, seconds)
    finally:
        os.close(file)


def build_rate(seconds: float) -> float:
    """Return how many entries a second the product builds for `add_run`, and stores nowhere."""
    writer = WriterKey.of(Ed25519PrivateKey.generate())
    builder = EntryBuilder(origin=ORIGIN, now=utc_now, new_id=new_entry_id)

    def build() -> None:
        tail = NO_TAIL
        for draft in facts_of_run():
            tail = builder.build(writer, draft, tail=tail).tail

    runs = int(seconds * 500)
    return 5 * runs / timed(lambda: [build() for _ in range(runs)])


def bytes_rate(seconds: float) -> float:
    """Return how many entries a second can be written down, signed and hashed, at best."""
    writer = WriterKey.of(Ed25519PrivateKey.generate())
    members: dict[str, Json] = {
        "actor": {"ref": "interlock", "t": "bot"},
        "data": OBSERVED,
        "id": "00" * 16,
        "key": writer.id,
        "kind": "step.observed",
        "log": ORIGIN,
        "parts": {},
        "prev": base64.b64encode(bytes(32)).decode(),
        "rseq": 1,
        "run": "r1",
        "ts": "2026-03-02T09:00:00.000Z",
        "v": 1,
    }
    count = int(seconds * 2_000)
    spent = timed(lambda: [leaf_hash(seal(members, writer.sign)) for _ in range(count)])
    return count / spent


def raw_rates(url: str, public: bytes) -> dict[str, float]:
    """Return how fast lines can be hashed into a tree, and signatures be checked, at best."""
    database = open_database(url)
    with database.read() as connection:
        wanted = select(AuditEntryRow.line).where(AuditEntryRow.idx > 0).limit(SAMPLE)
        lines = [str(one).encode() for one in connection.execute(wanted).scalars()]
    database.close()
    tree, key = Tree(), Ed25519PublicKey.from_public_bytes(public)
    signed = [(base64.b64decode(_signature(one)), pae(ENTRY_TYPE, body_of(one))) for one in lines]
    hashed = timed(lambda: [tree.append(leaf_hash(line)) for line in lines])
    checked = timed(lambda: [key.verify(signature, message) for signature, message in signed])
    return {"raw_tree": len(lines) / hashed, "raw_ed25519": len(lines) / checked}


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds of this process `call` takes; others at work do not count."""
    began = time.process_time()
    call()
    return time.process_time() - began


def _signature(line: bytes) -> str:
    return line.rpartition(b'"sig":"')[2].partition(b'"')[0].decode()

"""A log with everything in it, for tests that verify it or break it."""

import base64
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, select, text

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow
from storage.checkpoint import read_vkey
from storage.database import Database
from storage.entry_builder import Built
from storage.heads import show_head
from storage.journal import Journal
from storage.keys import LogKey, WriterKey
from storage.log_setup import init_log
from workflows.binding import binding
from workflows.entry import (
    INTERLOCK,
    SYSTEM,
    Actor,
    ActorKind,
    Draft,
    Json,
    Part,
    PartClass,
    Ref,
    RunId,
)
from workflows.moments import stamp

ORIGIN = "interlock.example/audit/T0ABC"
BINDING = binding(workflow="deploy", version="ab", step="ship", policy="cd", args=None, plan=None)
BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class Trail:
    """A log under construction."""

    url: str
    database: Database
    journal: Journal
    pin: str
    clock: Clock

    def tell(self, *drafts: Draft) -> list[Built]:
        """Record facts in one transaction."""
        with self.database.begin() as tx:
            return [self.journal.append(tx, draft) for draft in drafts]

    def person(self, name: str) -> Ref:
        """Return a person's pseudonym."""
        with self.database.begin() as tx:
            return self.journal.ref(tx, f"slack:T0ABC:{name}", name.title())

    def run(self, name: str, *, denied: bool = False, approver: str = "ana") -> None:
        """Record a whole run with a request, a decision and its effect, in five commits."""
        rita, who = self.person("rita"), self.person(approver)
        self.tell(started(name, rita), requested(name, self.person("ana")))
        self.tell(decided(name, who, denied=denied))
        if not denied:
            self.tell(intended(name))
            self.tell(executed(name))
        self.tell(in_run(name, "run.finished", {"outcome": "denied" if denied else "done"}))

    def outside_note(self) -> str:
        """Return the newest note, as someone outside would keep it."""
        with self.database.begin() as tx:
            return show_head(tx).note

    def run_sql(self, *statements: str) -> None:
        """Do what an owner of the database can do: anything, with the triggers away."""
        driver: Any = (
            sqlite3.connect(self.url)
            if self.database.dialect == "sqlite"
            else psycopg.connect(self.url)
        )
        with closing(driver):
            for statement in (*self._unguard(), *statements):
                driver.execute(statement)
            driver.commit()

    def as_plain_tables(self) -> None:
        """Replace the entries' table by a copy without constraints or generated columns."""
        self.run_sql(
            "CREATE TABLE copied AS SELECT * FROM audit_entry",
            "DROP TABLE audit_entry" + ("" if self.database.dialect == "sqlite" else " CASCADE"),
            "ALTER TABLE copied RENAME TO audit_entry",
        )

    def line(self, index: int) -> str:
        """Return the line at that place."""
        with self.database.read() as connection:
            found = select(AuditEntryRow.line).where(AuditEntryRow.idx == index)
            return str(connection.execute(found).scalar_one())

    def place_of(self, kind: str) -> int:
        """Return the place of the first entry of that kind."""
        found = select(AuditEntryRow.idx).where(AuditEntryRow.kind == kind)
        with self.database.read() as connection:
            places = connection.execute(found.order_by(AuditEntryRow.idx)).scalars().all()
        return int(places[0] or 0)

    def tells(self, kind: str) -> int:
        """Return how many entries of that kind there are."""
        found = select(func.count(AuditEntryRow.seq)).where(AuditEntryRow.kind == kind)
        with self.database.read() as connection:
            return int(connection.execute(found).scalar_one())

    def count(self) -> int:
        """Return how many entries there are."""
        with self.database.read() as connection:
            return int(connection.execute(select(func.count(AuditEntryRow.seq))).scalar_one())

    def _unguard(self) -> list[str]:
        if self.database.dialect == "sqlite":
            return [
                "DROP TRIGGER IF EXISTS audit_entry_no_delete",
                "DROP TRIGGER IF EXISTS audit_entry_only_place",
            ]
        return [
            "DROP TRIGGER IF EXISTS audit_entry_no_delete ON audit_entry",
            "DROP TRIGGER IF EXISTS audit_entry_only_place ON audit_entry",
            "DROP TRIGGER IF EXISTS audit_entry_no_truncate ON audit_entry",
            "DROP TRIGGER IF EXISTS audit_entry_writer_counts ON audit_entry",
        ]


def begin_trail(url: str, database: Database, home: Path) -> Trail:
    """Begin a log with a clock of its own."""
    clock = Clock()
    journal = init_log(database, home, origin=ORIGIN, now=clock)
    return Trail(url, database, journal, journal.sequencer.signers[0].vkey, clock)


def in_run(
    run: str,
    kind: str,
    data: dict[str, Json],
    *,
    actor: Actor = INTERLOCK,
    parts: dict[str, Part] | None = None,
) -> Draft:
    return Draft(kind=kind, actor=actor, data=data, run=RunId(run), parts=parts or {})


def outside(kind: str, data: dict[str, Json]) -> Draft:
    return Draft(kind=kind, actor=SYSTEM, data=data)


def started(run: str, requester: Ref) -> Draft:
    return in_run(
        run,
        "run.started",
        {"workflow": "deploy", "version": "ab", "trigger": "slash"},
        actor=Actor(kind=ActorKind.USER, ref=requester),
        parts={"message": Part(value=b"deploy it, please", subject=requester)},
    )


def requested(run: str, *approvers: Ref, approve: int = 1) -> Draft:
    stage: Json = {"from": ["@leads"], "approve": approve, "deny": 1, "people": [*approvers]}
    data: dict[str, Json] = {
        "request": f"{run}/ship",
        "step": "ship",
        "binding": BINDING,
        "policy": "cd",
        "stages": [stage],
        "excluded": [],
        "expires": "2026-03-03T09:00:00Z",
    }
    return in_run(run, "approval.requested", data, parts={"preview": Part(value=b"shown")})


def delegated(giver: Ref, to: Ref | None, *, until: datetime) -> Draft:
    data: dict[str, Json] = {"request": None, "from": giver, "to": to, "until": stamp(until)}
    actor = Actor(kind=ActorKind.USER, ref=giver)
    return Draft(kind="approval.delegated", actor=actor, data=data)


def decided(run: str, approver: Ref, *, denied: bool, stands_for: Ref | None = None) -> Draft:
    data: dict[str, Json] = {
        "request": f"{run}/ship",
        "binding": BINDING,
        "stage": 0,
        "decision": "denied" if denied else "approved",
        "have": 1,
        "need": 1,
        "via": "click",
        "step_up": None,
        "slack": None,
        **({} if stands_for is None else {"for": stands_for}),
    }
    kind = "approval.denied" if denied else "approval.granted"
    return in_run(run, kind, data, actor=Actor(kind=ActorKind.USER, ref=approver))


def edited(run: str, editor: Ref) -> Draft:
    data: dict[str, Json] = {
        "request": f"{run}/ship",
        "next": f"{run}/again",
        "was": BINDING,
        "binding": None,
        "steps": ["ship"],
    }
    return in_run(run, "approval.edited", data, actor=Actor(kind=ActorKind.USER, ref=editor))


def intended(run: str, *, bound: str = BINDING) -> Draft:
    data: dict[str, Json] = {
        "step": "ship",
        "attempt": 1,
        "action": "shell.run",
        "effect": "destructive",
        "target": "prod",
        "idem": f"{run}/ship",
        "binding": bound,
        "request": f"{run}/ship",
    }
    return in_run(run, "action.intended", data)


def executed(run: str) -> Draft:
    data: dict[str, Json] = {"step": "ship", "attempt": 1, "idem": f"{run}/ship", "ms": 12}
    output = Part(value=b"shipped", cls=PartClass.BUSINESS)
    return in_run(run, "action.executed", data, parts={"output": output})


def erase_person(trail: Trail, name: str) -> int:
    """Erase a person's parts with the marker that says so; return how many."""
    return erase(trail, trail.person(name))


def erase(trail: Trail, ref: Ref) -> int:
    """Erase the parts of whoever has that pseudonym, and who they are; return how many."""
    with trail.database.begin() as tx:
        held = tx.connection.execute(
            select(AuditEntryRow.idx, AuditPartRow.name)
            .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
            .where(AuditPartRow.subject_ref == ref)
            .order_by(AuditEntryRow.idx)
        ).all()
        items: Json = [[row.idx, row.name] for row in held]
        data: dict[str, Json] = {
            "items": items,
            "reason": "request",
            "request": None,
            "policy": "cd",
            "by_run": None,
        }
        trail.journal.append(tx, outside("erasure", data))
        tx.connection.execute(delete(AuditPartRow).where(AuditPartRow.subject_ref == ref))
        tx.connection.execute(delete(AuditSubjectRow).where(AuditSubjectRow.ref == ref))
    return len(held)


def sweep(trail: Trail, cls: PartClass) -> None:
    """Sweep every part of a class that is held so far."""
    with trail.database.begin() as tx:
        before = tx.connection.execute(text("SELECT size FROM audit_tree")).scalar_one()
        gone = tx.connection.execute(delete(AuditPartRow).where(AuditPartRow.cls == cls.value))
        data = {"policy": "cd", "cls": cls.value, "before": before, "n": gone.rowcount}
        trail.journal.append(tx, outside("retention.sweep", data))


def rotate_log_key(trail: Trail, *, sign_with_both: bool = True) -> LogKey:
    """Bring in a new log key by the rules, and end the old one."""
    fresh = LogKey.of(Ed25519PrivateKey.generate(), ORIGIN)
    old = trail.journal.sequencer.signers[0]
    trail.journal = with_signers(trail, [old, fresh] if sign_with_both else [old])
    with trail.database.begin() as tx:
        trail.journal.append(tx, outside("key.add", {"role": "log", "vkey": fresh.vkey}))
        trail.journal.keep_head(tx, "rotation")
    trail.journal = with_signers(trail, [fresh])
    trail.tell(outside("key.retire", {"id": old_id(old.vkey)}))
    return fresh


def rotate_writer(trail: Trail) -> WriterKey:
    """Enrol a new writer, write with it, and end the old one."""
    fresh = WriterKey.of(Ed25519PrivateKey.generate())
    old = trail.journal.writer
    data: dict[str, Json] = {
        "role": "entry",
        "pk": base64.b64encode(fresh.public).decode(),
        "pop": base64.b64encode(fresh.possession(ORIGIN)).decode(),
        "holder": "worker-2",
    }
    trail.tell(outside("key.add", data))
    trail.journal = with_writer(trail, fresh)
    trail.tell(outside("key.retire", {"id": old.id}))
    return fresh


def with_signers(trail: Trail, signers: list[LogKey]) -> Journal:
    return Journal(origin=ORIGIN, writer=trail.journal.writer, signers=signers, now=trail.clock)


def with_writer(trail: Trail, writer: WriterKey) -> Journal:
    signers = trail.journal.sequencer.signers
    return Journal(origin=ORIGIN, writer=writer, signers=signers, now=trail.clock)


def old_id(vkey: str) -> str:
    return read_vkey(vkey).id

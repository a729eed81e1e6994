"""How the log stands at this moment, in numbers: for whoever watches a bot from outside.

Each figure comes from an index or from one row, so reading them costs by what is open and not
by how long the log is. What has happened is counted from the entries, by `read_events`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from storage.audit_models import (
    PENDING,
    AuditCheckpointRow,
    AuditEntryRow,
    AuditTreeRow,
    LineMember,
)
from storage.change import read_moment_or_none
from storage.entry_bytes import read_stamp
from storage.message_models import IS_PENDING, OutboxRecord
from storage.run_models import IS_OPEN, RequestRecord, RunRecord
from storage.transaction import Database
from workflows.run import Status

MOST_EVENTS = 10_000  # So many entries are looked through at a time.
SILENT = timedelta(seconds=30)  # A worker that says nothing for longer is gone.
SETTLED = timedelta(seconds=30)  # No command that only looks stays connected for so long.


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits: to be delivered, to be decided, to be settled; and since when the oldest does."""

    messages: int
    messages_since: datetime | None  # When the first of them could have gone.
    requests: int
    requests_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What the nightly verification found when it last looked."""

    at: datetime
    size: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """How far the log has come: its entries, when its head was signed, what has no place yet."""

    size: int
    head_at: datetime | None
    pending: int


@dataclass(frozen=True, slots=True)
class Event:
    """Entries that are counted alike: their kind, their workflow, and how a run ended."""

    kind: str
    workflow: str
    outcome: str
    count: int = 1


def read_waiting(connection: Connection) -> Waiting:
    """Return what waits at this moment."""
    message, request = OutboxRecord, RequestRecord
    messages, first = connection.execute(
        select(func.count(), func.min(message.next_at)).where(IS_PENDING)
    ).one()
    requests, raised = connection.execute(
        select(func.count(), func.min(request.raised_at)).where(IS_OPEN)
    ).one()
    return Waiting(
        messages=messages, messages_since=first, requests=requests, requests_since=raised
    )


def read_going(connection: Connection) -> Counter[tuple[str, Status]]:
    """Return how many runs have not ended, by workflow and by where they stand."""
    run = RunRecord
    found = connection.execute(
        select(run.workflow, run.status, func.count())
        .where(run.finished_at.is_(None))
        .group_by(run.workflow, run.status)
        .order_by(run.workflow, run.status)
    )
    return Counter({(row[0], Status(row[1])): row[2] for row in found})


def read_oldest(connection: Connection, statuses: Sequence[Status]) -> Mapping[Status, datetime]:
    """Return when the oldest run in each of these was started, as far as there is one."""
    run = RunRecord
    found = {
        one: connection.execute(select(func.min(run.started_at)).where(run.status == one)).scalar()
        for one in statuses
    }
    return {status: at for status, at in found.items() if at is not None}


def read_grown(connection: Connection) -> Grown:
    """Return how far the log has come."""
    size = connection.execute(select(AuditTreeRow.size).where(AuditTreeRow.id == 1)).scalar() or 0
    newest = AuditCheckpointRow.size
    head_at = connection.execute(
        select(AuditCheckpointRow.created_at).order_by(newest.desc()).limit(1)
    ).scalar()
    pending = connection.execute(select(func.count()).select_from(AuditEntryRow).where(PENDING))
    return Grown(size=size, head_at=head_at, pending=pending.scalar_one())


def read_verified(connection: Connection) -> Verified | None:
    """Return what the last verification found, None before the first."""
    entry = AuditEntryRow
    line = connection.execute(
        select(entry.line)
        .where(entry.run_id.is_(None), entry.kind == "verify.run", entry.idx.is_not(None))
        .order_by(entry.idx.desc())
        .limit(1)
    ).scalar()
    if line is None:
        return None
    members = json.loads(line)
    data = members["data"]
    return Verified(
        at=read_stamp(members["ts"]), size=int(data["size"]), failures=int(data["failures"])
    )


def read_workers(connection: Connection) -> int:
    """Return how many processes on this Postgres say that they continue runs."""
    found = connection.execute(
        text(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat >= now() - make_interval(secs => :silent)"
        ),
        {"silent": SILENT.total_seconds()},
    )
    return int(found.scalar_one())


def is_worked_on(database: Database) -> bool:
    """Say whether processes continue runs of this database; those of a file are in its home."""
    if database.dialect == "sqlite":
        return False
    with database.read() as connection:
        return read_workers(connection) > 0


def connected_from(connection: Connection) -> list[str]:
    """Return where processes are that have been connected to this Postgres for a while.

    One that serves and continues no runs has no other mark there. Commands come and go.
    """
    found = connection.execute(
        text(
            "SELECT DISTINCT coalesce(host(client_addr), 'its own machine') FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'interlock'"
            " AND pid <> pg_backend_pid() AND backend_start <= now() - make_interval(secs => :long)"
            " ORDER BY 1"
        ),
        {"long": SETTLED.total_seconds()},
    )
    return [str(one) for one in found.scalars()]


def read_archived(connection: Connection) -> datetime | None:
    """Return when this Postgres last put a piece of its WAL away, None if it never does."""
    found = connection.execute(text("SELECT last_archived_time FROM pg_stat_archiver"))
    return read_moment_or_none(found.scalar())


def read_events(connection: Connection, kinds: Sequence[str], *, places: range) -> Iterator[Event]:
    """Yield what was told of these kinds at those places of the log, the earliest first.

    The database counts them, so that a page of entries comes as a handful of rows.
    """
    entry, run = AuditEntryRow, RunRecord
    outcome = LineMember("data", "outcome")
    alike = (entry.kind, run.workflow, outcome)
    found = connection.execute(
        select(entry.kind, run.workflow, outcome.label("outcome"), func.count().label("n"))
        .join(run, run.id == entry.run_id, isouter=True)
        .where(entry.idx >= places.start, entry.idx < places.stop, entry.kind.in_(kinds))
        .group_by(*alike)
        .order_by(func.min(entry.idx))
    )
    for row in found:
        yield Event(str(row.kind), str(row.workflow or ""), str(row.outcome or ""), row.n)

"""Reads which digests were made, what they said, and which entries a period has."""

from bisect import bisect_left
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow, LineMember
from storage.message_models import DigestRecord, OutboxRecord
from storage.outbox_values import MessagePlace, OutboxState
from workflows.moments import stamp
from workflows.store import Subject


def places_between(connection: Connection, *, since: datetime, until: datetime, size: int) -> range:
    """Return the places of the entries written between two moments, found by halving the log."""
    start = bisect_left(range(size), stamp(since), key=lambda one: _stamp_at(connection, one))
    stop = bisect_left(range(size), stamp(until), key=lambda one: _stamp_at(connection, one))
    return range(start, stop)


def _stamp_at(connection: Connection, place: int) -> str:
    query = select(AuditEntryRow.ts).where(AuditEntryRow.idx == place)
    return connection.execute(query).scalar_one() or ""


def last_digest(connection: Connection, *, now: datetime) -> tuple[str, datetime] | None:
    """Return the newest digest: its id and its end.

    One that ends later was made by a clock that went ahead and came back. It holds back none.
    """
    row = connection.execute(
        select(DigestRecord.id, DigestRecord.to_at)
        .where(DigestRecord.to_at <= now)
        .order_by(DigestRecord.to_idx.desc(), DigestRecord.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.id, row.to_at)


def next_places(
    connection: Connection, until: datetime, *, size: int, since: datetime | None, first: timedelta
) -> tuple[datetime, range]:
    """Return since when the next digest tells, and the places of its entries: none, if none came.

    `since` is where the one before ended. The first one tells of that long, and of these
    entries, however old the log is.
    """
    begins = until - first if since is None else since
    told = connection.execute(select(func.max(DigestRecord.to_idx))).scalar()
    if told is not None:
        return begins, range(min(told + 1, size), size)
    places = places_between(connection, since=begins, until=until, size=size)
    return begins, range(places.start, size)


def digest_figures(connection: Connection, digest: str) -> str | None:
    """Return the figures a digest was made of, as JSON text."""
    query = select(DigestRecord.figures).where(DigestRecord.id == digest)
    return connection.execute(query).scalar_one_or_none()


def digest_before(connection: Connection, digest: str) -> str | None:
    """Return the id of the digest before, None for the first."""
    query = (
        select(DigestRecord.id)
        .where(DigestRecord.id < digest)
        .order_by(DigestRecord.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def newest_posted(connection: Connection) -> str | None:
    """Return the id of the newest entry that says where a digest stands."""
    query = (
        select(AuditEntryRow.uid)
        .where(AuditEntryRow.run_id.is_(None), AuditEntryRow.kind == "digest.posted")
        .order_by(AuditEntryRow.seq.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def given_up(connection: Connection, *, most: int) -> list[str]:
    """Return the newest digests that Slack would not take, the oldest of these first."""
    row = OutboxRecord
    found = connection.execute(
        select(row.key)
        .where(row.subject == Subject.DIGEST, row.state == OutboxState.FAILED)
        .where(row.place_ts.is_(None))
        .order_by(row.key.desc())
        .limit(most)
    )
    return sorted(found.scalars())


def is_posted(connection: Connection, place: MessagePlace) -> bool:
    """Say whether an entry tells already that a digest stands there."""
    query = (
        select(AuditEntryRow.seq)
        .where(
            AuditEntryRow.run_id.is_(None),
            AuditEntryRow.kind == "digest.posted",
            LineMember("data", "slack", "channel") == place.channel,
            LineMember("data", "slack", "message_ts") == place.ts,
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None

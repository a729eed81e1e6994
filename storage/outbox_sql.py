"""The statements of the outbox: queue a message, take some for delivery, say what came of it."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from storage.change import RowSql, read_moment_or_none
from storage.outbox_values import (
    RANK_OF_LIVE_STATE,
    RANKS,
    REPLIES,
    MessagePlace,
    OutboxRow,
    OutboxState,
)
from storage.transaction import Tell, Transaction
from workflows.entry import RunId
from workflows.quick_json import loaded
from workflows.store import Message, Subject

_COLUMNS = (
    "o.id, o.subject, o.key, o.run_id, o.channel, o.body, o.wanted, o.done, o.attempts,"
    " o.is_posting, o.place_channel, o.place_ts, root.place_channel, root.place_ts, run.channel"
)
_FROM = (
    "outbox o LEFT JOIN run ON run.id = o.run_id"
    " LEFT JOIN outbox root ON root.subject = 'run' AND root.key = o.run_id"
)
# A reply waits for its thread, and replies are posted in the order they were asked for;
# a message that has its place is only updated and waits for nobody.
_REPLIES = ", ".join(f"'{one.value}'" for one in sorted(REPLIES))
_MAY_GO = (
    f"(o.place_ts IS NOT NULL OR o.subject NOT IN ({_REPLIES})"  # noqa: S608  our own words
    " OR (NOT EXISTS (SELECT 1 FROM outbox r WHERE r.subject = 'run' AND r.key = o.run_id"
    " AND r.place_ts IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.run_id = o.run_id AND e.id < o.id"
    " AND e.state = 'pending' AND e.place_ts IS NULL"
    f" AND e.subject IN ({_REPLIES}))))"
)


class OutboxSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ("_skip",)

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        self._skip = "" if tx.is_sqlite else " FOR UPDATE OF o SKIP LOCKED"

    def send(self, messages: Collection[Message], *, at: datetime) -> None:
        """Queue messages, each subject and key once, or say that their state changed once more.

        A message that failed is tried again; one that waits out an error goes on waiting.
        """
        if messages:
            values = [value for one in messages for value in _values(one, at)]
            self.later(_send(len(messages)), *values)

    def renew_nudges(self, run: str, request: str, *, at: datetime, tell: Tell) -> None:
        """Say that what people were told directly about a request changed, if they were."""
        prefix = f"{request}/"
        self.later(
            f"UPDATE outbox SET {_pending_again('?')}"  # noqa: S608  fixed texts
            # SQLite would plan a LIKE anew each time, for what its pattern happens to be.
            " WHERE subject = 'nudge' AND run_id = ? AND substr(key, 1, ?) = ?",
            *(at, run, len(prefix), prefix),
            tell=tell,
        )

    def claim(self, *, now: datetime, until: datetime, by: str, limit: int) -> list[OutboxRow]:
        """Take messages that may go now, open decisions first, for this process alone."""
        free = self.run(
            "SELECT o.id FROM outbox o WHERE o.state = 'pending' AND o.next_at <= ?"  # noqa: S608  fixed texts
            f" AND (o.claimed_until IS NULL OR o.claimed_until <= ?) AND {_MAY_GO}"
            f" ORDER BY o.rank, o.id LIMIT ?{self._skip}",
            *(now, now, limit),
        ).fetchall()
        return [self._take(one[0], by=by, until=until) for one in free]

    def _take(self, ident: int, *, by: str, until: datetime) -> OutboxRow:
        self.run(
            "UPDATE outbox SET claimed_by = ?, claimed_until = ? WHERE id = ?", by, until, ident
        )
        found = self.run(f"SELECT {_COLUMNS} FROM {_FROM} WHERE o.id = ?", ident).fetchone()  # noqa: S608  our own names
        return _row(found)

    def set_posting(self, ident: int, *, by: str) -> bool:
        """Note that the message is about to be posted; False if it is no longer ours."""
        found = self.run(
            "UPDATE outbox SET is_posting = ? WHERE id = ? AND claimed_by = ?", *(True, ident, by)
        )
        return bool(found.rowcount)

    def set_delivered(self, ident: int, *, done: int, place: MessagePlace | None) -> None:
        """Note what was delivered, and where; a change since then keeps it pending."""
        self.run(
            "UPDATE outbox SET done = CASE WHEN done > ? THEN done ELSE ? END,"
            " state = CASE WHEN wanted > ? THEN 'pending' ELSE 'delivered' END,"
            " is_posting = ?, attempts = 0, claimed_by = NULL, claimed_until = NULL,"
            " last_error = NULL WHERE id = ?",
            *(done, done, done, False, ident),
        )
        if place is not None:
            self.set_place(ident, place)

    def set_place(self, ident: int, place: MessagePlace) -> None:
        """Note where a message stands."""
        self.run(
            "UPDATE outbox SET place_channel = ?, place_ts = ?,"
            " rank = CASE subject WHEN 'run' THEN ? ELSE rank END WHERE id = ?",
            *(place.channel, place.ts, RANK_OF_LIVE_STATE, ident),
        )

    def clear_place(self, ident: int, rank: int) -> None:
        """Forget where a message stood, since it is gone; it will be posted anew."""
        self.run(
            "UPDATE outbox SET place_channel = NULL, place_ts = NULL, rank = ? WHERE id = ?",
            *(rank, ident),
        )

    def set_later(self, ident: int, *, until: datetime, error: str, keeps_posting: bool) -> None:
        """Put a message off."""
        self.run(
            "UPDATE outbox SET next_at = ?, last_error = ?, attempts = attempts + 1,"
            " claimed_by = NULL, claimed_until = NULL,"
            " is_posting = CASE WHEN ? THEN is_posting ELSE ? END WHERE id = ?",
            *(until, error, keeps_posting, False, ident),
        )

    def hasten(self, *, now: datetime, beyond: datetime) -> None:
        """Let go now what is put off, or held by somebody, until later than `beyond`."""
        self.run(
            "UPDATE outbox SET next_at = ?, claimed_by = NULL, claimed_until = NULL"
            " WHERE state = 'pending' AND (next_at > ? OR claimed_until > ?)",
            *(now, beyond, beyond),
        )

    def set_failed(self, ident: int, *, error: str) -> None:
        """Give a message up."""
        self.run(
            "UPDATE outbox SET state = ?, last_error = ?, attempts = attempts + 1,"
            " is_posting = ?, claimed_by = NULL, claimed_until = NULL WHERE id = ?",
            *(OutboxState.FAILED, error, False, ident),
        )

    def row(self, ident: int) -> OutboxRow | None:
        """Return a message as it stands."""
        found = self.run(f"SELECT {_COLUMNS} FROM {_FROM} WHERE o.id = ?", ident).fetchone()  # noqa: S608  our own names
        return None if found is None else _row(found)

    def waiting_replies(self, run: str) -> list[OutboxRow]:
        """Return the replies of a run that wait for its thread."""
        found = self.run(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE o.run_id = ? AND o.state = 'pending'"  # noqa: S608  our own names
            f" AND o.place_ts IS NULL AND o.subject IN ({_REPLIES}) ORDER BY o.id",
            run,
        ).fetchall()
        return [_row(one) for one in found]

    def find(self, subject: Subject, key: str) -> OutboxRow | None:
        """Return the message about a subject."""
        found = self.run(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE o.subject = ? AND o.key = ?",  # noqa: S608  our own names
            *(subject, key),
        ).fetchone()
        return None if found is None else _row(found)

    def at_place(self, channel: str, ts: str) -> OutboxRow | None:
        """Return the message that stands there."""
        found = self.run(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE o.place_channel = ? AND o.place_ts = ?",  # noqa: S608  our own names
            *(channel, ts),
        ).fetchone()
        return None if found is None else _row(found)

    def next_moment(self, *, after: datetime) -> datetime | None:
        """Return when the earliest message that waits for a later moment may go."""
        found = self.run(
            "SELECT min(next_at) FROM outbox WHERE state = 'pending' AND next_at > ?", after
        ).fetchone()
        return read_moment_or_none(found[0])


def _pending_again(at: str) -> str:
    """Return what makes a row pending; one that waits out an error goes on waiting."""
    return (
        f"wanted = outbox.wanted + 1, next_at = CASE outbox.state WHEN 'pending'"
        f" THEN outbox.next_at ELSE {at} END,"
        " attempts = CASE outbox.state WHEN 'pending' THEN outbox.attempts ELSE 0 END,"
        " state = 'pending'"
    )


@lru_cache(maxsize=64)
def _send(count: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, 1, 0, 'pending', ?, ?, 0)"] * count)
    return (
        "INSERT INTO outbox (subject, key, run_id, channel, body, rank, wanted, done, state,"  # noqa: S608  fixed texts
        f" is_posting, next_at, attempts) VALUES {rows}"
        " ON CONFLICT (subject, key) DO UPDATE SET"
        f" body = coalesce(excluded.body, outbox.body), {_pending_again('excluded.next_at')}"
    )


def _values(message: Message, at: datetime) -> tuple[object, ...]:
    body = None if message.body is None else json.dumps(message.body)
    named = (message.subject, message.key, message.run, message.channel, body)
    return (*named, RANKS[message.subject], False, at)


def _row(found: Sequence[Any]) -> OutboxRow:
    ident, subject, key, run, channel, body, wanted, done, attempts = found[:9]
    is_posting, place_channel, place_ts, root_channel, root_ts, run_channel = found[9:]
    return OutboxRow(
        id=ident,
        subject=Subject(subject),
        key=key,
        run=None if run is None else RunId(run),
        channel=channel or run_channel or "",
        body=None if body is None else loaded(body),
        wanted=wanted,
        done=done,
        attempts=attempts,
        was_posting=bool(is_posting),
        place=_place(place_channel, place_ts),
        thread=_place(root_channel, root_ts),
    )


def _place(channel: str | None, ts: str | None) -> MessagePlace | None:
    return None if channel is None or ts is None else MessagePlace(channel=channel, ts=ts)

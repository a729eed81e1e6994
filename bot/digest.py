"""The weekly digest: what happened, in figures, with the signed head of the log.

A digest's figures are fixed when it is made and kept, so that the message says the same
however often it is delivered. Once it stands in Slack, an entry says where.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.letters import Letter
from bot.timetable import Schedule
from bot.wording import Who
from storage.bot_sql import NewDigest
from storage.digests import (
    digest_before,
    digest_figures,
    given_up,
    is_posted,
    last_digest,
    newest_posted,
    next_places,
    places_between,
)
from storage.heads import Head, show_head
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from storage.unit import SqlUnit
from storage.writers import wait_for_writers
from workflows.definition import Definition
from workflows.entry import INTERLOCK, Draft, Json
from workflows.errors import UnknownRunError
from workflows.moments import moment, stamp
from workflows.store import Message, Subject
from workflows.triggers import Missed, Trigger

if TYPE_CHECKING:
    from bot.digest_making import Aside, Made

WEEK = timedelta(days=7)
EVERY_MONDAY = "0 9 * * 1"
SCHEDULE = "weekly-digest"
MOST_MADE_UP = 10  # Of digests that Slack would not take.


class Digests:
    """Makes digests, draws them for the outbox, and records where they stand."""

    def __init__(
        self,
        store: SqlStore,
        definitions: Callable[[], Sequence[Definition]],
        *,
        version: Callable[[str], Definition],
        now: Callable[[], datetime],
        channel: str,
        is_mailed: bool = False,
        redact: Callable[[str], str] = str,
    ) -> None:
        """With `is_mailed`, what is posted goes out by mail as well.

        `redact` takes held secrets out of everything that is told.
        """
        self._store = store
        self._definitions = definitions
        self._version = version
        self._now = now
        self._channel = channel
        self._is_mailed = is_mailed
        self._redact = redact
        self._of_catalog: Callable[[bool], Sequence[str]] = lambda _afresh: ()

    def tells_of_catalog(self, findings: Callable[[bool], Sequence[str]]) -> None:
        """Have each digest say which workflows nobody answers for, a sentence each.

        `findings` is asked to look afresh where a digest is posted, and not where somebody waits.
        """
        self._of_catalog = findings

    def look(self, *, since: datetime | None = None, until: datetime | None = None) -> "Made":
        """Return what a digest of any period would say, and keep nothing of it but the head.

        Without a period it is the last seven days. What waits and what is open is that of now.
        """
        until = min(until or self._now(), self._now())
        since = min(since or until - WEEK, until)
        aside = self._aside(until, afresh=False)
        with self._store.begin() as unit:
            head, now = show_head(unit.transaction), unit.now
        # A year takes seconds to count, and nobody's click waits for a look.
        with self._store.database.read() as connection:
            places = places_between(connection, since=since, until=until, size=head.size)
            told = self._told(connection, aside, (since, until), head=head, places=places, now=now)
        return self._made(_id_of(until), told)

    def post(self, *, at: datetime | None = None) -> "Made":
        """Make the digest of what came since the last one, and queue it for channel and mail.

        Made twice for one moment it is one digest, and so it is for a moment of which the last
        one has told: Monday's, where somebody had one made before the bot came to it.
        """
        # The log knows milliseconds; what ends in this one is told by the next digest alone.
        until = moment(stamp(at or self._now()))
        aside = self._aside(until, afresh=True)
        # What is told of a moment before this one, and committed only now, no later digest has.
        wait_for_writers(self._store.database)
        with self._store.begin() as unit:
            connection = unit.transaction.connection
            # Another process that makes one waits here, and then sees this one.
            head = show_head(unit.transaction)
            last = last_digest(connection, now=max(until, moment(stamp(unit.now))))
            if last is not None and _id_of(until) <= last[0]:
                made, kept = last[0], digest_figures(connection, last[0])
                told = json.loads(kept or "{}")
            else:
                since, places = next_places(
                    connection, until, size=head.size, since=last[1] if last else None, first=WEEK
                )
                period = (since, until)
                told = self._told(connection, aside, period, head=head, places=places, now=unit.now)
                made = _free_id(connection, until)
                self._keep(unit, made, told)
        return self._made(made, told)

    def _aside(self, until: datetime, *, afresh: bool) -> "Aside":
        # With what they read, half a megabyte that a bot needs on Mondays, or when asked.
        from bot.digest_asked import asked_now  # noqa: PLC0415 - as above.
        from bot.digest_making import Aside, health_until  # noqa: PLC0415 - as above.

        database = self._store.database
        return Aside(
            health=health_until(database, until),
            asked=asked_now(database, self._version, now=self._now()),
            catalog=self._of_catalog(afresh),
        )

    def _told(
        self,
        connection: Connection,
        aside: "Aside",
        period: tuple[datetime, datetime],
        *,
        head: Head,
        places: range,
        now: datetime,
    ) -> dict[str, Json]:
        from bot.digest_making import told, without_secrets  # noqa: PLC0415 - as above.

        figures = told(
            connection, aside, period, head=head, places=places, titles=self.titles(), now=now
        )
        return without_secrets(figures, self._redact)

    def _made(self, digest_id: str, told: dict[str, Any]) -> "Made":
        from bot.digest_making import Made, shown  # noqa: PLC0415 - as above.

        seen = shown(self._store.database, told, titles=self.titles())
        return Made(id=digest_id, figures=told, shown=seen)

    def titles(self) -> dict[str, str]:
        """Return what workflows are called now, by their names."""
        return {one.workflow: one.title for one in self._definitions()}

    def _keep(self, unit: SqlUnit, digest_id: str, told: dict[str, Any]) -> None:
        head = told["head"]
        unit.add_digest(
            NewDigest(
                id=digest_id,
                from_idx=min(head["first"], head["last"]),  # No row may have an empty range.
                to_idx=head["last"],
                from_at=moment(told["since"]),
                to_at=moment(told["until"]),
                figures=told,
                is_mailed=self._is_mailed,
            )
        )
        if self._channel:
            unit.send(Message(subject=Subject.DIGEST, key=digest_id, channel=self._channel))

    def drawn(self, digest_id: str) -> "Made | None":
        """Return a digest as it was made, None if it never was."""
        kept = self.kept(digest_id)
        return None if kept is None else self._made(digest_id, kept)

    def letter(
        self, digest_id: str, *, readers: Sequence[Who] = (), previous: str = ""
    ) -> Letter | None:
        """Return the message of a digest, None if it was never made.

        `readers` are asked to answer it, `previous` links the one before.
        """
        from bot.digest_making import letter  # noqa: PLC0415 - as above.

        made = self.drawn(digest_id)
        if made is None:
            return None
        note = made.figures["head"]["note"]
        return letter(made.shown, note, channel=self._channel, readers=readers, previous=previous)

    def file_letter(self, row: OutboxRow) -> Letter | None:
        """Return the files that go below a digest, None if they are there or it never was made."""
        from bot.digest_making import file_letter  # noqa: PLC0415 - as above.

        made = None if row.done else self.drawn(row.key)
        return None if made is None else file_letter(made, row)

    def kept(self, digest_id: str) -> dict[str, Any] | None:
        """Return the figures of a digest, None if it was never made."""
        with self._store.database.read() as connection:
            kept = digest_figures(connection, digest_id)
        found = None if kept is None else json.loads(kept)
        return found if isinstance(found, dict) else None

    def before(self, digest_id: str) -> MessagePlace | None:
        """Return where the digest before that one stands."""
        with self._store.database.read() as connection:
            found = digest_before(connection, digest_id)
        return None if found is None else self._store.outbox.place_of(Subject.DIGEST, found)

    def posted(self, digest_id: str, place: MessagePlace, *, team: str) -> None:
        """Record that a digest stands in Slack, and queue the files that go into its thread.

        Those that Slack would not take before, from a channel that was closed to the bot for
        example, are tried again: what they tell of stands in no other.

        Raises:
            UnknownRunError: it was never made.
        """
        kept = self.kept(digest_id)
        if kept is None:
            raise UnknownRunError(f"There is no digest {digest_id}.")
        with self._store.begin() as unit:
            connection = unit.transaction.connection
            # A process that died behind this entry is followed by one that comes here again.
            if not is_posted(connection, place):
                unit.append(_fact(kept, place, team, previous=newest_posted(connection)))
            unit.send(_files_below(digest_id, place))
            for one in given_up(connection, most=MOST_MADE_UP):
                unit.send(Message(subject=Subject.DIGEST, key=one, channel=self._channel))

    def schedule(self) -> Schedule:
        """Return the weekly schedule, Monday morning by UTC."""
        return Schedule(
            name=SCHEDULE,
            workflow=SCHEDULE,
            title="Weekly digest",
            trigger=Trigger(cron=EVERY_MONDAY, missed=Missed.RUN_ONCE),
            begin=self._begin,
            channel=self._channel,
        )

    def _begin(self, due: datetime) -> None:
        self.post(at=due)


def _id_of(until: datetime) -> str:
    return f"{until:%Y%m%dT%H%M%S}"


def _free_id(connection: Connection, until: datetime) -> str:
    """Return the id of a digest, beside one that a clock made of that moment before it came."""
    found = _id_of(until)
    while digest_figures(connection, found) is not None:
        found += "b"
    return found


def _files_below(digest_id: str, place: MessagePlace) -> Message:
    # Its row gets the place of the digest later than this is sent.
    body: dict[str, Json] = {"thread": place.ts}
    return Message(subject=Subject.DIGEST_FILES, key=digest_id, channel=place.channel, body=body)


def _fact(
    figures: dict[str, Any], place: MessagePlace, team: str, *, previous: str | None
) -> Draft:
    head, decided = figures["head"], figures["decisions"]
    counts: dict[str, Json] = {
        "started": sum(one["started"] for one in figures["workflows"]),
        "done": sum(one["done"] for one in figures["workflows"]),
        "refused": sum(one["refused"] for one in figures["workflows"]),
        "failed": sum(one["failed"] for one in figures["workflows"]),
        "open": sum(one["open"] for one in figures["workflows"]),
        "shadows": figures.get("shadows", 0),
        "approved": decided["approved"],
        "denied": decided["denied"],
        "expired": decided["expired"],
        "decisions_refused": figures.get("tried", {}).get("refused", 0),
        **figures.get("payloads", {}),
    }
    data: dict[str, Json] = {
        "from": head["first"],
        "to": head["last"],
        "size": head["size"],
        "root": head["note"].split("\n")[2],
        "counts": counts,
        "slack": {
            "team": team,
            "channel": place.channel,
            "message_ts": place.ts,
            "event_ts": None,
        },
        "previous": previous,
    }
    return Draft(kind="digest.posted", actor=INTERLOCK, data=data)

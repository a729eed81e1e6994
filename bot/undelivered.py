"""What follows when Slack took a message for a step, or will never take one.

A card that nobody can be shown decides nothing, so its step does not run; requester and owner
are told in person why, and the trail keeps that a message was lost.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from bot.daily_head import DailyHeads
from bot.digest import Digests
from bot.directory import Directory
from bot.wording import code, escape
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from workflows.engine import Engine
from workflows.entry import INTERLOCK, Draft, Json, Ref, RequestId, RunId
from workflows.errors import InterlockError, PeopleUnreadableError
from workflows.house import Definitions
from workflows.message_keys import read_step_key
from workflows.people import CLICK_AGE, PersonId
from workflows.store import Message, RunRow, Subject

log = logging.getLogger(__name__)

# Losing one of these stops or hides a run; the others only leave somebody untold.
TOLD = frozenset(
    {
        Subject.ROOT,
        Subject.CARD,
        Subject.DOUBT,
        Subject.TROUBLE,
        Subject.QUESTION,
        Subject.REVIEW,
        Subject.POST,
    }
)
LONG_KNOWN = timedelta(days=1)  # It is only word to them, so an old answer beats none.
MOST_TOLD = 10

ARCHIVED = "The channel is archived. Name another one in the workflow."
ADVICE = {
    "not_in_channel": "Invite me to the channel.",
    "channel_not_found": "The channel does not exist, or I am not in it. Correct it, or invite me.",
    "is_archived": ARCHIVED,
    "is_inactive": ARCHIVED,  # What Slack says of a message there that is to be changed.
}
OTHERWISE = "An operator finds the reason in the log."
# Not to start the run again: what it did before is done.
NEXT = "On my Home, owner and deputy see what stopped, and say how the run goes on."


Answered = Callable[[MessagePlace, Sequence[Mapping[str, Any]]], None]


class Aftermath:
    """Draws the consequences of deliveries, for the outbox."""

    def __init__(  # noqa: PLR0913 - consequences reach into every part.
        self,
        store: SqlStore,
        engine: Engine,
        definitions: Definitions,
        directory: Directory,
        *,
        digests: Digests,
        heads: DailyHeads,
        redact: Callable[[str], str],
        team: str,
        command: str,
        answered: Answered,
    ) -> None:
        """`answered` takes up what people wrote below a digest."""
        self._answered = answered
        self._redact = redact
        self._command = command
        self._digests = digests
        self._heads = heads
        self._team = team
        self._store = store
        self._engine = engine
        self._definitions = definitions
        self._directory = directory

    def delivered(self, run: RunId, step: str, *, output: Json) -> None:
        """Go on with a run whose step was to post a message."""
        self._engine.delivered(run, step, output=output)

    def digest_stands(self, digest: str, place: MessagePlace) -> None:
        """Record where a digest was posted."""
        self._digests.posted(digest, place, team=self._team)

    def head_stands(self, row: OutboxRow, place: MessagePlace) -> None:
        """Record where the head of a day was posted."""
        self._heads.stands(row, place)

    def heard(
        self, row: OutboxRow, place: MessagePlace, messages: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take up what people wrote in a thread before anybody knew where it is.

        Raises:
            PeopleUnreadableError: who wrote it could not be read; all of it comes again.
        """
        if row.run is None:
            self._answered(place, messages)
            return
        from bot.missed_words import keep_missed  # noqa: PLC0415 - after a lost answer alone.

        keep_missed(
            self._store,
            self._directory,
            self._redact,
            team=self._team,
            run=row.run,
            place=place,
            messages=messages,
        )

    def stands(self, row: OutboxRow) -> None:
        """Have its thread's head, and the Homes of those whom it is for, lead to a new message."""
        if row.subject in (Subject.CARD, Subject.QUESTION):
            self._renew(RequestId(row.key.rpartition("/")[2]))
            self._lead_there(row.run)
        elif row.subject is Subject.DOUBT and row.run is not None:
            self._store.homes.renew_owners(self._store.run(row.run).workflow)
        elif row.subject is Subject.ROOT and row.run is not None:
            self._store.homes.renew([self._store.run(row.run).requester])

    def _lead_there(self, run: RunId | None) -> None:
        """Draw a run's first message once more if it was drawn before the new card stood."""
        root = None if run is None else self._store.outbox.find(Subject.ROOT, run)
        if run is None or root is None or root.place is None or root.done < root.wanted:
            return
        with self._store.begin() as unit:
            unit.send(Message(subject=Subject.ROOT, key=run, run=run))

    def _renew(self, card: RequestId) -> None:
        for request in {card, *(one.id for one in self._store.batch(card))}:
            self._store.homes.renew_awaited(request)

    def gave_up(self, row: OutboxRow, *, error: str) -> None:
        """Record that a message cannot be delivered; stop what rests on it; tell people.

        Drawn twice, it stops nothing twice and tells the same people the same again.

        Raises:
            StorageError: it could not be recorded; it will be drawn again.
        """
        self._stop(row, error)
        if row.subject is Subject.DOUBT:
            self.stands(row)  # On Home it can be answered without its card.
        if row.subject is Subject.DIGEST_FILES and error == "missing_scope":
            log.warning("the app may not attach files (files:write): digests come without them")
        told = self._people_behind(row) if row.subject in TOLD else ()
        data: dict[str, Json] = {
            "message": row.key,
            "purpose": str(row.subject),
            "attempts": row.attempts + 1,
            "error_class": error,
        }
        with self._store.begin() as unit:
            unit.append(Draft(kind="outbox.delivery_failed", actor=INTERLOCK, data=data))
            for person in told:
                told_as = unit.ref(person)
                unit.send(notice_of(row, error, person, told_as, command=self._command))

    def _stop(self, row: OutboxRow, error: str) -> None:
        # A card that stood in Slack has been seen; losing a later change of it stops nothing.
        if row.run is None or row.place is not None:
            return
        if row.subject is Subject.CARD:
            self._engine.undeliverable(row.run, request=RequestId(row.key), error_class=error)
        elif row.subject is Subject.QUESTION:
            request = RequestId(row.key.rpartition("/")[2])
            self._engine.undeliverable(row.run, request=request, error_class=error)
        elif row.subject is Subject.POST or (row.subject is Subject.BUILDER and row.key != row.run):
            step = read_step_key(row.key).step
            self._engine.undeliverable(row.run, step=step, error_class=error)

    def _people_behind(self, row: OutboxRow) -> Iterable[PersonId]:
        """Return who has to know: the requester, then owner and deputy, a few at most."""
        if row.run is None:
            return ()
        run = self._store.run(row.run)
        requester = self._requester(run)
        found = [requester] if requester is not None else []
        found += sorted(self._responsible(run) - {*found})
        return [one for one in found if one.startswith("slack:")][:MOST_TOLD]

    def _requester(self, run: RunRow) -> PersonId | None:
        return self._store.person(Ref(run.requester)) if run.requester.startswith("s:") else None

    def _responsible(self, run: RunRow) -> set[PersonId]:
        found: set[PersonId] = set()
        try:
            definition = self._definitions.version(run.version)
        except InterlockError:
            log.warning("no definition names the owner of a run", extra={"run": run.id})
            return found
        for name in (definition.owner, definition.deputy):
            found |= self._members(name, run)
        return found

    def _members(self, name: str, run: RunRow) -> frozenset[PersonId]:
        """Return who belongs to a group, or did not long ago where Slack does not say it now."""
        for age in (CLICK_AGE, LONG_KNOWN):
            with suppress(PeopleUnreadableError):
                return frozenset(self._directory.members(name, max_age=age))
        log.warning("an owner could not be read", extra={"run": run.id})
        return frozenset()


def notice_of(row: OutboxRow, error: str, person: PersonId, ref: Ref, *, command: str) -> Message:
    """Return what tells somebody, known to the log as `ref`, that a message was lost.

    What stood already and only could not be changed stops nothing, so that is told apart.
    """
    kind, words = ("undelivered", _lost) if row.place is None else ("outdated", _outdated)
    return Message(
        subject=Subject.NOTICE,
        # One for each run and person: a thread that cannot be opened loses many messages. The
        # log names it, if it cannot be delivered either, and knows people by pseudonym alone.
        key=f"{kind}/{row.run}/{ref}",
        channel=person,
        body={"text": words(row, escape(error, 80), ADVICE.get(error, OTHERWISE), command)},
    )


def _lost(row: OutboxRow, error: str, advice: str, _command: str) -> str:
    return (
        f"⚠️ I could not post about run {code(row.run or '')} in {_where(row)} ({error})."
        f" What needed an answer there does not run. {advice} {NEXT}"
    )


def _outdated(row: OutboxRow, error: str, advice: str, command: str) -> str:
    run = row.run or ""
    return (
        f"⚠️ I can no longer change what I posted about run {code(run)} in {_where(row)}"
        f" ({error}), so what stands there may be out of date. Nothing stopped for it:"
        f" {code(f'{command} show {run}')} says how the run stands. {advice}"
    )


def _where(row: OutboxRow) -> str:
    if row.channel.startswith("slack:"):  # The account of whoever it was for.
        return "a direct message"
    if re.fullmatch(r"[CG][A-Z0-9]{2,20}", row.channel):
        return f"<#{row.channel}>"
    return escape(row.channel, 80) or "its channel"

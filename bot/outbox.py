"""Delivers what waits in the outbox: claims a row, renders its subject as it is now, sends it.

A row names only its subject, so the newest state wins however often it changed. How one message
reaches Slack is for `delivery`, what it says for `rendering`, what follows when Slack will not
take it for `undelivered`. Nothing sleeps while it holds a row: what must wait gets its moment
stored, and other work goes on.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from bot.bell import Bell
from bot.builder_answers import Answered
from bot.delivery import Attached, Courier, Delivered, Later, Parcel, Result, Undeliverable
from bot.letters import DECISIONS, Letter, Renderer, follower_of, parcel_of
from bot.logs import attributed
from bot.pacing import TooSoonError
from bot.slack_client import Place
from bot.slack_errors import NOT_UPLOADED, LostAnswerError, SlackError
from storage.outbox_rows import OutboxRows
from storage.outbox_values import MessagePlace, OutboxRow
from workflows.entry import Json, RunId
from workflows.errors import PeopleUnreadableError, StorageError, UnreadableVersionError
from workflows.message_keys import read_step_key
from workflows.store import Subject

log = logging.getLogger(__name__)

THREADS = 3
BACKSTOP_SECONDS = 1.0
# What a commit set going begins before its messages are drawn, and nobody sees the difference.
HEAD_START_SECONDS = 0.02
THREAD_SECONDS = 1.0
RECEIPT_SECONDS = 1.0
MOST_WAITS = 15  # What waits for a thread or a receipt goes without it after so many looks.
# What decides a request mostly ends its run: told together, and phones show the end.
TOGETHER_SECONDS = 3.0
# A run's first message, and a card on which nothing is open, are updated at most this often.
LIVE_SECONDS = 5.0
DEFECT_SECONDS = 30.0
MOST_DEFECTS = 10
# A claim lasts 60 s; later than this after claiming, a post could still be under way when it ends.
LATEST_POST_SECONDS = 40.0
STOP_SECONDS = 15.0
UNREAD_SECONDS = 15.0
HEARD = frozenset({Subject.ROOT, Subject.DIGEST})  # What people write below these counts.


class Consequences(Protocol):
    """What the rest of the product makes of a delivery."""

    def delivered(self, run: RunId, step: str, *, output: Json) -> None:
        """Go on with a run whose step was to post a message."""

    def digest_stands(self, digest: str, place: MessagePlace) -> None:
        """Record where a digest was posted."""

    def head_stands(self, row: OutboxRow, place: MessagePlace) -> None:
        """Record where the head of a day was posted."""

    def heard(
        self, row: OutboxRow, place: MessagePlace, messages: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take up what people wrote in a thread before anybody knew where it is.

        Raises:
            PeopleUnreadableError: who wrote it could not be read; all of it comes again.
        """

    def stands(self, row: OutboxRow) -> None:
        """Tell those whom a new card or thread is for where it stands."""

    def gave_up(self, row: OutboxRow, *, error: str) -> None:
        """Record that a message cannot be delivered, and draw the consequences."""


class Answers(Protocol):
    """Who tells Workflow Builder's workflows."""

    def answer(self, row: OutboxRow, *, posting: Callable[[], None]) -> Answered:
        """Tell Slack what a row is about; `SlackError` and `TooSoonError` say that it was not."""


class LostClaimError(Exception):
    """Another process took the row over; it is theirs now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What the outbox works with. `name` tells this process from others."""

    rows: OutboxRows
    courier: Courier
    renderer: Renderer
    consequences: Consequences
    answers: Answers
    name: str
    live_seconds: float = LIVE_SECONDS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ticks: Callable[[], float] = time.monotonic


class Outbox:
    """The threads that deliver. `nudge` after each commit that sent something."""

    def __init__(self, post: Post, *, threads: int = THREADS) -> None:
        self._post = post
        self._bell = Bell()
        self._stopping = threading.Event()
        self._live_at: dict[int, float] = {}  # When a live state was brought last, by its row.
        self._caught_up: set[int] = set()  # Of which what people wrote meanwhile was taken up.
        self._followers: dict[int, int] = {}  # How many replies of a message stand already.
        self._threads = [
            threading.Thread(target=attributed(self._work), args=(number,), name=f"outbox-{number}")
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin to deliver, with what was left over first."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no new message, and wait for those under way."""
        self._stopping.set()
        self._bell.ring(everybody=True)
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def nudge(self) -> None:
        """Have the outbox looked at now. Cheap; a lost nudge costs a second."""
        self._bell.ring()

    def _work(self, number: int) -> None:
        by = f"{self._post.name}/{number}"
        if not number:
            self._hasten()
        while not self._stopping.is_set():
            seen = self._bell.rung
            try:
                is_busy = self.deliver_next(by=by)
                # The first thread keeps watch; the others sleep until there is work for two.
                patience = None if is_busy or number else self._until_next()
            except StorageError:
                log.warning("outbox waits for the database", exc_info=True)
                is_busy, patience = False, BACKSTOP_SECONDS
            if not is_busy:
                self._bell.wait(seen, patience)
                self._stopping.wait(HEAD_START_SECONDS)

    def _until_next(self) -> float:
        coming = self._post.rows.next_moment()
        if coming is None:
            return BACKSTOP_SECONDS
        return min(max((coming - self._post.now()).total_seconds(), 0.0), BACKSTOP_SECONDS)

    def deliver_next(self, *, by: str) -> bool:
        """Deliver one message that may go now; False if there was none.

        Raises:
            StorageError: what came of it could not be recorded; the claim runs out.
        """
        rows = self._post.rows.claim_messages(by=by, limit=1)
        for row in rows:
            self.nudge()  # There may be more: wake one other thread to look.
            try:
                self._deliver(row, by)
            except LostClaimError:
                log.info("message taken over", extra={"outbox": row.id})
            except UnreadableVersionError:
                # A process of that release takes it; here it would only be called a defect.
                log.warning("a message waits for a newer release", extra=_facts(row))
                self._later(row, DEFECT_SECONDS, "newer_release", may_be_there=row.was_posting)
            except StorageError:
                raise
            except Exception:
                # A defect with one message must not keep the others from leaving.
                log.exception("message not delivered", extra=_facts(row))
                self._put_aside(row)
        return bool(rows)

    def _hasten(self) -> None:
        try:
            self._post.rows.hasten()
        except StorageError:
            log.warning("outbox waits for the database", exc_info=True)

    def _put_aside(self, row: OutboxRow) -> None:
        if row.attempts < MOST_DEFECTS:
            self._later(row, DEFECT_SECONDS, "defect", may_be_there=True)
        else:
            self._give_up(row, "defect")  # Its thread waits for it, and nothing will mend it.

    def _deliver(self, row: OutboxRow, by: str) -> None:
        if row.subject is Subject.ROOT and self._waits_as_live(row):
            return
        if row.subject is Subject.BUILDER:
            self._answer(row, by)
            return
        try:
            letter = self._post.renderer.render(row)
        except SlackError as error:  # What some messages say has to be read from Slack.
            self._came_to(row, self._post.courier.result_of(error, may_be_there=row.was_posting))
            return
        if letter is None:
            self._post.rows.mark_delivered(row.id, done=row.wanted)
            return
        if self._put_off(row, letter):
            return
        claimed = self._post.ticks()
        if letter.replies and row.place is not None and not row.done:
            # It stands and says what it will; its replies were not all there yet.
            first = Place(channel=row.place.channel, ts=row.place.ts)
            result: Result = Delivered(place=first)
        else:
            result = self._bring(parcel_of(row, letter), row, by, claimed)
        if isinstance(result, Delivered) and (later := self._catch_up(row, result.place)):
            result = later
        elif letter.replies and isinstance(result, Delivered):
            result = self._follow(row, letter, result, by, claimed)
        self._came_to(row, result, is_complete=letter.is_complete)
        # The first card that is over is brought at once, and so is one whose receipt was missing.
        is_live = row.subject is Subject.ROOT or (letter.is_over and letter.is_complete)
        if is_live and isinstance(result, Delivered):
            self._was_live(row)

    def _put_off(self, row: OutboxRow, letter: Letter) -> bool:
        """Have a letter wait whose moment has not come; False if it may go now."""
        if letter.is_over and self._waits_as_live(row):
            return True
        if letter.in_thread and self._waits_for_thread(row):
            wait, why = THREAD_SECONDS, "thread"
        elif letter.may_wait and row.place is None and not row.attempts:
            wait, why = TOGETHER_SECONDS, "together"
        else:
            return False
        self._later(row, wait, why, may_be_there=row.was_posting)
        return True

    def _follow(
        self, row: OutboxRow, letter: Letter, first: Delivered, by: str, claimed: float
    ) -> Result:
        """Bring the replies that belong to a message, from the first that may not be there yet."""
        is_new = row.place is None and not row.was_posting
        if row.place is None:
            place = MessagePlace(channel=first.place.channel, ts=first.place.ts)
            self._post.rows.adopt(row.id, place)
        stand = self._followers.get(row.id, 0)
        for number, content in enumerate(letter.replies[stand:], start=stand + 1):
            parcel = follower_of(row, first.place, number, content, may_be_there=not is_new)
            result = self._bring(parcel, row, by, claimed)
            if isinstance(result, Later):
                return replace(result, may_be_there=True)
            self._followers[row.id] = number
        self._followers.pop(row.id, None)
        return first

    def _answer(self, row: OutboxRow, by: str) -> None:
        """Tell a Workflow Builder workflow what came of its request: no message, but one call."""
        claimed = self._post.ticks()
        try:
            answered = self._post.answers.answer(
                row, posting=lambda: self._posting(row, by, claimed)
            )
        except (SlackError, TooSoonError) as error:
            lost = isinstance(error, LostAnswerError) or row.was_posting
            self._came_to(row, self._post.courier.result_of(error, may_be_there=lost))
            return
        if answered.step and row.run is not None:
            # First the run, then the row, as with messages: told twice, it is told once.
            self._post.consequences.delivered(row.run, answered.step, output=answered.output)
        self._post.rows.mark_delivered(row.id, done=row.wanted)

    def _came_to(self, row: OutboxRow, result: Result, *, is_complete: bool = True) -> None:
        match result:
            case Delivered(place=place):
                self._delivered(row, place, is_complete=is_complete)
            case Attached():
                self._post.rows.mark_delivered(row.id, done=row.wanted)
            case Later(error=error) if error == NOT_UPLOADED and row.attempts >= MOST_WAITS:
                self._give_up(row, error)
            case Later(after=after, error=error, may_be_there=may_be_there):
                self._later(row, after, error, may_be_there=may_be_there)
            case Undeliverable(error=error):
                self._give_up(row, error)

    def _catch_up(self, row: OutboxRow, place: Place) -> Later | None:
        """Take up what was written below a message while its place was in doubt."""
        if row.subject not in HEARD or not row.was_posting or row.id in self._caught_up:
            return None
        # From now on what is written there finds its run, or its digest, by itself.
        stands = MessagePlace(channel=place.channel, ts=place.ts)
        self._post.rows.adopt(row.id, stands)
        try:
            said = self._post.courier.replies(place)
        except (SlackError, TooSoonError) as error:
            result = self._post.courier.result_of(error, may_be_there=True)
            if isinstance(result, Later):
                return replace(result, may_be_there=True)
            said = []  # It cannot be read at all.
        try:
            self._post.consequences.heard(row, stands, said)
        except PeopleUnreadableError:
            return Later(after=UNREAD_SECONDS, error="people_unreadable", may_be_there=True)
        self._caught_up.add(row.id)  # While its replies are on their way it comes by again.
        return None

    def _bring(self, parcel: Parcel, row: OutboxRow, by: str, claimed: float) -> Result:
        return self._post.courier.deliver(parcel, posting=lambda: self._posting(row, by, claimed))

    def _waits_for_thread(self, row: OutboxRow) -> bool:
        if row.thread is not None or row.place is not None or row.run is None:
            return False
        root = self._post.rows.find(Subject.ROOT, row.run)
        return root is not None and root.place is None and row.attempts < MOST_WAITS

    def _posting(self, row: OutboxRow, by: str, claimed: float) -> None:
        is_late = self._post.ticks() - claimed > LATEST_POST_SECONDS
        if is_late or not self._post.rows.mark_posting(row.id, by=by):
            raise LostClaimError

    # --- what came of it --------------------------------------------------------------------

    def _delivered(self, row: OutboxRow, place: Place, *, is_complete: bool) -> None:
        if row.subject is Subject.POST and row.run is not None:
            # First the run, then the row: killed in between, the next process finds the message
            # by its metadata and tells the run again, which is harmless.
            output: Json = {"channel": place.channel, "ts": place.ts}
            self._post.consequences.delivered(row.run, _step_of(row), output=output)
        self._caught_up.discard(row.id)
        stands = MessagePlace(channel=place.channel, ts=place.ts)
        if row.subject is Subject.DIGEST and not row.done:
            self._post.consequences.digest_stands(row.key, stands)
        if row.subject is Subject.HEAD and row.place is None:
            self._post.consequences.head_stands(row, stands)
        if is_complete or row.attempts >= MOST_WAITS:
            self._post.rows.mark_delivered(row.id, done=row.wanted, place=stands)
        else:
            self._post.rows.adopt(row.id, stands)
            self._later(row, RECEIPT_SECONDS, "receipt", may_be_there=False)
        if row.place is None:
            self.nudge()  # Replies that waited for this one may go.
        if row.place is None and row.subject in DECISIONS | {Subject.ROOT}:
            self._post.consequences.stands(row)

    def _later(self, row: OutboxRow, after: float, error: str, *, may_be_there: bool) -> None:
        self._post.rows.postpone(
            row.id,
            until=self._post.now() + timedelta(seconds=after),
            error=error,
            may_have_arrived=may_be_there,
        )

    def _give_up(self, row: OutboxRow, error: str) -> None:
        log.warning("message undeliverable", extra=_facts(row) | {"error": error})
        # First the consequences, then the row: killed in between, they are drawn once more.
        self._post.consequences.gave_up(row, error=error)
        for other in self._post.rows.mark_failed(row.id, error=error):
            if other.id != row.id:
                self._post.consequences.gave_up(other, error=error)

    # --- live states ------------------------------------------------------------------------

    def _waits_as_live(self, row: OutboxRow) -> bool:
        """Put off what was brought a moment ago and stands; False if it may go now."""
        last = self._live_at.get(row.id, float("-inf"))
        wait = last + self._post.live_seconds - self._post.ticks()
        if row.place is None or wait <= 0:
            return False
        self._later(row, wait, "live", may_be_there=row.was_posting)
        return True

    def _was_live(self, row: OutboxRow) -> None:
        now = self._post.ticks()
        self._live_at[row.id] = now
        for one, at in list(self._live_at.items()):
            if now - at > self._post.live_seconds:
                self._live_at.pop(one, None)


def _step_of(row: OutboxRow) -> str:
    return read_step_key(row.key).step


def _facts(row: OutboxRow) -> dict[str, object]:
    return {"outbox": row.id, "subject": str(row.subject), "attempts": row.attempts}

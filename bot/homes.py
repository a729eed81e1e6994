"""Publishes Homes: claims one that is to be drawn, has it drawn as it is now, sends it.

Durable like the outbox, and apart from it: what an approver needs to see never waits behind
somebody's overview. News of one person is drawn together, at most once every few seconds.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.bell import Bell
from bot.logs import attributed
from bot.pacing import PUBLISH, Pacer, TooSoonError
from bot.slack_client import SlackClient
from bot.slack_errors import RateLimitedError, RefusedError, SlackError, UnreadyError
from storage.home_rows import HomeRows
from storage.home_values import HomeReader
from workflows.errors import InterlockError, StorageError

if TYPE_CHECKING:
    from bot.home_reading import Drawn

log = logging.getLogger(__name__)

BACKSTOP_SECONDS = 1.0
PASSING_SECONDS = 5.0
SETTINGS_SECONDS = 60.0
DEFECT_SECONDS = 30.0
MOST_TRIES = 10
STOP_SECONDS = 15.0
PARTIAL_PAUSE = timedelta(minutes=1)  # Until what could not be read is looked at again.
CONFLICT = "hash_conflict"
# Slack shows this person no Home, however often it is tried.
NEVER = frozenset({"not_enabled", "user_not_found", "not_allowed", "users_not_found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What Homes are published with. `pause` is the least time between two of one person.

    `backstop` is how often news of other processes is looked for; `first` is done before all
    else, once.
    """

    rows: HomeRows
    draw: Callable[[HomeReader], "Drawn | None"]
    client: SlackClient
    pacer: Pacer
    name: str
    pause: timedelta
    backstop: float = BACKSTOP_SECONDS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    first: Callable[[], object] = lambda: None


class Homes:
    """The thread that publishes. `nudge` after each commit that changed somebody's Home."""

    def __init__(self, means: Publishing) -> None:
        self._means = means
        self._bell = Bell()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=attributed(self._work), name="homes")

    def start(self) -> None:
        """Begin to publish, with what was left over first."""
        self._thread.start()

    def stop(self) -> None:
        """Publish nothing new, and wait for the Home under way."""
        self._stopping.set()
        self._bell.ring(everybody=True)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def nudge(self) -> None:
        """Have a look taken now. Cheap; a lost nudge costs a moment."""
        self._bell.ring()

    def _work(self) -> None:
        self._begin()
        while not self._stopping.is_set():
            seen = self._bell.rung
            try:
                is_busy = self.publish_next()
                patience = 0.0 if is_busy else self._until_next()
            except StorageError:
                log.warning("Homes wait for the database", exc_info=True)
                is_busy, patience = False, self._means.backstop
            if not is_busy:
                self._bell.wait(seen, patience)

    def _begin(self) -> None:
        try:
            self._means.first()
        except StorageError:
            log.warning("whom requests wait for was not looked through", exc_info=True)

    def _until_next(self) -> float:
        coming = self._means.rows.next_moment()
        if coming is None:
            return self._means.backstop
        wait = (coming - self._means.now()).total_seconds()
        return min(max(wait, 0.0), self._means.backstop)

    def publish_next(self) -> bool:
        """Publish one Home that is to be drawn; False if there was none.

        Raises:
            StorageError: what came of it could not be recorded; the claim runs out.
        """
        reader = self._means.rows.claim(by=self._means.name)
        if reader is None:
            return False
        try:
            self._publish(reader)
        except StorageError:
            raise
        except TooSoonError as early:
            self._later(reader, early.after)
        except SlackError as error:
            self._heed(reader, error)
        except InterlockError:
            log.warning("a Home cannot be read just now", exc_info=True)
            self._later(reader, PASSING_SECONDS)
        except Exception:
            # A defect with one Home must not keep the others from being shown.
            log.exception("a Home was not published")
            self._try_again(reader, DEFECT_SECONDS)
        return True

    def _publish(self, reader: HomeReader) -> None:
        drawn = self._means.draw(reader)
        if drawn is None:
            self._means.rows.forget(reader.ref)
            return
        try:
            shown = self._send(drawn, reader.hash)
        except RefusedError as error:
            if error.code != CONFLICT:
                raise
            shown = self._once_more(reader, drawn)
        pause = PARTIAL_PAUSE if drawn.is_partial else self._means.pause
        self._means.rows.mark_drawn(reader.ref, by=self._means.name, shown=shown, pause=pause)
        if drawn.is_partial:
            self._means.rows.renew([reader.ref])

    def _send(self, drawn: "Drawn", known: str | None) -> str:
        self._means.pacer.take(PUBLISH)
        return self._means.client.publish(drawn.user, drawn.view, known=known)

    def _once_more(self, reader: HomeReader, drawn: "Drawn") -> str:
        """Read everything again and publish that; Slack shows something newer than we knew of.

        What it shows may come from another process, which then noted its hash, or be unknown.
        """
        fresh = self._means.rows.reader(reader.ref) or reader
        again = self._means.draw(fresh) or drawn
        known = fresh.hash if fresh.hash != reader.hash else None
        return self._send(again, known)

    # --- what came of it --------------------------------------------------------------------

    def _heed(self, reader: HomeReader, error: SlackError) -> None:
        if isinstance(error, RateLimitedError):
            self._means.pacer.slow_down(error.method, after=error.after)
            self._later(reader, error.after)
        elif isinstance(error, RefusedError) and error.code in NEVER:
            log.info("somebody has no Home", extra={"error": error.code})
            self._means.rows.forget(reader.ref)
        elif isinstance(error, RefusedError):
            log.error("a Home was refused", extra={"error": error.code, "detail": error.detail})
            self._try_again(reader, DEFECT_SECONDS)
        else:
            needs_a_person = isinstance(error, UnreadyError) and error.needs_a_person
            self._later(reader, SETTINGS_SECONDS if needs_a_person else PASSING_SECONDS)

    def _try_again(self, reader: HomeReader, seconds: float) -> None:
        """Try again some time, but not for ever: whoever opens Home is drawn a new one anyhow."""
        if reader.attempts < MOST_TRIES:
            self._later(reader, seconds)
        else:
            self._means.rows.forget(reader.ref)

    def _later(self, reader: HomeReader, seconds: float) -> None:
        wait = timedelta(seconds=seconds)
        self._means.rows.postpone(reader.ref, by=self._means.name, wait=wait)

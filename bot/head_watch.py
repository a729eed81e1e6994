"""Keeps effects waiting until the log could be compared with what Slack remembers of it.

A bot whose Slack cannot be read at the start serves all the same: people are answered and
reads go on. What changes something waits, since the database might be a restored copy. What
is compared with what stands in `head_check`.
"""

import logging
import threading

from bot.head_check import Witness, check_head
from bot.logs import attributed
from bot.opening import Memory
from storage.store import SqlStore
from workflows.errors import InterlockError
from workflows.store import Message, Subject

AGAIN_SECONDS = 10.0
STOP_SECONDS = 35.0  # A call to Slack that is under way is waited for.
WHY = "the comparison of the bot's log with what Slack shows of it; Slack could not be read."
HELD = (
    "⏳ I started without being able to read Slack's messages, so I could not make sure that my"
    " database is the newest one. Runs go on, but nothing that changes something is done until"
    " I could. I try again every few seconds."
)
FREED = "✅ I could compare my log with Slack now. What had to wait goes on."

log = logging.getLogger(__name__)


class HeadWatch:
    """Compares until it could once. A part of the serving process, after its first look."""

    def __init__(self, memory: Memory, witness: Witness, *, every: float = AGAIN_SECONDS) -> None:
        self._memory = memory
        self._witness = witness
        self._every = every
        self._is_sure = False
        self._refused: InterlockError | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=attributed(self._work), name="head", daemon=True)
        self._store: SqlStore | None = None
        self._key = ""

    def look(self) -> None:
        """Compare once, before anything is done.

        Raises:
            UnusableDatabaseError: the database is older than what Slack shows.
        """
        self._is_sure = check_head(self._memory.database, self._witness)

    def effects_wait(self) -> str | None:
        """Return why effects have to wait, None when they need not."""
        return None if self._is_sure else WHY

    def tells(self, store: SqlStore, *, key: str) -> None:
        """Say where to put what the channel is told, under keys that begin with `key`."""
        self._store, self._key = store, key

    def problem(self) -> str | None:
        """Return why the process must not go on, if Slack showed that later than at the start."""
        return self._refused.message if self._refused is not None else None

    def start(self) -> None:
        """Look again until Slack could be read, if it could not."""
        if self._is_sure:
            return
        self._tell("held", HELD)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while not self._is_sure and not self._stopping.wait(self._every):
            try:
                self.look()
            except InterlockError as refusal:
                log.exception("the database is older than what Slack shows")
                self._refused = refusal
                return
        if self._is_sure:
            log.info("the head was compared with Slack")
            self._tell("freed", FREED)

    def _tell(self, what: str, text: str) -> None:
        channel = self._witness.channel
        if self._store is None or not channel:
            return
        key = f"{self._key}/head/{what}"
        with self._store.begin() as unit:
            unit.send(
                Message(subject=Subject.NOTICE, key=key, channel=channel, body={"text": text})
            )

"""The thread that reads stories of the release before, so that they are found by this one's words.

It works half of the time at most, and looks again each minute: while processes are replaced one
after the other, those of the release before go on writing stories.
"""

import logging
import time

from bot.threaded import Threaded
from storage.story_words import read_some
from storage.transaction import Database
from workflows.errors import StorageError

LOOK_SECONDS = 60.0
STOP_SECONDS = 10.0

log = logging.getLogger(__name__)


class StoryReading(Threaded):
    """A part of each process that lives long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__("story reading", stop_seconds=STOP_SECONDS)

    def _work(self) -> None:
        read = 0
        wait = 0.0
        while not self._stopping.wait(wait):
            began = time.monotonic()
            try:
                some = read_some(self._database)
            except StorageError:
                log.warning("stories stay unread for now", exc_info=True)
                some = 0
            read += some
            if read and not some:
                log.info("stories of the release before were read", extra={"stories": read})
                read = 0
            wait = time.monotonic() - began if some else LOOK_SECONDS

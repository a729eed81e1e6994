"""Learns now and then which secrets lie on this machine, in a thread that nobody waits for.

Opening one may ask a key service, which may be slow or away: timers, expiries and schedules
go on meanwhile.
"""

import logging

from bot.secret_sources.held import HeldSecrets
from bot.threaded import Threaded
from workflows.errors import StorageError

LOOK_SECONDS = 15.0  # Another process, or a mounted file, may have new values since.
STOP_SECONDS = 1.0  # Nothing is lost with an answer that is still on its way.

log = logging.getLogger(__name__)


class SecretWatch(Threaded):
    """Keeps the redactor knowing every value that lies on this machine."""

    def __init__(self, held: HeldSecrets, *, every: float = LOOK_SECONDS) -> None:
        self._held = held
        self._every = every
        super().__init__("secrets", stop_seconds=STOP_SECONDS)

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._held.learn()
            except StorageError:
                log.warning("secrets wait for the database", exc_info=True)

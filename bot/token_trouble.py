"""Tells the operator that Slack does not take the bot's token, without a line for each try."""

import logging
import time
from collections.abc import Callable

AGAIN_SECONDS = 600.0

log = logging.getLogger(__name__)


class TokenTrouble:
    """Told of every refusal; says what is new, and after ten minutes that it still is so."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._told: dict[str, float] = {}

    def __call__(self, code: str) -> None:
        """Take note that Slack refused a call with this error."""
        now = self._clock()
        if now - self._told.get(code, float("-inf")) >= AGAIN_SECONDS:
            self._told[code] = now
            self._tell(code)

    def forget(self) -> None:
        """Say the next refusal at once: there is a new token."""
        self._told.clear()


def complain(code: str) -> None:
    """Write into the log that messages wait for the operator."""
    log.error("Slack refuses what the bot asks; its messages wait", extra={"error": code})

"""The keys that deliveries of webhooks are signed with, looked up for senders and not for floods.

Whoever reaches the door decides how often a signature is checked, and a lookup may ask the
database, which every run needs. So the key that was found last refuses what it did not sign, and
a key is looked up again for that only a few times a second. What it did sign counts only if the
key that is found now says so too: a secret that was changed or taken back counts at once.
"""

import time
from collections.abc import Callable

from bot.problems import DoorError
from bot.rate_limit import RateLimit
from bot.webhook_signature import SignatureError
from workflows.errors import SecretError
from workflows.webhooks import Webhook

RATE, BURST = 2.0, 20  # Lookups for what no known key has signed, for each webhook.


class HookKeys:
    """Finds keys by webhook. Safe to share between threads."""

    def __init__(
        self, look_up: Callable[[Webhook], bytes], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._look_up = look_up
        self._limit = RateLimit(rate=RATE, burst=BURST, ticks=ticks)
        self._last: dict[str, bytes] = {}

    def signed(self, name: str, webhook: Webhook, check: Callable[[bytes], str]) -> str:
        """Return what `check` gives for the key of a webhook as it is now.

        Raises:
            SignatureError: it is not signed with that key.
            SecretError: the key cannot be found.
            DoorError: no key was found lately, and too many asked for one.
        """
        last = self._last.get(name)
        if last is None:
            self._limit.take(name)
        else:
            self._refuse_flood(name, last, check)
        try:
            key = self._look_up(webhook)
        except SecretError:
            self._last.pop(name, None)
            raise
        self._last[name] = key
        return check(key)

    def _refuse_flood(self, name: str, last: bytes, check: Callable[[bytes], str]) -> None:
        """Refuse what the last key did not sign, unless a new one may be looked up for it."""
        try:
            check(last)
        except SignatureError as unsigned:
            try:
                self._limit.take(name)
            except DoorError:
                raise unsigned from None

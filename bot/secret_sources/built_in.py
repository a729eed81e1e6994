"""Secrets that are kept in the bot's own database, sealed (`storage.secret_rows`)."""

import time
from collections.abc import Callable, Iterable

from bot.secret_sources.port import checked
from bot.secret_sources.remembered import MISSED_SECONDS, again
from storage.sealing import Sealer
from storage.secret_rows import kept_names, sealed_secret, secret_name
from storage.transaction import Database
from workflows.errors import SecretError
from workflows.secret_book import Found, plain

BUILT_IN = "built in"


class BuiltInSource:
    """The secrets of one log. A new value counts from the moment of its commit."""

    name = BUILT_IN

    def __init__(
        self,
        database: Database,
        sealer: Callable[[], Sealer],
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened, and no key is needed, before there is a secret."""
        self._database = database
        self._sealer = sealer
        self._ticks = ticks
        self._refused: dict[str, tuple[float, bytes, SecretError]] = {}

    def find(self, name: str) -> Found | None:
        kept = sealed_secret(self._database, plain(name))
        if kept is None:
            return None
        version, sealed = kept
        opened = self._opened(secret_name(plain(name), version), sealed)
        return Found(value=checked(opened.decode(), f"The secret {name}"), version=version)

    def names(self) -> Iterable[str]:
        return kept_names(self._database)

    def _opened(self, name: str, sealed: bytes) -> bytes:
        """Open a value. Its key may lie with a key service, which is not asked again at once."""
        until, earlier, refusal = self._refused.get(name, (float("-inf"), b"", SecretError("")))
        if self._ticks() < until and earlier == sealed:
            raise again(refusal)
        try:
            return self._sealer().open_sealed(sealed, name=name)
        except SecretError as error:
            self._refused[name] = (self._ticks() + MISSED_SECONDS, sealed, error)
            raise

"""Secrets that are kept in the bot's own database, sealed (`storage.secret_rows`)."""

from collections.abc import Callable, Iterable

from bot.secret_sources.port import checked
from storage.sealing import Sealer
from storage.secret_rows import kept_names, sealed_secret, secret_name
from storage.transaction import Database
from workflows.secret_book import Found, plain


class BuiltInSource:
    """The secrets of one log. A new value counts from the moment of its commit."""

    name = "built in"

    def __init__(self, database: Database, sealer: Callable[[], Sealer]) -> None:
        """Nothing is opened, and no key is needed, before there is a secret."""
        self._database = database
        self._sealer = sealer

    def find(self, name: str) -> Found | None:
        kept = sealed_secret(self._database, plain(name))
        if kept is None:
            return None
        version, sealed = kept
        opened = self._sealer().open_sealed(sealed, name=secret_name(plain(name), version))
        return Found(value=checked(opened.decode(), f"The secret {name}"), version=version)

    def names(self) -> Iterable[str]:
        return kept_names(self._database)

"""Chooses how runs are continued: by this process alone, or by any that share the Postgres."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from storage.dispatch.deaths import OnStuck
from storage.dispatch.embedded import EmbeddedDispatcher
from storage.store import SqlStore
from workflows.dispatch import Dispatcher


class RunDispatcher(Dispatcher, Protocol):
    """A dispatcher that has somebody told of runs whose segments die again and again."""

    def on_stuck(self, tell: OnStuck) -> None:
        """Say who is told."""


def dispatcher_for(store: SqlStore, *, threads: int, now: Callable[[], datetime]) -> RunDispatcher:
    """Return the dispatcher that fits the database."""
    if store.database.dialect == "sqlite":
        return EmbeddedDispatcher(store, threads=threads, now=now)
    # A process on SQLite does not load the queue's libraries.
    from storage.dispatch.distributed import DistributedDispatcher  # noqa: PLC0415  see above

    return DistributedDispatcher(store, threads=threads)

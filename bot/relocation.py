"""Moves the log of a home into another database while nobody serves it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.settings import Settings
from storage.database import is_postgres, sqlite_path
from storage.journal import utc_now
from storage.lock_file import ServeLock
from storage.move_marks import Mark, take_back
from storage.move_places import opened_source
from storage.moving import Moved, move_log
from storage.table_copy import Tell
from workflows.errors import HeldElsewhereError


def relocate(settings: Settings, source: str, target: str, *, tell: Tell) -> Moved:
    """Move the log at `source` into the empty database `target`.

    Raises:
        HeldElsewhereError: a process serves the source.
        StorageError: the move is refused or failed; the source is as it was.
    """
    with _unserved(settings, source):
        return move_log(source, target, now=utc_now, tell=tell)


def bring_back(settings: Settings, source: str) -> Mark | None:
    """Let the log at `source` go on there; return where it had moved to, None if it had not.

    Raises:
        HeldElsewhereError: a process serves this home.
        StorageError: it cannot be opened.
    """
    with _unserved(settings, source), opened_source(source) as database:
        return take_back(database)


@contextmanager
def _unserved(settings: Settings, source: str) -> Iterator[None]:
    """Keep every process of this machine from serving the home, and that of a file elsewhere."""
    with ExitStack() as stack:
        if settings.home.exists():
            stack.enter_context(ServeLock.take(settings.home, now=datetime.now(UTC)))
        if not is_postgres(source):
            _refuse_served(sqlite_path(source).absolute().parent, settings.home.absolute())
        yield


def _refuse_served(folder: Path, home: Path) -> None:
    if folder != home and ServeLock.is_held(folder):
        raise HeldElsewhereError(
            f"A process serves {folder}.", hint="Stop it first. Nothing was moved."
        )

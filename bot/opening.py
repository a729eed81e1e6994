"""Opens what this process remembers with: its home folder, the database and the journal.

Beginning a new log is an act of its own, since it makes the keys that an outsider pins. Only
an empty home with its own SQLite file begins one by itself, so that a first `interlock serve`
just works.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.anchors.folder import compare_folder
from bot.settings import Settings, SettingsError
from bot.starter import POLICY
from bot.whole_files import write_new
from storage.checkpoint import MalformedNoteError, read_note
from storage.database import Database, open_database
from storage.flushed import make_folder
from storage.history import read_entry
from storage.journal import Journal, utc_now
from storage.log_setup import init_log, open_journal
from storage.server_clock import clock_of
from workflows.entry import Json
from workflows.errors import UnusableDatabaseError

Now = Callable[[], datetime]
PRIVATE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An open database and the journal of the log in it, which may have just begun."""

    database: Database
    journal: Journal
    clock: Now = utc_now
    is_new: bool = False

    @property
    def vkey(self) -> str:
        """Return the key under which an outsider checks this log: the one it began with.

        Whoever keeps a later one cannot tell who signed the heads before.
        """
        mine = self.journal.sequencer.signers[0].vkey
        return mine if self.is_new else first_vkey(self.database) or mine

    @property
    def log_id(self) -> str:
        """Return what names this log for ever."""
        return log_id_of(self.database)


def log_id_of(database: Database) -> str:
    """Return eight hex digits that name the log in a database for ever: those of its first key."""
    key = first_vkey(database)
    return key.split("+")[1] if key else ""


def first_vkey(database: Database) -> str:
    """Return the key with which the log in a database began, "" where there is none."""
    with database.read() as connection:
        first = read_entry(connection, 0)
    keys = first.data["log_vkeys"] if first is not None else []
    return str(keys[0]) if isinstance(keys, list) and keys else ""


def open_memory(settings: Settings, *, now: Now | None = None) -> Memory:
    """Open the log that the settings name; an empty home begins one.

    Time is told by the database where it has a clock, unless `now` tells it.

    Raises:
        StorageError: it cannot be opened, is another log than the settings say, or older than
            the head in the folder of anchors.
        SigningKeyError: its keys are not in the home folder.
    """
    if is_untouched(settings):
        return begin_log(settings, now=now)
    database = open_database(settings.database_url)
    try:
        clock = now or clock_of(database)
        journal = open_journal(database, settings.home, now=clock)
        _refuse_other(journal.origin, settings)
        memory = Memory(database=database, journal=journal, clock=clock)
        if settings.anchor_dir is not None:
            compare_folder(settings.anchor_dir, database, log_id=memory.log_id)
    except BaseException:
        database.close()
        raise
    return memory


def begin_log(settings: Settings, *, now: Now | None = None, after: str | None = None) -> Memory:
    """Make the home folder, the tables, the keys and the first entry of a new log.

    `after` is a head of the log that it takes the place of, as a note.

    Raises:
        UnusableDatabaseError: a log has begun there already, or `after` is no head of another.
        SettingsError: the home folder cannot be made.
    """
    predecessor = _predecessor(after, settings) if after is not None else None
    make_home(settings)
    database = open_database(settings.database_url)
    try:
        clock = now or clock_of(database)
        journal = init_log(
            database, settings.home, origin=settings.origin, now=clock, predecessor=predecessor
        )
    except BaseException:
        database.close()
        raise
    return Memory(database=database, journal=journal, clock=clock, is_new=True)


def make_home(settings: Settings) -> None:
    """Make the home folder with a policy to start from; what stands there stays.

    Raises:
        SettingsError: it cannot be made.
    """
    try:
        make_folder(settings.home, mode=PRIVATE)
        if settings.workflows is None:
            make_folder(settings.definitions)
        if settings.policy is None:
            add_file(settings.policy_file, POLICY)
    except OSError as error:
        raise SettingsError(
            f"The home folder {settings.home} cannot be made: {error.strerror}.",
            hint="Set INTERLOCK_HOME to a folder that this user may write.",
        ) from error


def is_untouched(settings: Settings) -> bool:
    """Say whether nothing has begun here: neither keys nor the home's own database."""
    if settings.database or (settings.home / "keys").exists():
        return False
    return not (settings.home / "interlock.db").exists()


def _predecessor(note: str, settings: Settings) -> dict[str, Json]:
    """Return what the first entry says of the log before."""
    from storage.verify.notes import unpasted  # noqa: PLC0415 - a log seldom has one before it.

    try:
        before = read_note(unpasted(note)).checkpoint
    except MalformedNoteError as error:
        raise UnusableDatabaseError(
            f"This is no head of a log: {error}", hint="`interlock audit head` prints one."
        ) from error
    if before.origin == settings.origin:
        raise UnusableDatabaseError(
            f"A log does not come after itself; both are called {before.origin}.",
            hint=f"Give the new one another name: INTERLOCK_ORIGIN={before.origin}/2.",
        )
    return {
        "log": before.origin,
        "size": before.size,
        "root": b64encode(before.root).decode(),
    }


def add_file(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Write a file that is not there yet; say whether it was written. What stands there stays."""
    try:
        write_new(path, text.encode(), mode=mode)
    except FileExistsError:
        return False
    return True


def _refuse_other(origin: str, settings: Settings) -> None:
    if "origin" in settings.model_fields_set and origin != settings.origin:
        raise UnusableDatabaseError(
            f"The database holds the log {origin}, not {settings.origin}.",
            hint="Check INTERLOCK_ORIGIN and INTERLOCK_DATABASE_URL.",
        )

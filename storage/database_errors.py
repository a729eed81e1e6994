"""Turn what a database driver raises into a refusal of ours, where it is one."""

import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from workflows.errors import (
    SigningKeyError,
    StorageError,
    StorageUnavailableError,
    UnusableDatabaseError,
)

if TYPE_CHECKING:
    from psycopg import DatabaseError, OperationalError

REFUSED = "The database refuses what must never be, so none of it was recorded."
LOCKED = StorageUnavailableError, "The database is locked.", "Try again in a moment."
MAKE_ROOM = (
    "Nothing was recorded. Free some space on it, or tell whoever runs the bot; then try again."
)
FULL = StorageUnavailableError, "The disk is full.", MAKE_ROOM
FREE_THERE = (
    "Nothing was recorded. SQLite keeps them in TMPDIR, else in /var/tmp or /tmp. Free some space"
    " there, or tell whoever runs the bot; then try again."
)
NO_TEMPORARY_ROOM = (
    StorageUnavailableError,
    "The disk of temporary files is full.",
    FREE_THERE,
)
ENOUGH = 2**20  # What found no room beside so much of it needed it on another disk.
IO_FAILED = (
    StorageUnavailableError,
    "The database file cannot be read or written.",
    "Check the disk.",
)
READ_ONLY = StorageUnavailableError, "The database is read-only.", "Check the file's permissions."
WHERE_IT_IS = (
    "Check its path and permissions: INTERLOCK_DATABASE_URL says where it is, else it is"
    " interlock.db in INTERLOCK_HOME."
)
NO_FILE = (
    StorageUnavailableError,
    "The database file cannot be opened.",
    WHERE_IT_IS,
)
BROKEN = UnusableDatabaseError, "The file is not an intact database.", "Restore it from a backup."

UNDECODED = "Could not decode to UTF-8"  # What Python's driver says, without a code.
NO_TEXT = (
    UnusableDatabaseError,
    "The database holds bytes that are no text.",
    "Somebody wrote to it; run `interlock audit verify`.",
)

# Result codes, https://www.sqlite.org/rescode.html: an extended one goes before its primary one.
SQLITE_CODES = {
    sqlite3.SQLITE_IOERR_SHMSIZE: FULL,  # What is kept beside the file finds no room at the open.
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: IO_FAILED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: NO_FILE,
    sqlite3.SQLITE_CORRUPT: BROKEN,
    sqlite3.SQLITE_NOTADB: BROKEN,
}
PRIMARY = 0xFF
# What our triggers raise: somebody ended the key of an entry, or moved the log away.
WRITER_ENDED = "IL001"
LOG_MOVED = "IL002"
TO_THE_SERVER = (
    "Have INTERLOCK_DATABASE_URL lead to the Postgres server itself, or to a pooler that works per"
    " session and hands `options` on; docs/operations says what PgBouncer takes."
)
SERVER_FULL = "53100"
NO_RIGHT = "42501"
NAME_TAKEN = "42P07"  # By a table of somebody else.
NO_SCHEMA = "3F000"
NO_TABLE = "42P01"
TAKES_NO_CHANGES = "25006"
TOOK_TOO_LONG = frozenset({"25P03", "25P04"})  # Of a transaction; its connection is ended.
NOT_SUPPORTED = "0A000"
ON_A_STANDBY = ("during recovery",)  # Of a transaction that says that it will write.
# What a server says to somebody whom it does not let in comes as words without their code, in the
# server's language. By the two spaces after what libpq puts first, such words are known from
# libpq's own, which are of a server that is away.
SAID_BY_SERVER = re.compile(r" failed: [^:\n]{1,40}:  ")
STRANGERS = "28"  # The class of these codes, should a driver hand them out.
IS_STARTING = (
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "not accepting",
)
# What the driver says of the address itself, before it asks any server; of names and settings, and
# never of the password.
NOT_TAKEN = re.compile(
    r"(invalid \w+ value: .*|invalid connection option .*|invalid port number: .*"
    r"|invalid integer value .*|definition of service .*)"
)
# What libpq itself says of a server that is there: nothing to tell it, or no line that it may use.
NO_PASSWORD = ("no password supplied",)
UNSAFE = (
    "does not support SSL",
    "certificate verify failed",
    "root certificate file",
    "server certificate for",
)
NOT_HANDED_ON = ("startup parameter",)  # A pooler says it; a server takes what it knows.
NO_CONNECTION_LEFT = ("too many clients", "too many connections", "connection slots")


def refusal_for(error: BaseException) -> StorageError | None:
    """Return the refusal that `error` amounts to, or None when it is something else."""
    if isinstance(error, PoolTimeoutError):
        return StorageUnavailableError("Every connection is busy.", hint="Try again in a moment.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.DatabaseError):
        return _of_sqlite(cause)
    psycopg = _psycopg()
    if psycopg is not None and isinstance(cause, psycopg.OperationalError):
        return _of_address(cause) or _of_postgres(cause)
    if psycopg is not None and isinstance(cause, psycopg.DatabaseError):
        return _of_address(cause) or _of_server(cause) or _of_our_triggers(cause.sqlstate)
    return None


def refusal_of_file(error: BaseException, path: Path) -> StorageError | None:
    """Return the refusal that `error` amounts to where the database is the file at `path`.

    What SQLite merges, sorts or may have to take back lies in another folder once it is large.
    """
    refusal = refusal_for(error)
    if refusal is None or refusal.message != FULL[1] or _free(path) < ENOUGH:
        return refusal
    return no_temporary_room()


def no_temporary_room() -> StorageError:
    """Return the refusal of what needs a temporary file of SQLite's and finds no room for it."""
    refusal, message, hint = NO_TEMPORARY_ROOM
    return refusal(message, hint=hint)


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0


def passing_trouble(error: BaseException) -> StorageUnavailableError | None:
    """Return the refusal that `error` amounts to if it says nothing of what a database holds.

    A server that is away and a disk that is full pass; a file that cannot be read may not.
    """
    refusal = error if isinstance(error, StorageError) else refusal_for(error)
    if not isinstance(refusal, StorageUnavailableError):
        return None
    of_file = IO_FAILED, READ_ONLY, NO_FILE
    return None if refusal.message in {message for _, message, _ in of_file} else refusal


@contextmanager
def storage_refusals() -> Iterator[None]:
    """Raise our refusal instead of the driver's error; other errors pass."""
    try:
        yield
    except Exception as error:
        refusal = refusal_for(error)
        if refusal is None:
            raise
        raise refusal from error


def _of_sqlite(error: sqlite3.DatabaseError) -> StorageError | None:
    code = getattr(error, "sqlite_errorcode", None)
    found: tuple[type[StorageError], str, str] | None
    if code is None:
        found = NO_TEXT if str(error).startswith(UNDECODED) else None
    else:
        found = SQLITE_CODES.get(code) or SQLITE_CODES.get(code & PRIMARY)
    if found is None:
        return None
    refusal, message, hint = found
    return refusal(message, hint=hint)


def refused_by_database() -> tuple[type[Exception], ...]:
    """Return the errors by which a driver says that a constraint refuses what was asked."""
    psycopg = _psycopg()
    mine: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)
    return mine if psycopg is None else (*mine, psycopg.IntegrityError)


def refused_values() -> tuple[type[Exception], ...]:
    """Return the errors by which a driver says that a database cannot hold what it was given."""
    psycopg = _psycopg()
    refused = refused_by_database()
    return refused if psycopg is None else (*refused, psycopg.DataError)


def _psycopg() -> ModuleType | None:
    # Ten megabytes that a process on SQLite does not need. Whoever opens Postgres loads it,
    # and before that no error of it can have happened.
    return sys.modules.get("psycopg")


def _of_address(error: "DatabaseError") -> StorageError | None:
    """Return what the driver means that does not take the address as it stands."""
    found = NOT_TAKEN.search(str(error)) if error.sqlstate is None else None
    if found is None:
        return None
    return UnusableDatabaseError(
        f"The database's address cannot be used: {found[0]}.",
        hint="Correct what stands in INTERLOCK_DATABASE_URL.",
    )


def _of_postgres(error: "OperationalError") -> StorageError:
    if error.sqlstate in {"55P03", "57014", "40P01", "40001"}:
        return StorageUnavailableError(
            "Others hold what this needed for too long.", hint="Try again in a moment."
        )
    if error.sqlstate == SERVER_FULL:
        return StorageUnavailableError("The database server's disk is full.", hint=MAKE_ROOM)
    if (error.sqlstate or "").startswith("53") or _says(error, NO_CONNECTION_LEFT):
        return StorageUnavailableError(
            "The database server is out of memory or connections.",
            hint="Nothing was recorded. Try again in a moment. Whoever runs the bot: raise"
            " max_connections or the memory of that server, or have fewer processes on it.",
        )
    if error.sqlstate is None and _says(error, NOT_HANDED_ON):
        return StorageUnavailableError(
            "A pooler before the Postgres server refuses the settings of the bot's sessions.",
            hint=TO_THE_SERVER,
        )
    return _of_the_way_in(error) or StorageUnavailableError(
        "The database cannot be reached.", hint="Check that the server runs, then try again."
    )


def _of_the_way_in(error: "OperationalError") -> StorageError | None:
    """Return what keeps the bot out of a server that is there."""
    if error.sqlstate is None and _says(error, NO_PASSWORD):
        return StorageUnavailableError(
            "The database server asks for a password, and none is there.",
            hint="Whoever runs the bot: write it into INTERLOCK_DATABASE_URL, or into the file that"
            " `passfile` names there, which the bot's user alone may read (mode 0600).",
        )
    if error.sqlstate is None and _says(error, UNSAFE):
        return StorageUnavailableError(
            "The database server does not prove who it is as its address asks, or speaks no TLS.",
            hint="Whoever runs the bot: look at sslmode and sslrootcert in INTERLOCK_DATABASE_URL,"
            " and at the server's certificate.",
        )
    if _is_turned_away(error):
        return StorageUnavailableError(
            "The database server does not let the bot in.",
            hint="Whoever runs it: look at user, password and database in INTERLOCK_DATABASE_URL;"
            " the server's log has the reason.",
        )
    return None


def _is_turned_away(error: "OperationalError") -> bool:
    if error.sqlstate is not None:
        return error.sqlstate.startswith(STRANGERS)
    return not _says(error, IS_STARTING) and SAID_BY_SERVER.search(str(error)) is not None


def _says(error: "DatabaseError", words: tuple[str, ...]) -> bool:
    said = str(error)
    return any(one in said for one in words)


def _of_server(error: "DatabaseError") -> StorageError | None:
    """Return what a server means that was reached and does not do what it was told."""
    state = error.sqlstate
    if state == NO_RIGHT:
        return UnusableDatabaseError(
            "The database does not let its user do this.",
            hint="Make that user its owner: ALTER DATABASE name OWNER TO user.",
        )
    if state == NAME_TAKEN:
        return UnusableDatabaseError(
            "The database has tables of another program, one of them by a name of ours.",
            hint="Give Interlock a database of its own.",
        )
    if state == NO_SCHEMA:
        return UnusableDatabaseError(
            "The search_path of the database's user leads to no schema that there is.",
            hint="Make that schema, or have search_path lead to one: ALTER ROLE user SET"
            " search_path = public.",
        )
    if state == NO_TABLE:
        return StorageUnavailableError(
            "The database does not show its tables any more.",
            hint="Nothing was recorded. Whoever runs the bot: somebody changed search_path, or took"
            " a table away. Start the bot again, and it says what to do.",
        )
    if state in TOOK_TOO_LONG:
        return StorageUnavailableError(
            "The database server ended a transaction that took too long.",
            hint="Nothing was recorded. Try again in a moment.",
        )
    if state == TAKES_NO_CHANGES or (state == NOT_SUPPORTED and _says(error, ON_A_STANDBY)):
        return StorageUnavailableError(
            "The database takes no changes: it is a standby, or set to be read only.",
            hint="Nothing was recorded. Whoever runs the bot: have INTERLOCK_DATABASE_URL lead to"
            " the server that takes them, or take default_transaction_read_only back there, and"
            " start it again.",
        )
    return None


def _of_our_triggers(state: str | None) -> StorageError | None:
    if state == WRITER_ENDED:
        return SigningKeyError(
            "The writer key of this process was ended while it ran.",
            hint="Start it again: it takes the key that is in its home now, or says what to do.",
        )
    if state == LOG_MOVED:
        return UnusableDatabaseError(
            "This log moved elsewhere while this process ran.",
            hint="Start it again: it says where to.",
        )
    return None

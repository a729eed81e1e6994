"""What a fault of somebody else's database means for the step that met it."""

import sqlite3
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

if TYPE_CHECKING:
    from psycopg import Error

PASSING_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
CANCELLED = "57014"
SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault, sorted: may it pass, and did the database itself end the transaction?"""

    message: str
    error_class: str
    may_pass: bool
    is_answered: bool


def sorted_out(error: SQLAlchemyError, *, is_late: bool) -> Fault:
    """Return what `error` means; `is_late` says that we cut the connection ourselves."""
    original = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original)
    psycopg = sys.modules.get("psycopg")  # Loaded by whoever speaks to Postgres, and only then.
    if psycopg is not None and isinstance(original, psycopg.Error):
        return _of_postgres(original, is_late=is_late)
    return Fault(
        message=_first_line(error),
        error_class="statement_refused",
        may_pass=False,
        is_answered=True,
    )


def _of_sqlite(error: sqlite3.Error) -> Fault:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    names = {sqlite3.SQLITE_INTERRUPT: "timeout", sqlite3.SQLITE_CANTOPEN: "unreachable"}
    may_pass = code in PASSING_SQLITE
    return Fault(
        message="It took too long." if code == sqlite3.SQLITE_INTERRUPT else _first_line(error),
        error_class=names.get(code, "locked" if may_pass else "statement_refused"),
        may_pass=may_pass,
        is_answered=True,
    )


def _of_postgres(error: "Error", *, is_late: bool) -> Fault:
    from psycopg import InterfaceError, OperationalError  # noqa: PLC0415 - its error is here.

    state = error.sqlstate or ""
    if is_late or state == CANCELLED:
        return Fault(
            message="It took too long.",
            error_class="timeout",
            may_pass=True,
            is_answered=not is_late,
        )
    # A server that is being shut down may have committed before it says so (57P…).
    is_answered = bool(state) and not state.startswith(("57P", "08"))
    may_pass = isinstance(error, OperationalError | InterfaceError)
    name = ("locked" if is_answered else "unreachable") if may_pass else "statement_refused"
    return Fault(
        message=_first_line(error), error_class=name, may_pass=may_pass, is_answered=is_answered
    )


def _first_line(error: Exception) -> str:
    # What follows the first line repeats the values of rows.
    return str(error).strip().partition("\n")[0][:SHOWN]

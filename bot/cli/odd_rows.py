"""What a command ends with that met rows which no release writes: a sentence, not a trace.

Looked for only once a command has gone wrong, here for all of them: a cell that its column cannot
hold is named, and else what the comparison of tables with entries finds first.
"""

from contextlib import suppress

from bot.settings import IN_USE, Settings
from storage.database import open_database, sqlite_path
from storage.odd_cells import odd_cell
from storage.verify import verify_database
from workflows.errors import UnusableDatabaseError

VERIFY = "run `interlock audit verify`"


def refusal_of_rows(error: Exception) -> UnusableDatabaseError | None:
    """Return what somebody wrote into the log that the command read, if that may be the cause.

    None where it had opened no log, where nothing is odd in it, or where it cannot be looked at.
    """
    settings = IN_USE.get()
    if settings is None or (isinstance(error, UnusableDatabaseError) and not _blames(error)):
        return None
    with suppress(Exception):  # Whatever it is, what the command said itself counts then.
        return _odd(settings, error)
    return None


def _blames(error: UnusableDatabaseError) -> bool:
    return VERIFY in (error.hint or "")


def _odd(settings: Settings, error: Exception) -> UnusableDatabaseError | None:
    if settings.is_sqlite and not sqlite_path(settings.database_url).exists():
        return None
    database = open_database(settings.database_url)
    try:
        with database.engine.connect() as connection:
            found = odd_cell(connection)
    finally:
        database.close()
    if found is not None:
        told = f"{found} where no release writes that."
    elif isinstance(error, UnusableDatabaseError):
        return None  # It says itself what it met.
    else:
        # Quick: the signatures of a large log take minutes.
        report = verify_database(settings.database_url, [], tables=True, quick=True)
        failures = [report.malformed or "", *(text for _, text in report.failures), ""]
        worst = next(filter(None, failures), None)
        if worst is None:
            return None
        told = f"The log or its tables cannot be read: {worst}"
    return UnusableDatabaseError(told, hint=f"Somebody wrote to the database; {VERIFY}.")

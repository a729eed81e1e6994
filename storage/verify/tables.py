"""The tables that people and the engine read: do they say what the entries say?

No outsider needs them, since a pack holds none. A database owner who changes one changes what
is shown and done next, so who verifies a database compares every projected row.
"""

from sqlalchemy import Connection, text

from storage.as_stored import columns_in
from storage.migrate import TABLE, newest
from storage.rebuild import Tell, differences, missing, rebuild
from storage.verify.copies import judge_copies
from storage.verify.people import judge_people
from storage.verify.report import Report, printable
from workflows.errors import InterlockError, StorageUnavailableError

CODE = "projection"
# What an entry that has no place yet, and that nobody looked at, may be wrong in.
UNTOLD = (
    InterlockError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def judge_tables(
    connection: Connection, report: Report, *, tell: Tell = lambda _count: None
) -> None:
    """Compare every projected row with the entries, which were found to be those recorded.

    `tell` is told now and then how many entries were read for it.
    """
    if report.exit in (1, 2):
        report.warn(f"{CODE}s", "The tables were not compared with entries that do not hold.")
        return
    _judge_missing(connection, report)
    try:
        told = rebuild(connection, tell=tell)
    except StorageUnavailableError:
        raise
    except UNTOLD as error:
        report.fail(CODE, printable(f"The entries do not tell what the tables hold: {error}."))
        return
    report.counts["projections"] = "compared"
    for one in differences(connection, told):
        report.fail(CODE, printable(f"{one}."))
    judge_copies(connection, report)
    judge_people(connection, told, report)


def _judge_missing(connection: Connection, report: Report) -> None:
    """Tell what is not there: of another release it need not be, and the rest is compared."""
    gone = missing(connection)
    if not gone:
        return
    if _has_our_schema(connection):
        for one in gone:
            report.fail(CODE, f"The {one} is missing.")
        return
    what = ", ".join(gone)
    words = f"The tables are those of another release; these were not compared: {what}."
    report.warn(f"{CODE}s", words)


def _has_our_schema(connection: Connection) -> bool:
    if TABLE not in columns_in(connection, [TABLE]):
        return True  # None of ours is without it.
    found = connection.execute(text(f"SELECT version_num FROM {TABLE}"))  # noqa: S608  a constant of ours
    return {str(one) for one in found.scalars()} == {newest()}

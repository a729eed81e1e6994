"""The tables that people and the engine read: do they say what the entries say?

No outsider needs them, since a pack holds none. A database owner who changes one changes what
is shown and done next, so who verifies a database compares every projected row.
"""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage.rebuild import compare, rebuild
from storage.verify.report import Report
from workflows.errors import InterlockError

CODE = "projection"


def judge_tables(connection: Connection, report: Report) -> None:
    """Compare every projected row with the entries, which were found to be those recorded."""
    if report.exit in (1, 2):
        report.warn(f"{CODE}s", "The tables were not compared with entries that do not hold.")
        return
    try:
        found = compare(connection, rebuild(connection))
    except DBAPIError:
        report.warn(f"{CODE}s", "The tables are those of another release; they were not compared.")
        return
    except (InterlockError, KeyError, TypeError, ValueError) as error:
        report.fail(CODE, f"The entries do not tell what the tables hold: {error}.")
        return
    report.counts["projections"] = "compared"
    for one in found:
        report.fail(CODE, f"{one}.")

"""The tables of Procrastinate, which stand beside ours on Postgres.

Its package ships the whole schema and the steps from each release to the next. Which step a
database has taken stands in the comment of the jobs table, so that a later release of ours
only takes the steps that are missing.
"""

from importlib import resources
from typing import Any

from sqlalchemy import Connection

TABLES = (
    "procrastinate_workers",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_events",
)
# A release of the library that ships a later step needs a migration of ours that takes it.
NEWEST_STEP = "03.04.00_50_post_add_retry_failed_job_procedure"


def bring_up(connection: Connection) -> None:
    """Create the tables of the installed release, or take the steps that are missing."""
    driver: Any = connection.connection.dbapi_connection
    taken = _step_of(driver)
    if taken is None:
        driver.execute(_shipped("schema.sql"))
    else:
        for step in (one for one in shipped_steps() if one > taken):
            driver.execute(_shipped("migrations", f"{step}.sql"))
    driver.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{shipped_steps()[-1]}'")


def shipped_steps() -> list[str]:
    """Return the names of the steps that the installed release knows, oldest first."""
    folder = resources.files("procrastinate").joinpath("sql", "migrations")
    names = (one.name for one in folder.iterdir())
    return sorted(name.removesuffix(".sql") for name in names if name.endswith(".sql"))


def _step_of(driver: Any) -> str | None:  # noqa: ANN401  psycopg's own connection
    found = driver.execute(
        "SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')"
    ).fetchone()
    return None if found is None else found[0]


def _shipped(*names: str) -> str:
    return resources.files("procrastinate").joinpath("sql", *names).read_text(encoding="utf-8")

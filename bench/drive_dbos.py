"""DBOS as it is meant to be used: one workflow for each run, `recv` for the approval.

Five steps with a `recv` after the third; the approval is sent the moment the run says that it
has got there. SQLite in WAL with a real fsync at each commit, or Postgres with its own
LISTEN/NOTIFY. Runs in the environment that `make bench-env` makes.
"""

import importlib.metadata
import logging
import os
import sqlite3
import time
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSConfig

from bench.driving import Order, Waits, drive, read_order

# On SQLite DBOS looks for messages and events at this interval. Its default of a second would
# be most of what is measured, so it gets one at which nothing is waited for in vain.
LOOK_EVERY = 0.01
LONG = 24 * 3600.0
WAITS = Waits()


@DBOS.step()
def step(number: int) -> int:
    """Do next to nothing, durably."""
    return number + 1


@DBOS.workflow()
def five_steps() -> int:
    """Make three steps, wait for the approval, make two more."""
    number = step(step(step(0)))
    DBOS.set_event("asked", 1)
    DBOS.recv("approval", timeout_seconds=LONG)
    WAITS.began[str(DBOS.workflow_id)] = time.perf_counter()
    return step(step(number))


def work(runs: int) -> None:
    """Start that many runs, answer each as soon as it asks, wait for all ends."""
    handles = [DBOS.start_workflow(five_steps) for _ in range(runs)]
    for handle in handles:
        DBOS.get_event(handle.workflow_id, "asked", timeout_seconds=LONG)
        WAITS.given[handle.workflow_id] = time.perf_counter()
        DBOS.send(handle.workflow_id, 1, "approval")
    for handle in handles:
        handle.get_result(polling_interval_sec=LOOK_EVERY)


def config(order: Order) -> DBOSConfig:
    """Return the settings for that database."""
    if order.is_sqlite:
        _make_wal(order.path)
        url = f"sqlite:///{order.path}"
    else:
        url = sqlalchemy.make_url(order.database).set(drivername="postgresql+psycopg")
        url = url.render_as_string(hide_password=False)
    return DBOSConfig(
        name="peers",
        system_database_url=url,
        log_level="ERROR",
        max_executor_threads=order.threads,
        notification_listener_polling_interval_sec=LOOK_EVERY,
    )


def durability(order: Order, engine: Any) -> str:  # noqa: ANN401  whatever DBOS has
    """Return what a connection of DBOS says about its commits."""
    with engine.connect() as connection:
        ask = lambda what: connection.exec_driver_sql(what).scalar_one()  # noqa: E731
        if order.is_sqlite:
            mode, level = ask("PRAGMA journal_mode"), ask("PRAGMA synchronous")
            return f"journal_mode={mode} synchronous={level}"
        return f"fsync={ask('SHOW fsync')} synchronous_commit={ask('SHOW synchronous_commit')}"


def _make_wal(path: str) -> None:
    """Give the file the journal that DBOS would not choose; it stays with the file."""
    driver = sqlite3.connect(path)
    driver.execute("PRAGMA journal_mode = WAL")
    driver.close()


def main() -> None:
    """Drive DBOS on the database of the command line."""
    order = read_order()
    dbos = DBOS(config=config(order))
    DBOS.launch()
    logging.disable(logging.CRITICAL)
    told = {
        "peer": f"dbos {importlib.metadata.version('dbos')}",
        "durability": durability(order, dbos._sys_db.engine),  # noqa: SLF001  it has no other door
        "settings": f"recv, {order.threads} threads, looks every {LOOK_EVERY} s",
    }
    drive(order, work, waits=WAITS, told=told)
    os._exit(0)  # Its threads would be waited for.


if __name__ == "__main__":
    main()

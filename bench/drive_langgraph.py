"""LangGraph with its checkpointer: five nodes, `interrupt` before the fourth, `sync` durability.

Each of the threads takes one run after the other: to the interrupt, then on from it, at once.
SQLite as its saver opens it (WAL, real fsync), or Postgres with a pool of connections. Runs in
the environment that `make bench-env` makes.
"""

import importlib.metadata
import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from bench.driving import Order, Waits, drive, read_order

WAITS = Waits()
NUMBERS = itertools.count()


class Count(TypedDict):
    """What a run carries from node to node."""

    number: int
    approved: bool


def step(state: Count) -> dict[str, Any]:
    """Do next to nothing, durably."""
    return {"number": state["number"] + 1}


def approval(_state: Count) -> dict[str, Any]:
    """Wait for the answer."""
    return {"approved": interrupt({"ask": "go on?"})}


def approved(state: Count, config: RunnableConfig) -> dict[str, Any]:
    """Note when the first step after the approval begins."""
    WAITS.began[config["configurable"]["thread_id"]] = time.perf_counter()
    return step(state)


def graph(saver: BaseCheckpointSaver[Any]) -> Any:  # noqa: ANN401  generic in four ways
    """Return the five steps with the approval between the third and the fourth."""
    built = StateGraph(Count)
    nodes = {"s1": step, "s2": step, "s3": step, "ask": approval, "s4": approved, "s5": step}
    for name, node in nodes.items():
        built.add_node(name, node)
    for here, there in itertools.pairwise((START, *nodes, END)):
        built.add_edge(here, there)
    return built.compile(checkpointer=saver)


@contextmanager
def checkpointer(order: Order) -> Iterator[tuple[BaseCheckpointSaver[Any], str]]:
    """Open LangGraph's own saver on that database; say how durable its commits are."""
    if order.is_sqlite:
        driver = sqlite3.connect(order.path, check_same_thread=False)
        saver = SqliteSaver(driver)
        saver.setup()
        mode, level = (_one(driver, f"PRAGMA {name}") for name in ("journal_mode", "synchronous"))
        yield saver, f"journal_mode={mode} synchronous={level}"
        return
    settings = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}
    with ConnectionPool(order.database, max_size=2 * order.threads, kwargs=settings) as pool:
        on_postgres = PostgresSaver(pool)
        on_postgres.setup()
        with pool.connection() as connection:
            told = [
                f"{name}={connection.execute(f'SHOW {name}').fetchone()[name]}"
                for name in ("fsync", "synchronous_commit")
            ]
        yield on_postgres, " ".join(told)


def _one(driver: sqlite3.Connection, statement: str) -> object:
    return driver.execute(statement).fetchone()[0]


def main() -> None:
    """Drive LangGraph on the database of the command line."""
    order = read_order()
    with checkpointer(order) as (saver, durability):
        app = graph(saver)

        def one(number: int) -> None:
            name = str(number)
            config = {"configurable": {"thread_id": name}}
            app.invoke({"number": 0, "approved": False}, config, durability="sync")
            WAITS.given[name] = time.perf_counter()
            app.invoke(Command(resume=True), config, durability="sync")

        def work(runs: int) -> None:
            with ThreadPoolExecutor(order.threads) as pool:
                list(pool.map(one, itertools.islice(NUMBERS, runs)))

        told = {
            "peer": f"langgraph {importlib.metadata.version('langgraph')}",
            "durability": durability,
            "settings": f"durability=sync, {order.threads} threads",
        }
        drive(order, work, waits=WAITS, told=told)
        os._exit(0)


if __name__ == "__main__":
    main()

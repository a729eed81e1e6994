"""What tests of both dispatchers do: begin runs, serve for a while, wait for what comes of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from storage.dispatch.distributed import DistributedDispatcher
from storage.dispatch.embedded import EmbeddedDispatcher
from storage.store import SqlStore
from tests.storage.run_drafts import new_run, started
from workflows.dispatch import Dispatcher, Handler
from workflows.entry import RunId

PATIENCE = 60.0

Served = TypeVar("Served", EmbeddedDispatcher, DistributedDispatcher)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.01)


@contextmanager
def serving(dispatcher: Served, handler: Handler) -> Iterator[Served]:
    thread = threading.Thread(target=dispatcher.serve, args=(handler,))
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def begin_run(store: SqlStore, name: str, dispatcher: Dispatcher | None = None) -> RunId:
    run = RunId(name)
    with store.begin() as unit:
        unit.add_run(new_run(name))
        unit.append(started(name))
        if dispatcher is None:
            unit.mark_ready(run)
        else:
            dispatcher.enqueue(unit, run)
    return run


def begin_run_and_fail(store: SqlStore, dispatcher: Dispatcher) -> None:
    with store.begin() as unit:
        unit.add_run(new_run("lost"))
        unit.append(started("lost"))
        dispatcher.enqueue(unit, RunId("lost"))
        raise LookupError("lost")


def rest(store: SqlStore, run: RunId) -> None:
    """Take the run up and let go of it, as a segment does."""
    with store.begin() as unit:
        unit.lock_run(run)
        unit.claim(run, by="here")
    with store.begin() as unit:
        unit.release(run)

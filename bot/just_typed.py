"""Whether somebody typed the same command a moment ago, and what became of it.

Typed twice in haste is one wish: whoever repeats a command is asked first. Whoever repeats it
because the run came to a bad end, or since another version is active now, is not.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from bot.desk import Desk
from bot.payloads import Caller
from storage.history import read_run
from storage.listing import ListedRun, Wanted, list_runs
from workflows.definition import Definition
from workflows.run import Status
from workflows.store import Delivery

MOMENT = timedelta(seconds=30)
MOST_RUNS = 10  # Of one person and one workflow within two moments.


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The same was typed a moment ago; `run` is None while nothing has started from it."""

    run: ListedRun | None


def typed_before(desk: Desk, caller: Caller, definition: Definition, text: str) -> Before | None:
    """Return what became of the same command, None where it may simply be done."""
    if not _is_repeat(desk, caller, definition, text):
        return None
    since, words = desk.now() - 2 * MOMENT, desk.redact(text).encode()
    wanted = Wanted(requester=caller.person, workflow=definition.workflow, since=since)
    found = [
        one
        for one in list_runs(desk.store.database, wanted, most=MOST_RUNS)
        if _said(desk, one) == words
    ]
    newest = found[0] if found else None
    if newest is not None and newest.status.is_end and newest.status is not Status.DONE:
        return None
    return Before(run=newest)


def _is_repeat(desk: Desk, caller: Caller, definition: Definition, text: str) -> bool:
    """Say whether the same person typed the same of this version here; remember that they did."""
    said = f"{caller.person}/{caller.channel}/{definition.version}/{text}".encode()
    digest = hashlib.sha256(said).hexdigest()
    window = int(desk.now().timestamp() // MOMENT.total_seconds())
    keys = [f"{digest}/{one}" for one in (window - 1, window)]
    with desk.store.begin() as unit:
        # Both are remembered, so that the next window finds this one.
        known = [unit.is_repeat(Delivery(team=caller.team, kind="typed", key=one)) for one in keys]
    return any(known)


def _said(desk: Desk, run: ListedRun) -> bytes | None:
    """Return the words that a run was started with."""
    with desk.store.database.read() as connection:
        first, *_ = read_run(connection, run.id)
    part = first.parts.get("message")
    return None if part is None else part.value

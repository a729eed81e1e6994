"""The exception queue: what of which run waits for a person, since when, and who is asked.

Read without locks. A run stands here for as long as it has an exception or a doubt, also while
another branch of it goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.error_words import SoFar
from storage.history import read_run
from storage.listing import MOST, ListedRun, Wanted, list_runs
from storage.transaction import Database
from workflows.chasing import asked_by_now
from workflows.definition import Definition
from workflows.errors import InterlockError, StorageError
from workflows.replay import replay
from workflows.trouble import Trouble, failed_tries, troubles
from workflows.undoable import Done, done


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One thing that waits for a person; `asked` are names as the files write them."""

    run: ListedRun
    trouble: Trouble
    asked: tuple[str, ...]
    so_far: SoFar


def queued(
    database: Database,
    definition_of: Callable[[str], Definition],
    *,
    wanted: Wanted | None = None,
    most: int = MOST,
) -> list[Queued]:
    """Return what waits for a person, the oldest first; of more runs than `most` the newest."""
    found: list[Queued] = []
    for run in list_runs(database, wanted or Wanted(is_troubled=True), most=most):
        found += _of_run(database, definition_of, run)
    return sorted(found, key=lambda one: one.trouble.since)


def _of_run(
    database: Database, definition_of: Callable[[str], Definition], run: ListedRun
) -> list[Queued]:
    with database.read() as connection:
        entries = read_run(connection, run.id)
    definition = _definition(definition_of, run.version)
    state = replay(run.id, entries)
    changed = Done() if definition is None else done(definition, state)
    return [
        Queued(
            run=run,
            trouble=one,
            asked=asked_by_now(one.step, entries, definition, since=one.rseq),
            so_far=SoFar(
                tries=len([*failed_tries(one.step, entries)]),
                final=changed.final,
                undoable=changed.undoable,
                unclear=changed.unclear,
                called=changed.called,
                is_known=definition is not None,
            ),
        )
        for one in troubles(state, entries)
    ]


def _definition(definition_of: Callable[[str], Definition], version: str) -> Definition | None:
    try:
        return definition_of(version)
    except StorageError:
        raise
    except InterlockError:  # Written by another release; whom it named is not known here.
        return None

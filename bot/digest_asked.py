"""Whom each run waits for, by name: those asked to approve, or to settle what stopped it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.exception_queue import queued
from storage.figures import MOST_LISTED
from storage.listing import Wanted, list_open_requests
from storage.transaction import Database
from storage.waiting_runs import read_waiting_runs
from workflows.definition import Definition
from workflows.entry import Ref, RunId

MOST_PEOPLE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who is asked now: groups as the files name them, people by their pseudonyms."""

    names: tuple[str, ...] = ()
    people: tuple[Ref, ...] = ()


AskedOf: TypeAlias = Mapping[RunId, Asked]


def asked_now(
    database: Database, definition_of: Callable[[str], Definition], *, now: datetime
) -> AskedOf:
    """Return whom each run that a digest lists waits for; of an approval who can still decide."""
    found: dict[RunId, Asked] = {}
    with database.read() as connection:
        waiting = read_waiting_runs(connection, now=now, most=MOST_LISTED).first
    runs = frozenset(one.run for one in waiting)
    for one in list_open_requests(database, now=now, runs=runs):
        stages = [one.request.stages[index] for index in one.tally.waiting]
        people = frozenset[Ref]().union(*(stage.everybody for stage in stages))
        left = sorted(people - one.request.excluded)
        found[one.request.run] = Asked(
            names=tuple(dict.fromkeys(name for stage in stages for name in stage.all_groups)),
            people=tuple(left) if len(left) <= MOST_PEOPLE else (),
        )
    wanted = Wanted(is_troubled=True, runs=runs)
    for stopped in queued(database, definition_of, wanted=wanted):
        found[stopped.run.id] = Asked(names=stopped.asked)
    return found

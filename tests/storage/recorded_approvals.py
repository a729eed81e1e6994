"""Histories of approvals as real entries of real runs, each at its moment."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from storage.store import SqlStore
from storage.unit import SqlUnit
from tests.approvals import Case
from tests.storage.run_drafts import HandClock, finished, new_run, requested, started, user, verdict
from workflows.entry import Actor
from workflows.people import PersonId

Event = tuple[datetime, Callable[[SqlUnit], None]]


def person(name: str) -> PersonId:
    return PersonId(f"slack:T0ACME:U0{name.upper()}")


def record(store: SqlStore, clock: HandClock, cases: Sequence[Case]) -> None:
    """Record the requests and decisions in the order in which they happened."""
    events = [event for number, one in enumerate(cases) for event in _events(number, one)]
    for at, happens in sorted(events, key=lambda event: event[0]):
        clock.at = at
        with store.begin() as unit:
            happens(unit)


def _events(number: int, one: Case) -> Iterator[Event]:
    run, request = f"r{number}", f"q{number}"

    def asks(unit: SqlUnit) -> None:
        approver = actor(unit, one.approver)
        unit.add_run(new_run(run, workflow=one.workflow))
        unit.append(started(run, workflow=one.workflow, actor=actor(unit, one.requester)))
        unit.append(requested(run, request=request, people=(approver.ref,)))

    def decides(unit: SqlUnit) -> None:
        kind = "granted" if one.approves else "denied"
        unit.append(verdict(kind, run, request=request, by=actor(unit, one.approver)))
        unit.append(finished(run, outcome="done" if one.approves else "denied"))

    yield one.raised_at, asks
    yield one.raised_at + one.took, decides


def actor(unit: SqlUnit, name: str) -> Actor:
    return user(unit.ref(person(name), name))

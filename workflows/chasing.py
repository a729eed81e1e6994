"""Reminding those who have to settle an exception or a doubt, for as long as it stands.

The owner first, then the deputy too, at last the governors, and all of them each day. A
reminder is an entry and a message of its own; it wakes no segment and moves nothing.

A doubt may settle itself, so nobody is reminded of one while its run is about to be looked at.
Where the clock was set back, moments of before lie ahead of it, and what counts is how long ago
the newest reminder was.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from workflows.definition import Definition
from workflows.entry import INTERLOCK, Draft, Entry, Json, RunId
from workflows.errors import InterlockError, StorageError
from workflows.house import House
from workflows.policy import Policy
from workflows.recorder import record
from workflows.replay import replay
from workflows.store import Due, Unit
from workflows.trouble import Trouble, troubles

REMINDED = "exception.reminded"
DAILY = timedelta(days=1)


def chase(house: House, due: Due) -> None:
    """Remind people of what stands in this run and is due, and store when to look again.

    Before its moment has come, it only finds that moment anew, as by a clock that was set back.

    Raises:
        UnknownRunError: there is no such run.
    """
    names = _Names(house, due.run)
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if not unit.take_due(due):
            return
        is_early = due.at > unit.now
        later = names.after_quiet(unit.now)
        if later > unit.now and not is_early:
            unit.set_due(replace(due, at=later))
            return
        entries = unit.entries(due.run)
        standing = troubles(replay(due.run, entries), entries)
        if not is_early and any(one.is_doubt for one in standing) and unit.is_looked_at(due.run):
            unit.set_due(replace(due, at=unit.now))  # The probe has its turn before that.
            return
        moments = [_chase_one(unit, one, entries, names, is_early=is_early) for one in standing]
        if moments:
            unit.set_due(replace(due, at=min(moments)))


class _Names:
    """Whom to remind, read before the transaction."""

    def __init__(self, house: House, run: RunId) -> None:
        self._policy = house.policy()
        self._definition = _definition(house, run)

    @property
    def waits(self) -> Sequence[timedelta]:
        return self._policy.chase

    def after_quiet(self, moment: datetime) -> datetime:
        return self._policy.after_quiet(moment)

    def of(self, number: int) -> tuple[str, ...]:
        return asked(number, self._policy, self._definition)


def _definition(house: House, run: RunId) -> Definition | None:
    row = house.store.run(run)
    try:
        return house.definitions.version(row.version)
    except StorageError:
        raise
    except InterlockError:
        return None  # Its owner is not known any more; the governors are.


def _chase_one(
    unit: Unit, one: Trouble, entries: Sequence[Entry], names: _Names, *, is_early: bool
) -> datetime:
    """Remind people of `one` if that is due; return when the next reminder is."""
    told = [entry for entry in entries if _is_reminder(entry, one.step, one.rseq)]
    newest = told[-1].at if told else one.since
    if not one.since <= newest <= unit.now:
        return _chase_in_turn(unit, one, told, names, is_early=is_early)
    number = passed(unit.now - one.since, names.waits)
    is_told = bool(told) and newest >= one.since + wait_of(number, names.waits)
    if number and not is_told:
        _remind(unit, one, names.of(number), told)
    return one.since + wait_of(number + 1, names.waits)


def _chase_in_turn(
    unit: Unit, one: Trouble, told: Sequence[Entry], names: _Names, *, is_early: bool
) -> datetime:
    """Remind people of `one` where moments are out of order: each some time after the one before.

    Of a reminder that lies ahead nobody can say how long ago it was, so the time runs from now.
    """
    number = len(told) + 1
    wait = wait_of(number, names.waits) - wait_of(number - 1, names.waits)
    if told and told[-1].at <= unit.now:
        at = told[-1].at + wait
    else:
        at = unit.now + (wait if is_early else timedelta())
    if at > unit.now:
        return at
    _remind(unit, one, names.of(number), told)
    return unit.now + wait_of(number + 1, names.waits) - wait_of(number, names.waits)


def _remind(unit: Unit, one: Trouble, to: Sequence[str], told: Sequence[Entry]) -> None:
    if not to:
        return
    data: dict[str, Json] = {"step": one.step, "to": list(to), "n": len(told) + 1}
    record(unit, Draft(kind=REMINDED, actor=INTERLOCK, data=data, run=one.run))
    unit.send(one.card)  # Whoever is asked finds its buttons, and who is asked by now.


def asked_by_now(
    step: str, entries: Sequence[Entry], definition: Definition | None, *, since: int
) -> tuple[str, ...]:
    """Return who is asked about a step that stands since entry `since`.

    These are owner and deputy, and the governors once they were reminded.
    """
    names = dict.fromkeys(() if definition is None else (definition.owner, definition.deputy))
    for entry in entries:
        to = entry.data.get("to")
        if _is_reminder(entry, step, since) and isinstance(to, list):
            names |= dict.fromkeys(str(name) for name in to)
    return tuple(names)


def _is_reminder(entry: Entry, step: str, since: int) -> bool:
    return entry.kind == REMINDED and entry.data["step"] == step and entry.rseq > since


def passed(elapsed: timedelta, waits: Sequence[timedelta]) -> int:
    """Return which reminder is the newest that is due, counted from 1; 0 before the first."""
    if elapsed >= waits[-1]:
        return len(waits) + (elapsed - waits[-1]) // DAILY
    return sum(elapsed >= one for one in waits)


def wait_of(number: int, waits: Sequence[timedelta]) -> timedelta:
    """Return how long after the trouble began reminder `number` is due."""
    if number <= len(waits):
        return waits[number - 1] if number else timedelta()
    return waits[-1] + (number - len(waits)) * DAILY


def asked(number: int, policy: Policy, definition: Definition | None) -> tuple[str, ...]:
    """Return whom reminder `number` is for: the owner, then the deputy too, then the governors."""
    own = () if definition is None else (definition.owner, definition.deputy)
    if definition is None or number >= len(policy.chase):
        return tuple(dict.fromkeys((*own, *policy.governors)))
    return own[:1] if number <= 1 else tuple(dict.fromkeys(own))

"""What time does to an open request: reminders, messages, more who may decide, and its end.

All but the end wait until quiet hours are over; that comes when it comes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows.asked_people import barred_by_rules
from workflows.batching import batch_data, batch_in
from workflows.entry import INTERLOCK, Draft, Entry, Json, Ref, RequestId
from workflows.errors import PeopleUnreadableError
from workflows.gate import MOST_PEOPLE, ApprovalRequest, Outcome, tally
from workflows.house import House
from workflows.nudging import message_to, nudge_the_next
from workflows.people import CLICK_AGE, Person
from workflows.policy_escalation import Escalation
from workflows.recorder import record
from workflows.standing_in import away_message, whom_to_remind
from workflows.store import Due, Message, Subject, Unit

ESCALATED = "approval.escalated"
REMINDED = "approval.reminded"
AGAIN = timedelta(minutes=1)  # When people could not be read.


def expire(house: House, due: Due) -> None:
    """Close the request whose time is over, if it is still open."""
    with house.store.begin() as unit:
        request, row = unit.lock_run_of(RequestId(due.key))
        if not unit.take_due(due) or request.outcome is not Outcome.OPEN:
            return
        now = tally(request, unit.decisions(request.id))
        data: dict[str, Json] = {
            "request": request.id,
            "binding": request.binding,
            "have": now.have,
            "need": now.need,
            **batch_data(request),
        }
        record(unit, Draft(kind="approval.expired", actor=INTERLOCK, data=data, run=row.id))
        house.dispatcher.enqueue(unit, row.id)


def remind(house: House, due: Due) -> None:
    """Remind those who have not decided yet, if the request is still open; set the next time."""
    with house.store.begin() as unit:
        request = _taken(unit, house, due)
        if request is None:
            return
        decisions = unit.decisions(request.id)
        waiting: list[Json] = [str(one) for one in whom_to_remind(unit, request, decisions)]
        about = _entries_about(unit, request)
        number = 1 + sum(one.kind == REMINDED for one in about)
        data: dict[str, Json] = {"request": request.id, "to": waiting, "n": number}
        _prompt(unit, request, REMINDED, data)
        if not waiting:
            unit.send(away_message(request.card))
        moments = [request.raised_at + one for one in _waits(about)]
        early = _early(due, moments[number - 1 : number])
        _set_next(unit, due, (one - early for one in moments))


def nudge(house: House, due: Due) -> None:
    """Write directly to everybody for whom the request waits now, if it is still open."""
    with house.store.begin() as unit:
        request = _taken(unit, house, due)
        if request is None:
            return
        for ref in whom_to_remind(unit, request, unit.decisions(request.id)):
            unit.send(message_to(request, ref))


def escalate(house: House, due: Due) -> None:
    """Let the people decide too to whom the request goes by now; set the next time."""
    asked = house.store.request(RequestId(due.key))
    try:
        newcomers = _newcomers(house, asked) if asked.outcome is Outcome.OPEN else {}
    except PeopleUnreadableError:
        _try_again(house, due)
        return
    with house.store.begin() as unit:
        request = _taken(unit, house, due)
        if request is None:
            return
        done = {one.data["n"] for one in _entries_about(unit, request) if one.kind == ESCALATED}
        moments = {
            number: request.raised_at + one.after
            for number, one in enumerate(request.terms.escalations, start=1)
        }
        early = _early(due, [at for number, at in moments.items() if number not in done])
        now = max(unit.now, due.at) + early
        for number, at in moments.items():
            if number not in done and at <= now:
                _escalate(unit, request, newcomers[number], number=number)
        _set_next(unit, due, (at - early for at in moments.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomers:
    """The people of one escalation, and those who may not decide whoever they are."""

    escalation: Escalation
    people: Sequence[Person]
    acting: frozenset[Ref]  # For somebody who is excluded.


def _newcomers(house: House, request: ApprovalRequest) -> Mapping[int, _Newcomers]:
    """Return the people of each escalation, by its number."""
    barred = barred_by_rules(house.people, request.terms.exclude)
    acting = house.store.acting_for(request.excluded, at=house.now())
    found = {}
    for number, one in enumerate(request.terms.escalations, start=1):
        members = (house.people.members(name, max_age=CLICK_AGE) for name in one.to)
        people = sorted(frozenset().union(*members) - barred.keys())
        found[number] = _Newcomers(
            escalation=one,
            people=[house.people.person(who) for who in people],
            acting=acting,
        )
    return found


def _escalate(unit: Unit, request: ApprovalRequest, new: _Newcomers, *, number: int) -> None:
    """Record whom the escalation adds to which stages, unless it adds nobody."""
    decisions = unit.decisions(request.id)
    given = tally(request, decisions).given
    stages = [one for one in new.escalation.stages if given[one] < request.stages[one].approve]
    spoken = {one for given in decisions for one in (given.approver, given.place)}
    gone = request.excluded | new.acting | spoken
    refs = [unit.ref(one.id, one.name) for one in new.people]
    added = [one for one in refs if one not in gone and _is_new(request, one, stages)]
    if not added:
        return
    data: dict[str, Json] = {
        "request": request.id,
        "to": [str(one) for one in sorted(added)[:MOST_PEOPLE]],
        "n": number,
        "groups": list(new.escalation.to),
        "stages": list(stages),
    }
    _prompt(unit, request, ESCALATED, data)
    nudge_the_next(unit, request)


def _prompt(unit: Unit, request: ApprovalRequest, kind: str, data: Mapping[str, Json]) -> None:
    """Record that people were told something of a request; a batch tells each of them once."""
    told = {**data, **batch_data(request)}
    entry = record(unit, Draft(kind=kind, actor=INTERLOCK, data=told, run=request.run))
    if request.batch is None:
        return
    before = [
        one
        for one in unit.entries(request.run)
        if one.id != entry.id and one.kind == kind and batch_in(one) == request.batch
        if (one.data["n"], one.data.get("groups")) == (data["n"], data.get("groups"))
    ]
    if not before or _told_to(entry) - _told_to(*before):
        unit.send(Message(subject=Subject.STEP, key=entry.id, run=request.run))


def _told_to(*prompts: Entry) -> set[str]:
    told = (one.data["to"] for one in prompts)
    return {str(one) for to in told if isinstance(to, list) for one in to}


def _is_new(request: ApprovalRequest, person: Ref, stages: Sequence[int]) -> bool:
    return any(person not in request.stages[one].everybody for one in stages)


def _taken(unit: Unit, house: House, due: Due) -> ApprovalRequest | None:
    """Return the request that is to be told of now; None if it is not open, or all is quiet."""
    request, _ = unit.lock_run_of(RequestId(due.key))
    if not unit.take_due(due) or request.outcome is not Outcome.OPEN:
        return None
    later = house.policy().after_quiet(unit.now)
    if later <= unit.now:
        return request
    unit.set_due(replace(due, at=later))
    return None


def _try_again(house: House, due: Due) -> None:
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if unit.take_due(due):
            unit.set_due(replace(due, at=unit.now + AGAIN))


def _early(due: Due, coming: Sequence[datetime]) -> timedelta:
    """Return how much before its moment something is due, since the clock was set back."""
    return max(coming[0] - due.at, timedelta(0)) if coming else timedelta(0)


def _set_next(unit: Unit, due: Due, moments: Iterable[datetime]) -> None:
    """Set the next of `moments`; those that passed meanwhile are done with."""
    now = max(unit.now, due.at)
    coming = min((one for one in moments if one > now), default=None)
    if coming is not None:
        unit.set_due(replace(due, at=coming))


def _entries_about(unit: Unit, request: ApprovalRequest) -> list[Entry]:
    entries = unit.entries(request.run)
    return [one for one in entries if one.data.get("request") == request.id]


def _waits(about: Sequence[Entry]) -> Iterator[timedelta]:
    """Yield how long after the request was raised each of its reminders is due."""
    waits = next(one.data.get("remind") for one in about if one.kind == "approval.requested")
    for wait in waits if isinstance(waits, list) else ():
        yield timedelta(seconds=wait if isinstance(wait, int) else 0)

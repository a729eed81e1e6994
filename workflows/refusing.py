"""A decision that was refused leaves an entry: who tried what on which request, and why not.

It stands outside of the run, which may have ended, and changes nothing. Clicks cannot fill the
log: whoever tries the same again within two days leaves no second entry for the same reason.
A wrong one-time code has an entry of its own (`codes`).
"""

import logging
from dataclasses import dataclass

from workflows.entry import Actor, ActorKind, Draft, Json, RequestId
from workflows.errors import GateError, InterlockError, PeopleUnreadableError
from workflows.house import House
from workflows.people import PersonId
from workflows.store import Delivery

REFUSED = "approval.refused"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody tried: `decision` is `approved`, `denied` or `break-glass`."""

    request: RequestId
    person: PersonId
    decision: str
    via: str = "slack"
    slack: Json = None


def note_refused(house: House, attempt: Attempt, refused: GateError) -> None:
    """Record that a decision was refused, unless that is recorded already.

    Whoever tried is told the refusal even if it cannot be recorded: nothing was decided.
    """
    if not refused.why:
        return
    try:
        _note(house, attempt, refused.why)
    except InterlockError:
        log.warning("a refused decision was not recorded", exc_info=True)


def _note(house: House, attempt: Attempt, why: str) -> None:
    run = house.store.request(attempt.request).run
    name = _name(house, attempt.person)
    with house.store.begin() as unit:
        ref = unit.ref(attempt.person, name)
        key = f"{attempt.request}/{ref}/{attempt.decision}/{why}"
        if unit.is_repeat(Delivery(team="", kind=REFUSED, key=key)):
            return
        data: dict[str, Json] = {
            "request": attempt.request,
            "by_run": run,
            "decision": attempt.decision,
            "why": why,
            "via": attempt.via,
            "slack": attempt.slack,
        }
        unit.append(Draft(kind=REFUSED, actor=Actor(kind=ActorKind.USER, ref=ref), data=data))


def _name(house: House, who: PersonId) -> str:
    try:
        return house.people.person(who).name
    except PeopleUnreadableError:
        return ""

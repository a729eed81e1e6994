"""What is done when a moment that was set has come: a request's end, a reminder, a retry."""

import logging
from collections.abc import Callable, Mapping

from workflows import exceptions, prompting, retelling, reviewing
from workflows.chasing import chase
from workflows.errors import UnknownRunError
from workflows.house import House
from workflows.store import Due, DueKind
from workflows.summarising import write_summary

log = logging.getLogger(__name__)

# What is due, and who does it. All else only means that a run is to be looked at.
DOES: Mapping[DueKind, Callable[[House, Due], object]] = {
    DueKind.EXPIRE: prompting.expire,
    DueKind.REMIND: prompting.remind,
    DueKind.ESCALATE: prompting.escalate,
    DueKind.NUDGE: prompting.nudge,
    DueKind.CHASE: chase,
    DueKind.REVIEW: reviewing.remind_of_review,
    DueKind.SUMMARISE: write_summary,
    DueKind.RETELL: retelling.hand_on,
    DueKind.CANCEL: exceptions.cancel_child,
}


def handle_due(house: House, due: Due) -> None:
    """Do what a due-row is for, in the transaction that removes it."""
    try:
        DOES.get(due.kind, _wake)(house, due)
    except UnknownRunError:
        log.warning("a due-row names nothing", extra={"kind": due.kind, "key": due.key})
        with house.store.begin() as unit:
            unit.take_due(due)  # What it names is not begun any more, and it would be due for ever.


def _wake(house: House, due: Due) -> None:
    with house.store.begin() as unit:
        row = unit.lock_run(due.run)
        if unit.take_due(due) and not row.status.is_end:
            house.dispatcher.enqueue(unit, due.run)

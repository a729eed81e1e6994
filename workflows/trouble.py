"""What of a run waits for a person: its exceptions and doubts. Pure: a history in, those out.

An exception is a step that will not succeed by itself, a doubt an effect of which nobody knows
whether it happened. Both stand until owner, deputy or a governor settles them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.entry import Entry, RunId
from workflows.instances import is_undo
from workflows.policy_defaults import SHORTEST_CHASE
from workflows.run import Phase, RunState, StepState
from workflows.store import Due, DueKind, Message, Subject
from workflows.telling import UNVERIFIED, doubt_card, exception_card, is_exception

_ENDS_OF_TRIES = frozenset({"step.observed", "action.failed", "action.in_doubt", *UNVERIFIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that waits for a person; `rseq` is the place of the entry that made it one."""

    run: RunId
    step: str
    error_class: str
    since: datetime
    rseq: int
    card: Message  # The message that asks about it.

    @property
    def is_doubt(self) -> bool:
        """Whether the question is what happened; else it is how the run goes on."""
        return self.card.subject is Subject.DOUBT


def error_class_of(entry: Entry) -> str:
    """Return the short name of what went wrong, from the entry that made it an exception."""
    if entry.kind in UNVERIFIED:
        return entry.kind.replace(".", "_")
    return str(entry.data.get("rule") or entry.data.get("cause") or "unknown_outcome")


def failed_tries(step: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield how the tries of a step ended, those that went well and were of no use included."""
    for one in entries:
        if (
            one.kind in _ENDS_OF_TRIES
            and one.data["step"] == step
            and one.data.get("outcome") != "ok"
        ):
            yield one


def is_trouble(entry: Entry) -> bool:
    """Say whether an entry makes something that waits for a person."""
    return is_exception(entry) or entry.kind == "action.in_doubt"


def first_look(entry: Entry) -> Due | None:
    """Return when to see whether somebody has to be reminded of what `entry` says, if at all."""
    if entry.run is None or not is_trouble(entry):
        return None
    run = RunId(entry.run)
    # Whoever records a trouble needs no policy: this look finds out when the first reminder is due.
    return Due(kind=DueKind.CHASE, key=run, run=run, at=entry.at + SHORTEST_CHASE)


def troubles(state: RunState, entries: Sequence[Entry]) -> tuple[Trouble, ...]:
    """Return what waits for a person in a run, the oldest first; nothing once it has ended.

    Of a run that is being undone, only what keeps it from that does; of one that was cancelled or
    aborted, only what keeps it from its end.
    """
    if state.ended is not None:
        return ()
    found = (_trouble(state, name, entries) for name in state.steps)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.rseq))


def _trouble(state: RunState, name: str, entries: Sequence[Entry]) -> Trouble | None:
    one = state.step(name)
    match one.phase:
        case Phase.EXCEPTION if _goes_on(state, name):
            made = next((entry for entry in entries if entry.id == one.trouble), None)
            card = exception_card(made) if made is not None else None
        case Phase.IN_DOUBT:
            made = next(_doubts(name, one, entries), None)
            card = doubt_card(state.id, one)
        case _:
            return None
    if made is None or card is None:
        return None
    return Trouble(
        run=state.id,
        step=name,
        error_class=error_class_of(made),
        since=made.at,
        rseq=made.rseq,
        card=card,
    )


def _goes_on(state: RunState, name: str) -> bool:
    """Say whether what somebody says about a step that stopped leads anywhere."""
    if not name:
        return True  # What stopped is its end, whichever that is.
    return not state.is_ending and (is_undo(name) or not state.is_undoing)


def _doubts(name: str, state: StepState, entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries that say that the newest attempt is in doubt, the newest first."""
    for entry in reversed(entries):
        is_this_attempt = entry.data.get("attempt") == state.attempt
        if entry.kind == "action.in_doubt" and entry.data["step"] == name and is_this_attempt:
            yield entry

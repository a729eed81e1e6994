"""Counts what has happened since this process began, from the entries of the log.

Every process on a database counts the same events, whoever caused them; so take the largest,
not the sum, of several.
"""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection

from bot.metrics.catalogue import several
from bot.metrics.exposition import Family
from storage.gauges import MOST_EVENTS, Event, read_events

MOST_WORKFLOWS = 100
MOST_PAGES = 20  # Of entries that are looked through for one answer.
OTHERS = "other"

RUNS_STARTED = "interlock_runs_started_total"
RUNS_ENDED = "interlock_runs_ended_total"
APPROVALS = "interlock_approvals_total"
EFFECTS = "interlock_effects_total"
UNDELIVERED = "interlock_messages_undelivered_total"
GLASS = "interlock_break_glass_total"
UNLABELLED = (UNDELIVERED, GLASS)

_APPROVALS = ("granted", "denied", "expired", "withdrawn", "escalated", "reminded")
_EFFECTS = ("executed", "failed", "in_doubt")
COUNTED = (
    "run.started",
    "run.finished",
    "run.cancelled",
    *(f"approval.{one}" for one in _APPROVALS),
    *(f"action.{one}" for one in _EFFECTS),
    "outbox.delivery_failed",
    "break_glass.used",
)


class EventCounts:
    """The counts of one process, from the place `after` of the log on."""

    def __init__(self, *, after: int) -> None:
        self._after = after
        self._workflows: set[str] = set()
        names = (RUNS_STARTED, RUNS_ENDED, APPROVALS, EFFECTS, *UNLABELLED)
        self._counts: dict[str, Counter[tuple[str, ...]]] = {one: Counter() for one in names}
        for name in UNLABELLED:
            self._counts[name][()] = 0  # So that it is there before the first one.

    def take_up(self, connection: Connection, *, size: int) -> None:
        """Count what stands in the log up to `size` and was not counted yet.

        After a long silence that is a part of it: whoever asks is not kept waiting, and the
        next ones have the rest.
        """
        for _ in range(MOST_PAGES):
            if self._after >= size:
                return
            end = min(self._after + MOST_EVENTS, size)
            for event in read_events(connection, COUNTED, places=range(self._after, end)):
                self.count(event)
            self._after = end

    def families(self) -> Iterator[Family]:
        """Yield the counts so far."""
        yield from (several(name, found) for name, found in self._counts.items())

    def count(self, event: Event) -> None:
        """Count what is alike."""
        group, _, what = event.kind.partition(".")
        match group:
            case "run" if what == "started":
                self._counts[RUNS_STARTED][(self._workflow(event),)] += event.count
            case "run":
                outcome = event.outcome if what == "finished" else what
                self._counts[RUNS_ENDED][self._workflow(event), outcome] += event.count
            case "approval":
                self._counts[APPROVALS][(what,)] += event.count
            case "action":
                self._counts[EFFECTS][(what,)] += event.count
            case "outbox":
                self._counts[UNDELIVERED][()] += event.count
            case _:
                self._counts[GLASS][()] += event.count

    def _workflow(self, event: Event) -> str:
        """Return the workflow's name; from the hundredth on, all others are one."""
        if event.workflow in self._workflows or len(self._workflows) < MOST_WORKFLOWS:
            self._workflows.add(event.workflow)
            return event.workflow
        return OTHERS

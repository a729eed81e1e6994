"""Which runs hold locks and places, and which want them: what a unit says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from workflows.entry import RunId

HOUSE = "all"  # The places of the house; a run that another one started needs none of them.
_WORKFLOW = "workflow/"


def place_of(workflow: str) -> str:
    """Return under which name the runs of a workflow that go on at once are counted."""
    return f"{_WORKFLOW}{workflow}"


def line_of_lock(key: str) -> str:
    """Return under which name runs stand in line for a lock; lines for places have others."""
    return f"lock/{key}" if key == HOUSE or key.startswith((_WORKFLOW, "lock/")) else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that has not ended: of which workflow, and the lock it holds or wants."""

    workflow: str
    lock: str | None


class Holders(Protocol):
    """Says how things stand now; nothing is locked."""

    def look_alone(self) -> None:
        """Keep other units that look alone from looking until this one ends."""

    def of_lock(self, key: str) -> RunId | None:
        """Return the run that holds a lock."""

    def of_places(self, key: str) -> Mapping[RunId, int]:
        """Return the runs that hold places, and how many there were for each."""

    def has_place(self, run: RunId) -> bool:
        """Say whether a run holds any place."""

    def is_in_line(self, key: str, run: RunId) -> bool:
        """Say whether a run stands in the line for a place."""

    def before(self, key: str, run: RunId) -> Sequence[RunId]:
        """Return those that stand in the line for a place before a run, and want a lock too."""

    def going(self, run: RunId) -> Going | None:
        """Return what a run wants; None where it has ended, or is not there yet."""

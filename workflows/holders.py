"""Which runs hold locks and places, and which want them: what a unit says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from workflows.entry import RunId


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

    def before(self, key: str, run: RunId) -> Sequence[RunId]:
        """Return those that stand in the line for a place before a run, and want a lock too."""

    def going(self, run: RunId) -> Going | None:
        """Return what a run wants; None where it has ended, or is not there yet."""

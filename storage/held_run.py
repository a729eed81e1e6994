"""The row of a run as a unit holds it: read once, brought up by entries, written back once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.change import read_moment, read_moment_or_none
from storage.run_facts import COLUMNS, RunFacts, facts_after
from workflows.entry import Entry, RunId
from workflows.run import Status
from workflows.store import RunRow

OPERATIONAL = (
    "channel",
    "start_key",
    "lock_key",
    "epoch",
    "ready_at",
    "claimed_at",
    "claimed_by",
    "segments_died",
)
RUN_COLUMNS = (*COLUMNS, *OPERATIONAL)


@dataclass(slots=True)
class HeldRun:
    """A run whose row this unit holds: what stands there, and what will."""

    id: RunId
    facts: RunFacts | None  # None until its first entry is recorded.
    work: dict[str, Any]  # The operational columns.
    stored: dict[str, Any] | None  # The row as last written; None: not yet there.

    @property
    def has_ended(self) -> bool:
        """Whether nothing follows its last entry."""
        return self.facts is not None and self.facts.outcome is not None

    def take_up(self, entry: Entry, *, leaf: bytes) -> None:
        """Bring the row up to an entry just recorded."""
        self.facts = facts_after(self.facts, entry, leaf=leaf)
        if self.has_ended:
            self.work.update(ready_at=None, claimed_at=None, claimed_by=None)

    def columns(self) -> dict[str, Any]:
        """Return the row as it should stand."""
        return {**(self.facts.columns() if self.facts else {}), **self.work}

    def row(self) -> RunRow:
        """Return what the engine needs of it."""
        if self.facts is None:
            raise ValueError(f"Run {self.id} has no entry yet.")
        return RunRow(
            id=self.id,
            workflow=self.facts.workflow,
            version=self.facts.version,
            status=self.facts.status,
            requester=self.facts.requester,
            channel=self.work["channel"],
            epoch=self.work["epoch"],
            is_ready=self.work["ready_at"] is not None,
            lock_key=self.work["lock_key"],
            started_at=self.facts.started_at,
            finished_at=self.facts.finished_at,
            step=self.facts.step,
            rseq=self.facts.tail_rseq,
        )


def read_held(found: Sequence[Any]) -> HeldRun:
    """Return the row that a SELECT of `id` and `RUN_COLUMNS` found."""
    stored = dict(zip(("id", *RUN_COLUMNS), found, strict=True))
    run = RunId(stored.pop("id"))
    stored["started_at"] = read_moment(stored["started_at"])
    for name in ("finished_at", "ready_at", "claimed_at"):
        stored[name] = read_moment_or_none(stored[name])
    stored["status"] = Status(stored["status"])
    stored["tail_leaf"] = bytes(stored["tail_leaf"])
    facts = RunFacts(**{name: stored[name] for name in COLUMNS})
    return HeldRun(run, facts, {name: stored[name] for name in OPERATIONAL}, stored)

"""The projected columns of a run's row, and how an entry moves them. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.entry_builder import Tail
from workflows.changing import changed
from workflows.entry import Entry
from workflows.quick_json import loaded
from workflows.run import Status
from workflows.status import standing_after


@dataclass(frozen=True, kw_only=True)  # Without slots: `changing` copies it often.
class RunFacts:
    """What a run's row says because its entries say so, and nothing else."""

    workflow: str
    version: str
    status: Status
    requester: str
    requester_kind: str
    trigger: str
    source: str | None
    step: str | None
    outcome: str | None
    started_at: datetime
    finished_at: datetime | None
    tail_rseq: int
    tail_leaf: bytes
    standing: str | None = None  # JSON: what stands in each of its branches; None for nothing.

    @property
    def tail(self) -> Tail:
        """The newest entry of the run."""
        return Tail(self.tail_rseq, self.tail_leaf)

    def columns(self) -> dict[str, Any]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}


COLUMNS = tuple(RunFacts.__dataclass_fields__)
# What has to agree with the entries. `standing` only helps to find the status.
TOLD_COLUMNS = tuple(name for name in COLUMNS if name != "standing")


def facts_after(before: RunFacts | None, entry: Entry, *, leaf: bytes) -> RunFacts:
    """Return what the row says once `entry` is recorded; `before` is None for the first.

    Raises:
        ValueError: a run that begins with another kind, or begins twice.
    """
    if (before is None) != (entry.kind == "run.started"):
        raise ValueError(f"{entry.kind} cannot be entry {entry.rseq} of a run.")
    if before is None:
        return _first(entry, leaf)
    stood = loaded(before.standing) if before.standing else {}
    status, standing = standing_after(entry.kind, entry.data, before.status, stood)
    has_ended = status.is_end
    return changed(
        before,
        version=str(entry.data["to"]) if entry.kind == "run.moved" else before.version,
        status=status,
        step=_step(entry.data) or before.step,
        outcome=status.value if has_ended else None,
        finished_at=entry.at if has_ended else None,
        tail_rseq=entry.rseq,
        tail_leaf=leaf,
        standing=json.dumps(standing, sort_keys=True) if standing else None,
    )


def _first(entry: Entry, leaf: bytes) -> RunFacts:
    source = entry.data.get("source")
    return RunFacts(
        workflow=str(entry.data["workflow"]),
        version=str(entry.data["version"]),
        status=Status.READY,
        requester=entry.actor.ref,
        requester_kind=entry.actor.kind.value,
        trigger=str(entry.data["trigger"]),
        source=source if isinstance(source, str) else None,
        step=None,
        outcome=None,
        started_at=entry.at,
        finished_at=None,
        tail_rseq=entry.rseq,
        tail_leaf=leaf,
    )


def _step(data: Mapping[str, Any]) -> str | None:
    step = data.get("step")
    return step if isinstance(step, str) else None

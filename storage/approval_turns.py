"""Since when somebody could decide: the turns before theirs were over, and they had been let in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, select

from storage.audit_models import AuditEntryRow
from storage.entry_bytes import read_stamp
from storage.run_models import DecisionRecord, EscalationRecord, RequestRecord
from workflows.turns import turns_in

_LetIn: TypeAlias = Mapping[tuple[str, int, str], datetime]  # Request, stage and person.


class _Staged(NamedTuple):
    """A request with several stages: which are decided together, and when each was."""

    turns: list[tuple[int, ...]]
    decided: list[tuple[int, datetime]]

    def opened(self, stage: int, *, by: datetime) -> datetime | None:
        first = next(turn[0] for turn in self.turns if stage in turn)
        before = (at for other, at in self.decided if other < first and at <= by)
        return max(before, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What the decisions of a period waited for beside the card."""

    staged: Mapping[str, _Staged]
    let_in: _LetIn

    def since(self, request: str, stage: int, *, who: str, by: datetime) -> datetime | None:
        """Return since when `who` could decide at this stage, as far as it was later than others.

        None where nothing but the card was waited for.
        """
        several = self.staged.get(request)
        opened = several.opened(stage, by=by) if several is not None else None
        moments = (opened, self.let_in.get((request, stage, who)))
        return max((one for one in moments if one is not None), default=None)


def read_turns(connection: Connection, *, since: datetime, until: datetime) -> Turns:
    """Return what the decisions between these moments waited for."""
    decided = select(DecisionRecord.request_id).where(
        DecisionRecord.decided_at >= since, DecisionRecord.decided_at < until
    )
    return Turns(
        staged=_staged(connection, decided.where(DecisionRecord.stage > 0)),
        let_in=_let_in(connection, decided),
    )


def _staged(connection: Connection, requests: Select[str]) -> dict[str, _Staged]:
    query = (
        select(
            DecisionRecord.request_id,
            DecisionRecord.stage,
            DecisionRecord.decided_at,
            RequestRecord.stages,
        )
        .join(RequestRecord, RequestRecord.id == DecisionRecord.request_id)
        .where(DecisionRecord.request_id.in_(requests))
        .order_by(DecisionRecord.request_id, DecisionRecord.seq)
    )
    found: dict[str, _Staged] = {}
    for row in connection.execute(query):
        if row.request_id not in found:
            turns = turns_in([one.get("turn") for one in json.loads(row.stages)])
            found[row.request_id] = _Staged(turns, [])
        found[row.request_id].decided.append((row.stage, row.decided_at))
    return found


def _let_in(connection: Connection, requests: Select[str]) -> _LetIn:
    """Return when escalations let whom in; the first of several counts."""
    one = EscalationRecord
    query = (
        select(one.request_id, one.people, one.stages, AuditEntryRow.ts)
        .join(AuditEntryRow, AuditEntryRow.uid == one.entry_id)
        .where(one.request_id.in_(requests))
        .order_by(one.request_id, one.n)
    )
    found: dict[tuple[str, int, str], datetime] = {}
    for row in connection.execute(query):
        for stage in json.loads(row.stages):
            for who in json.loads(row.people):
                found.setdefault((row.request_id, stage, who), read_stamp(row.ts))
    return found

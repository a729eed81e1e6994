"""How many payloads went in a stretch of the log, and how many holds are in force."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow, AuditHoldRow

MARKERS = ("erasure", "retention.sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Payloads that were swept, those that were erased one by one, and holds in force now."""

    swept: int
    erased: int
    holds: int


def read_removed(connection: Connection, places: range) -> Removed:
    """Return what the entries at `places` say is gone."""
    wanted = select(AuditEntryRow.kind, AuditEntryRow.line).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind.in_(MARKERS),
        AuditEntryRow.idx >= places.start,
        AuditEntryRow.idx < places.stop,
    )
    swept = erased = 0
    for kind, line in connection.execute(wanted.order_by(AuditEntryRow.idx)):
        data = json.loads(line)["data"]
        if kind == "erasure":
            erased += len(data["items"])
        else:
            swept += data["n"]
    in_force = select(func.count()).where(AuditHoldRow.lifted_at.is_(None))
    holds = connection.execute(in_force).scalar_one()
    return Removed(swept=swept, erased=erased, holds=holds)

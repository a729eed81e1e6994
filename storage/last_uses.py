"""When each person did each kind of thing last, by the trail. It reads the whole log once."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow, AuditSubjectRow
from storage.entry_bytes import read_stamp
from workflows.entry import PERSON


def last_uses(connection: Connection) -> Mapping[str, Mapping[str, datetime]]:
    """Return when each person did each kind of thing last; those who were erased are left out."""
    row, subject = AuditEntryRow, AuditSubjectRow
    query = (
        select(subject.external_id, row.kind, func.max(row.ts).label("at"))
        .join(subject, subject.ref == row.actor_ref)
        .where(row.actor_ref.startswith(PERSON))
        .group_by(subject.external_id, row.kind)
        .order_by(subject.external_id, row.kind)
    )
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    for one in connection.execute(query):
        found[one.external_id][str(one.kind)] = read_stamp(one.at)
    return found

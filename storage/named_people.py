"""Whom a name means among the people of this log: by their id, their name, or a mention."""

from collections.abc import Collection

from sqlalchemy import func, or_, select

from storage.audit_models import AuditSubjectRow
from storage.transaction import Database
from workflows.entry import Ref

MOST_NAMES = 2_000


def refs_named(database: Database, name: str) -> frozenset[Ref]:
    """Return the pseudonyms of everybody called `name`, whole or as the last part of their id."""
    row, wanted = AuditSubjectRow, name.casefold()
    query = select(row.ref).where(
        or_(
            row.external_id == name,
            func.lower(row.display) == wanted,
            row.external_id.endswith(f":{name}", autoescape=True),
        )
    )
    with database.read() as connection:
        return frozenset(Ref(ref) for ref in connection.execute(query).scalars())


def names_here(database: Database) -> Collection[str]:
    """Return the names of people in this log, of a few thousand at most."""
    row = AuditSubjectRow
    query = select(row.display).where(row.display.is_not(None)).order_by(row.ref)
    with database.read() as connection:
        found = connection.execute(query.limit(MOST_NAMES)).scalars()
        return sorted({one.casefold() for one in found if one})

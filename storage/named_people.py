"""Whom a name means among the people of this log: by their id, their name, or a mention."""

import unicodedata
from collections.abc import Collection

from sqlalchemy import func, or_, select

from storage.audit_models import AuditSubjectRow
from storage.transaction import Database
from workflows.entry import Ref

MOST_NAMES = 2_000


def refs_named(database: Database, name: str) -> frozenset[Ref]:
    """Return the pseudonyms of everybody called `name`, whole or as the last part of their id."""
    row = AuditSubjectRow
    query = select(row.ref).where(
        or_(
            row.external_id == name,
            func.lower(row.display) == name.casefold(),
            row.external_id.endswith(f":{name}", autoescape=True),
        )
    )
    with database.read() as connection:
        found = frozenset(Ref(ref) for ref in connection.execute(query).scalars())
    return found if name.isascii() else found | _called(database, name)


def _called(database: Database, name: str) -> frozenset[Ref]:
    """Return whose name it is, letter case aside: SQLite knows that of the letters a to z alone."""
    row, wanted = AuditSubjectRow, _plain(name)
    query = select(row.ref, row.display).where(row.display.is_not(None))
    with database.read() as connection:
        named = connection.execute(query).all()
    return frozenset(Ref(ref) for ref, display in named if _plain(display or "") == wanted)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def names_here(database: Database) -> Collection[str]:
    """Return the names of people in this log, of a few thousand at most."""
    row = AuditSubjectRow
    query = select(row.display).where(row.display.is_not(None)).order_by(row.ref)
    with database.read() as connection:
        found = connection.execute(query.limit(MOST_NAMES)).scalars()
        return sorted({one.casefold() for one in found if one})

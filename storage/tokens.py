"""Tokens as stored: found by the digest of what was shown once, listed, marked as used.

Making and ending one is an entry (`token.created`, `token.revoked`), from which the row follows.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from storage.access_models import ApiTokenRecord
from storage.audit_models import AuditSubjectRow
from storage.change import RowSql
from storage.transaction import Database
from workflows.entry import Ref
from workflows.people import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token without its secret. `owner` is None once that person was erased."""

    name: str
    ref: Ref
    owner: PersonId | None
    owner_name: str
    workflows: tuple[str, ...]  # Empty: every workflow that the owner may run.
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Say whether it opens anything at `now`, as far as it itself goes."""
        return self.owner is not None and self.revoked_at is None and now < self.expires_at


def token_of(database: Database, digest: str) -> StoredToken | None:
    """Return the token with that digest, live or not."""
    return _first(database, _tokens().where(ApiTokenRecord.digest == digest))


def token_named(database: Database, name: str) -> StoredToken | None:
    """Return the token of that name, live or not."""
    return _first(database, _tokens().where(ApiTokenRecord.name == name))


def list_tokens(database: Database) -> list[StoredToken]:
    """Return every token that was ever made, in order of their names."""
    with database.read() as connection:
        return [_token(row) for row in connection.execute(_tokens().order_by(ApiTokenRecord.name))]


def note_use(database: Database, name: str, *, at: datetime) -> None:
    """Remember that a token was used at `at`."""
    with database.begin() as tx:
        RowSql(tx).run("UPDATE api_token SET last_used_at = ? WHERE name = ?", at, name)


def _tokens() -> Select[Any]:
    return select(
        *ApiTokenRecord.__table__.columns, AuditSubjectRow.external_id, AuditSubjectRow.display
    ).outerjoin(AuditSubjectRow, AuditSubjectRow.ref == ApiTokenRecord.owner)


def _first(database: Database, query: Select[Any]) -> StoredToken | None:
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else _token(row)


def _token(row: Row[Any]) -> StoredToken:
    return StoredToken(
        name=row.name,
        ref=Ref(row.owner),
        owner=None if row.external_id is None else PersonId(row.external_id),
        owner_name=row.display or "",
        workflows=tuple(json.loads(row.workflows)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )

"""Say on SQLite in other words which entries are counted by time, so that inserts cost less.

With `IN (...)` of five values as the condition of an index, SQLite makes a small table of these
values for every entry, a seventh of what it does to insert one. Postgres does not, and takes both
wordings for the same. The release before finds what it counts without the index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NAME = "ix_audit_entry_counted"
COUNTED = sa.text(
    "(kind = 'action.in_doubt' OR kind = 'approval.reminded' OR kind = 'decision.made'"
    " OR kind = 'verification.failed' OR kind = 'verification.unknown')"
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index(NAME, "audit_entry")
    op.create_index(NAME, "audit_entry", ["kind", "ts"], sqlite_where=COUNTED)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

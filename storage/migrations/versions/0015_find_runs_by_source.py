"""Find the runs that were started from a message."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0009"
branch_labels = None
depends_on = None

HAS_SOURCE = sa.text("source IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_run_source",
        "run",
        ["source"],
        sqlite_where=HAS_SOURCE,
        postgresql_where=HAS_SOURCE,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

"""Index how runs ended by workflow and time: lists count it without reading a run."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

HAS_ENDED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_run_went",
        "run",
        ["workflow", "outcome", "finished_at"],
        sqlite_where=HAS_ENDED,
        postgresql_where=HAS_ENDED,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

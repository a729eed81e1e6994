"""Index what goes on by workflow, version and requester: lists count it without reading a run."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

GOES_ON = sa.text("finished_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_run_version_going",
        "run",
        ["workflow", "version", "requester", "finished_at"],
        sqlite_where=GOES_ON,
        postgresql_where=GOES_ON,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

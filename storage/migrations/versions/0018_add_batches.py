"""Say which requests are put to people together, on one card."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

IN_A_BATCH = sa.text("batch IS NOT NULL")


def upgrade() -> None:
    op.add_column("approval_request", sa.Column("batch", sa.Text(), nullable=True))
    op.create_index(
        "ix_approval_request_batch",
        "approval_request",
        ["batch"],
        sqlite_where=IN_A_BATCH,
        postgresql_where=IN_A_BATCH,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

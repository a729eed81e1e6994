"""Add when a person turned the pages of their Home, to tell the later of two turns."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("home_reader", sa.Column("pages_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

"""Add the turns of witnesses: when each is asked next, and since when one fails."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "anchor_turn",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_since", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_anchor_turn"),
        sa.CheckConstraint(
            "(failures = 0) = (failed_since IS NULL)",
            name="ck_anchor_turn_failures_have_a_beginning",
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

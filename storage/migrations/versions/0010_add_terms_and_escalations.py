"""Add the terms of requests beside their stages, and the people whom escalations added."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The previous release writes rows without it; its requests have no such terms.
    op.add_column("approval_request", sa.Column("terms", sa.Text(), nullable=True))
    op.create_table(
        "escalation",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("stages", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "n", name="pk_escalation"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["approval_request.id"],
            name="fk_escalation_request_id_approval_request",
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

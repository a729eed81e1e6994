"""Add the sealed tokens of Workflow Builder steps; find runs by what they were asked for from."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

HAS_SOURCE = sa.text("source IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "step_token",
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("execution", name="pk_step_token"),
    )
    op.create_index(
        "ix_run_source",
        "run",
        ["source"],
        sqlite_where=HAS_SOURCE,
        postgresql_where=HAS_SOURCE,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

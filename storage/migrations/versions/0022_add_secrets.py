"""Add the secrets that are kept here, sealed, and the sealing key before the one in force."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=True),
        sa.Column("forgotten_at", MOMENT, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
    op.create_table(
        "secret_use",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret_use"),
    )
    op.add_column("sealing_key", sa.Column("previous", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

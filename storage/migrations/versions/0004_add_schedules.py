"""Add the schedules that people set, pause and delete."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(64)
IS_LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("entry_id", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("cron", sa.Text()),
        sa.Column("at", MOMENT),
        sa.Column("is_once", sa.Boolean()),
        sa.Column("timezone", sa.Text()),
        sa.Column("missed", WORD),
        sa.Column("overlap", WORD),
        sa.Column("channel", sa.Text()),
        sa.Column("set_by", sa.Text()),
        sa.Column("set_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('active', 'paused'))", name="ck_schedule_ends_once"
        ),
        sa.CheckConstraint("cron IS NULL OR at IS NULL", name="ck_schedule_fires_in_one_way"),
        sa.CheckConstraint(
            "(entry_id IS NULL) = (cron IS NULL AND at IS NULL)", name="ck_schedule_was_set"
        ),
    )
    op.create_index(
        "ix_schedule_live", "schedule", ["id"], sqlite_where=IS_LIVE, postgresql_where=IS_LIVE
    )

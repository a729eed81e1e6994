"""Add questions, waits, places, and what stands in the branches of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # The previous release writes rows without it; its runs have one branch.
    op.add_column("run", sa.Column("standing", sa.Text(), nullable=True))
    op.create_table(
        "question",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_question_run_id_run"),
    )
    op.create_index("ix_question_run_id", "question", ["run_id", "asked_at"])
    op.create_table(
        "timer",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("child", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_timer"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_timer_run_id_run"),
    )
    op.create_table(
        "run_place",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "run_id", name="pk_run_place"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_place_run_id_run"),
    )
    op.create_index("ix_run_place_run_id", "run_place", ["run_id"])
    op.create_index("ix_lock_queue_run_id", "lock_queue", ["run_id"])


def downgrade() -> None:
    op.drop_index("ix_lock_queue_run_id", "lock_queue")
    op.drop_table("run_place")
    op.drop_table("timer")
    op.drop_table("question")
    op.drop_column("run", "standing")

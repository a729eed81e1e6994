"""Add what is taken of budgets, the uses of the glass, and an index for denials."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_budgets()
    _create_glass()
    denied = sa.text("outcome = 'denied'")
    op.create_index(
        "ix_approval_request_denied_settled_at",
        "approval_request",
        ["settled_at"],
        sqlite_where=denied,
        postgresql_where=denied,
    )


def _create_budgets() -> None:
    op.create_table(
        "budget_use",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("given_back_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("entry_id", "budget", name="pk_budget_use"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_budget_use_run_id_run"),
        sa.CheckConstraint("amount > 0", name="ck_budget_use_takes_something"),
    )
    taken = sa.text("given_back_at IS NULL")
    op.create_index(
        "ix_budget_use_taken",
        "budget_use",
        ["budget", "key", "taken_at"],
        sqlite_where=taken,
        postgresql_where=taken,
    )
    op.create_index("ix_budget_use_run_id", "budget_use", ["run_id", "step", "attempt"])
    op.create_table(
        "budget_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("k", sa.LargeBinary(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_budget_key"),
        sa.UniqueConstraint("budget", "value", name="uq_budget_key_budget_value"),
    )


def _create_glass() -> None:
    op.create_table(
        "glass_use",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.Column("review_by", MOMENT, nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("reviewers", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("review_entry", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_glass_use"),
        sa.UniqueConstraint("request_id", name="uq_glass_use_request_id"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["approval_request.id"],
            name="fk_glass_use_request_id_approval_request",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_glass_use_run_id_run"),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (verdict IS NULL)",
            name="ck_glass_use_reviewed_with_a_verdict",
        ),
    )
    unreviewed = sa.text("reviewed_at IS NULL")
    op.create_index(
        "ix_glass_use_unreviewed",
        "glass_use",
        ["review_by"],
        sqlite_where=unreviewed,
        postgresql_where=unreviewed,
    )
    op.create_index("ix_glass_use_run_id", "glass_use", ["run_id"])


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

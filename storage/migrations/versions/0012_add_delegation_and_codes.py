"""Remember who is away and who stands in, in whose place a decision was given, and codes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NOT_ENDED = sa.text("ended_at IS NULL")
IS_CONFIRMED = sa.text("confirmed_at IS NOT NULL AND ended_at IS NULL")
IS_PENDING = sa.text("confirmed_at IS NULL AND ended_at IS NULL")
IN_ANOTHERS_PLACE = sa.text("stands_for IS NOT NULL")


def upgrade() -> None:
    _add_delegations()
    _add_codes()


def _add_delegations() -> None:
    op.create_table(
        "delegation",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("stand_in", sa.Text(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_delegation"),
        sa.CheckConstraint(
            "stand_in IS NULL OR stand_in <> giver", name="ck_delegation_never_oneself"
        ),
    )
    op.create_index(
        "uq_delegation_giver",
        "delegation",
        ["giver"],
        unique=True,
        sqlite_where=NOT_ENDED,
        postgresql_where=NOT_ENDED,
    )
    op.create_index(
        "ix_delegation_stand_in",
        "delegation",
        ["stand_in"],
        sqlite_where=NOT_ENDED,
        postgresql_where=NOT_ENDED,
    )
    op.create_index("ix_delegation_giver_stand_in", "delegation", ["giver", "stand_in"])
    op.add_column("decision", sa.Column("stands_for", sa.Text(), nullable=True))
    op.create_index(
        "uq_decision_stands_for",
        "decision",
        ["request_id", "stands_for", "verdict"],
        unique=True,
        sqlite_where=IN_ANOTHERS_PLACE,
        postgresql_where=IN_ANOTHERS_PLACE,
    )


def _add_codes() -> None:
    op.create_table(
        "step_up",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("enrolled_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_how", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_step_up"),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> person", name="ck_step_up_by_another"
        ),
    )
    for name, where in (("confirmed", IS_CONFIRMED), ("pending", IS_PENDING)):
        op.create_index(
            f"uq_step_up_{name}",
            "step_up",
            ["person"],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "step_up_guard",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.Text(), nullable=False),
        sa.Column("locked_until", MOMENT, nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("offer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("offered_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("person", name="pk_step_up_guard"),
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

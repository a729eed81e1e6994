"""Remember who is away and who stands in for them, and in whose place a decision was given."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NOT_ENDED = sa.text("ended_at IS NULL")
IN_ANOTHERS_PLACE = sa.text("stands_for IS NOT NULL")


def upgrade() -> None:
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


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

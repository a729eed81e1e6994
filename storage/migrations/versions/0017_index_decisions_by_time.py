"""Find decisions, reminders and troubles of a period without reading all there are."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COUNTED = sa.text(
    "kind IN ('action.in_doubt', 'approval.reminded', 'decision.made',"
    " 'verification.failed', 'verification.unknown')"
)


def upgrade() -> None:
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"])
    op.create_index(
        "ix_audit_entry_counted",
        "audit_entry",
        ["kind", "ts"],
        sqlite_where=COUNTED,
        postgresql_where=COUNTED,
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

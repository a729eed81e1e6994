"""Remind people of the exceptions and doubts that stood before there were reminders."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Look at each such run soon; the look itself finds out when its next reminder is due."""
    op.execute(
        sa.text(
            "INSERT INTO due (kind, key, run_id, at)"
            " SELECT 'chase', id, id, started_at FROM run WHERE status IN ('exception', 'in_doubt')"
            " ON CONFLICT (kind, key) DO NOTHING"
        )
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

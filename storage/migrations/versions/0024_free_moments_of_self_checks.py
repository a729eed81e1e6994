"""Free the moments that self-verifications took beside those of schedules: no entry tells of them.

Every row of `schedule_firing` follows from an entry, and a verification compares them.
"""

from alembic import op

revision = "0024"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM schedule_firing WHERE schedule LIKE 'self-check-%/begun'")


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

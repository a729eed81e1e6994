"""Add when a digest is mailed next, and free moments that no entry tells of.

Those that are there already were mailed by whoever wanted that, so they stay unmarked.
Self-verifications took their moments beside those of schedules; every row of `schedule_firing`
follows from an entry, and a verification compares them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("digest", sa.Column("mail_due", sa.DateTime(timezone=True), nullable=True))
    op.execute("DELETE FROM schedule_firing WHERE schedule LIKE 'self-check-%/begun'")


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

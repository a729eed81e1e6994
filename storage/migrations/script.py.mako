"""${message}.

Rules for every migration here:
- Plain SQL types only; nothing is imported from the product, whose models move on.
- It works with the previous release's code: add, then fill, then remove in a later release.
- Constraints carry names; a CHECK without one is lost when SQLite copies a table.
- `audit_entry` is never copied, its lines are never touched.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}

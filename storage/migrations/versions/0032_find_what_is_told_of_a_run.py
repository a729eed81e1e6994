"""Find by its run what the log tells of it outside: refused decisions, wrong codes, reviews.

The timeline of a run looks for these at a click. Without an index over what their lines name, it
read every one there is. The release before inserts as before, and finds them without it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

NAME = "ix_audit_entry_about"
TOLD = sa.text(
    "run_id IS NULL AND"
    " (kind = 'approval.refused' OR kind = 'break_glass.reviewed' OR kind = 'step_up.refused')"
)
NAMED = {
    "sqlite": "coalesce(json_extract(line, '$.data.by_run'), json_extract(line, '$.data.request'))",
    "postgresql": (
        "coalesce((line::jsonb -> 'data') ->> 'by_run', (line::jsonb -> 'data') ->> 'request')"
    ),
}


def upgrade() -> None:
    named = sa.text(NAMED[op.get_bind().dialect.name])
    op.create_index(NAME, "audit_entry", [named], sqlite_where=TOLD, postgresql_where=TOLD)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

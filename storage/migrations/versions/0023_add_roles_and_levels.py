"""Add who has which role by the policy, and how far each version of a workflow is trusted.

Levels are told by the entries there are. Roles are recorded when a policy takes effect next.
"""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "role_binding",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("bound_to", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("role", "bound_to", "scope", name="pk_role_binding"),
    )
    op.create_table(
        "version_level",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_version_level"),
    )
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Write the level of each version as the newest activation of it said."""
    lines = connection.execute(
        sa.text("SELECT line FROM audit_entry WHERE kind = 'workflow.activated' ORDER BY seq")
    )
    found = {}
    for line in lines.scalars():
        entry = json.loads(line)
        found[entry["data"]["version"]] = entry
    table = sa.table(
        "version_level",
        *(sa.column(name, sa.Text()) for name in ("version", "workflow", "level")),
        sa.column("changed_at", MOMENT),
    )
    for version, entry in found.items():
        at = datetime.fromisoformat(entry["ts"]).astimezone(UTC)
        data = entry["data"]
        connection.execute(
            table.insert().values(
                version=version, workflow=data["workflow"], level=data["level"], changed_at=at
            )
        )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

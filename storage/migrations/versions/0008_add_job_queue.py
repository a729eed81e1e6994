"""Add the job queue that hands runs to workers, on Postgres alone, and the schema's floor.

On SQLite one process continues the runs, and its queue needs no tables.
"""

import sqlalchemy as sa
from alembic import op

from storage.dispatch.jobs_schema import bring_up

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("schema_floor", sa.Column("revision", sa.Text(), primary_key=True))
    if op.get_bind().dialect.name == "postgresql":
        bring_up(op.get_bind())

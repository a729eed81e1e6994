"""Refuse entries of a writer key that was ended, and remember where a log moved to.

On SQLite one process writes, and it looks at its own key; on Postgres many do, so the database
itself looks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Each statement of the function sees what was committed before it began. Whoever ends a key
# holds its lock alone, so an entry stands before that end or is refused. Entries that come with
# their place are those of a log that moves in.
WRITER_COUNTS = [
    """
    CREATE FUNCTION audit_writer_counts() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
      writer text := NEW.line::jsonb ->> 'key';
    BEGIN
      IF writer !~ '^[0-9a-f]{16}$' THEN
        RAISE EXCEPTION 'an audit entry names the key that signed it';
      END IF;
      PERFORM pg_advisory_xact_lock_shared(('x' || writer)::bit(64)::bigint);
      IF EXISTS (
        SELECT 1 FROM audit_entry
        WHERE run_id IS NULL AND kind IN ('key.retire', 'key.revoke')
          AND (line::jsonb -> 'data') ->> 'id' = writer
      ) THEN
        RAISE EXCEPTION 'the writer key % was ended', writer USING ERRCODE = 'IL001';
      END IF;
      RETURN NEW;
    END
    $body$
    """,
    """
    CREATE TRIGGER audit_entry_writer_counts BEFORE INSERT ON audit_entry
    FOR EACH ROW WHEN (NEW.idx IS NULL) EXECUTE FUNCTION audit_writer_counts()
    """,
]


def upgrade() -> None:
    op.create_table(
        "moved_log",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moved_log"),
        sa.CheckConstraint("id = 1", name="ck_moved_log_one_row"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in WRITER_COUNTS:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

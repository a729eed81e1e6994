"""Believe on Postgres only ends of writer keys that have their place in the log.

Whoever ends a key gives the entry its place in the same transaction. What waits for a place may
be a stranger's, signed by nobody: then it is not the key that ended, and no head is signed over
it. The function is replaced where it stands, which locks no table; both releases insert as before.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WRITER_COUNTS = """
    CREATE OR REPLACE FUNCTION audit_writer_counts() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
      writer text := NEW.line::jsonb ->> 'key';
    BEGIN
      IF writer !~ '^[0-9a-f]{16}$' THEN
        RAISE EXCEPTION 'an audit entry names the key that signed it';
      END IF;
      PERFORM pg_advisory_xact_lock_shared(('x' || writer)::bit(64)::bigint);
      IF EXISTS (
        SELECT 1 FROM audit_entry
        WHERE run_id IS NULL AND kind IN ('key.retire', 'key.revoke') AND idx IS NOT NULL
          AND (line::jsonb -> 'data') ->> 'id' = writer
      ) THEN
        RAISE EXCEPTION 'the writer key % was ended', writer USING ERRCODE = 'IL001';
      END IF;
      RETURN NEW;
    END
    $body$
    """


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(WRITER_COUNTS)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

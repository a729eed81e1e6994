"""Check on Postgres that an entry only receives its place once it has it, not before.

With a trigger before an update the server computes every generated column again, parsing the
line for each of seven; behind it, it knows that the line is what it was. The same is refused.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

PLACES = [
    "DROP TRIGGER audit_entry_only_place ON audit_entry",
    """
    CREATE TRIGGER audit_entry_only_place AFTER UPDATE ON audit_entry
    FOR EACH ROW WHEN (
      OLD.idx IS NOT NULL OR NEW.idx IS NULL OR NEW.seq IS DISTINCT FROM OLD.seq
      OR NEW.line IS DISTINCT FROM OLD.line OR NEW.leaf IS DISTINCT FROM OLD.leaf
    )
    EXECUTE FUNCTION audit_entry_is_final()
    """,
    """
    CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_final()
    """,
]


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in PLACES:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

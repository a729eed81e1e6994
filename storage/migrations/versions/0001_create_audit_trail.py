"""Create the audit trail: entries, parts, subjects, tree, checkpoints, anchors and holds."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

GENERATED = {
    "sqlite": {
        "uid": "json_extract(line, '$.id')",
        "run_id": "json_extract(line, '$.run')",
        "rseq": "json_extract(line, '$.rseq')",
        "ts": "json_extract(line, '$.ts')",
        "kind": "json_extract(line, '$.kind')",
        "actor_ref": "json_extract(line, '$.actor.ref')",
        "workflow": "json_extract(line, '$.data.workflow')",
    },
    "postgresql": {
        "uid": "line::jsonb ->> 'id'",
        "run_id": "line::jsonb ->> 'run'",
        "rseq": "(line::jsonb ->> 'rseq')::bigint",
        "ts": "line::jsonb ->> 'ts'",
        "kind": "line::jsonb ->> 'kind'",
        "actor_ref": "(line::jsonb -> 'actor') ->> 'ref'",
        "workflow": "(line::jsonb -> 'data') ->> 'workflow'",
    },
}

# An entry is never deleted, and changes once: when sequencing gives it its place.
TRIGGERS = {
    "sqlite": [
        """
        CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'an audit entry is never deleted'); END
        """,
        """
        CREATE TRIGGER audit_entry_only_place BEFORE UPDATE ON audit_entry
        WHEN NOT (OLD.idx IS NULL AND NEW.idx IS NOT NULL AND NEW.seq = OLD.seq
                  AND NEW.line = OLD.line AND NEW.leaf = OLD.leaf)
        BEGIN SELECT RAISE(ABORT, 'an audit entry only ever receives its place'); END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
          IF TG_OP = 'UPDATE' THEN
            IF OLD.idx IS NULL AND NEW.idx IS NOT NULL AND NEW.seq = OLD.seq
               AND NEW.line = OLD.line AND NEW.leaf = OLD.leaf THEN
              RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an audit entry only ever receives its place';
          END IF;
          RAISE EXCEPTION 'an audit entry is never deleted';
        END
        $body$
        """,
        """
        CREATE TRIGGER audit_entry_only_place BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_is_final()
        """,
        """
        CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_final()
        """,
    ],
}


def generated(name: str, kind: sa.Text | sa.BigInteger) -> sa.Column[Any]:
    expression = GENERATED[op.get_bind().dialect.name][name]
    return sa.Column(name, kind, sa.Computed(expression, persisted=True))


def upgrade() -> None:
    create_entries()
    create_parts_and_subjects()
    create_tree()
    create_evidence()
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def create_entries() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", BIG_KEY, sa.Identity(cache=1), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        generated("uid", sa.Text()),
        generated("run_id", sa.Text()),
        generated("rseq", sa.BigInteger()),
        generated("ts", sa.Text()),
        generated("kind", sa.Text()),
        generated("actor_ref", sa.Text()),
        generated("workflow", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entry"),
        sa.UniqueConstraint("idx", name="uq_audit_entry_idx"),
        sa.UniqueConstraint("uid", name="uq_audit_entry_uid"),
        sa.UniqueConstraint("run_id", "rseq", name="uq_audit_entry_run_id_rseq"),
        sa.CheckConstraint("length(leaf) = 32", name="ck_audit_entry_leaf_is_32_bytes"),
    )
    partial_index("ix_audit_entry_pending", "audit_entry", ["seq"], where="idx IS NULL")
    partial_index(
        "ix_audit_entry_outside_runs", "audit_entry", ["kind", "idx"], where="run_id IS NULL"
    )


def create_parts_and_subjects() -> None:
    op.create_table(
        "audit_part",
        sa.Column("entry_seq", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cls", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("entry_seq", "name", name="pk_audit_part"),
        sa.ForeignKeyConstraint(
            ["entry_seq"], ["audit_entry.seq"], name="fk_audit_part_entry_seq_audit_entry"
        ),
    )
    partial_index(
        "ix_audit_part_subject_ref", "audit_part", ["subject_ref"], where="subject_ref IS NOT NULL"
    )
    partial_index(
        "ix_audit_part_expires_at", "audit_part", ["expires_at"], where="expires_at IS NOT NULL"
    )
    op.create_table(
        "audit_subject",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("k", sa.LargeBinary(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("display", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ref", name="pk_audit_subject"),
        sa.UniqueConstraint("external_id", name="uq_audit_subject_external_id"),
    )


def create_tree() -> None:
    op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_tree"),
        sa.CheckConstraint("id = 1", name="ck_audit_tree_one_row"),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name="pk_audit_tile"),
        sa.CheckConstraint("length(hash) = 32", name="ck_audit_tile_hash_is_32_bytes"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kept_because", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )


def create_evidence() -> None:
    op.create_table(
        "audit_anchor",
        sa.Column("id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_anchor"),
    )
    op.create_table(
        "audit_hold",
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("selector", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("hold", name="pk_audit_hold"),
    )


def partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

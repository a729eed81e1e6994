"""Create runs, gates, due work, locks, the catalog, the outbox, summaries and their search."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(64)

# The text stands once, in `summary`; triggers keep the index beside it.
SEARCH = {
    "sqlite": [
        """
        CREATE VIRTUAL TABLE summary_fts USING fts5(
          body, content='summary', content_rowid='id', tokenize='porter unicode61', prefix='2 3')
        """,
        """
        CREATE TRIGGER summary_fts_insert AFTER INSERT ON summary
        BEGIN INSERT INTO summary_fts (rowid, body) VALUES (NEW.id, NEW.body); END
        """,
        """
        CREATE TRIGGER summary_fts_delete AFTER DELETE ON summary
        BEGIN INSERT INTO summary_fts (summary_fts, rowid, body)
          VALUES ('delete', OLD.id, OLD.body); END
        """,
        """
        CREATE TRIGGER summary_fts_update AFTER UPDATE OF body ON summary
        BEGIN
          INSERT INTO summary_fts (summary_fts, rowid, body) VALUES ('delete', OLD.id, OLD.body);
          INSERT INTO summary_fts (rowid, body) VALUES (NEW.id, NEW.body);
        END
        """,
    ],
    "postgresql": [
        """
        ALTER TABLE summary ADD COLUMN search tsvector
          GENERATED ALWAYS AS (to_tsvector('english', body)) STORED
        """,
        "CREATE INDEX ix_summary_search ON summary USING gin (search)",
    ],
}


def upgrade() -> None:
    create_runs()
    create_gates()
    create_work()
    create_catalog()
    create_outbox()
    create_stories()
    for statement in SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


def create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("requester_kind", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("tail_rseq", sa.BigInteger(), nullable=False),
        sa.Column("tail_leaf", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("start_key", sa.Text(), nullable=True),
        sa.Column("lock_key", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("segments_died", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (outcome IS NULL)", name="ck_run_ends_with_an_outcome"
        ),
        sa.CheckConstraint("length(tail_leaf) = 32", name="ck_run_tail_leaf_is_32_bytes"),
        sa.CheckConstraint(
            "outcome IS NULL OR (ready_at IS NULL AND claimed_at IS NULL)",
            name="ck_run_rests_once_ended",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("start_key", name="uq_run_start_key"),
    )
    partial_index("ix_run_claimed_at", "run", ["claimed_at"], where="claimed_at IS NOT NULL")
    op.create_index("ix_run_finished_at", "run", ["finished_at", "id"])
    partial_index("ix_run_ready_at", "run", ["ready_at"], where="ready_at IS NOT NULL")
    op.create_index("ix_run_requester_started_at", "run", ["requester", "started_at", "id"])
    op.create_index("ix_run_started_at", "run", ["started_at", "id"])
    op.create_index("ix_run_status_started_at", "run", ["status", "started_at", "id"])
    op.create_index("ix_run_workflow_started_at", "run", ["workflow", "started_at", "id"])


def create_gates() -> None:
    op.create_table(
        "approval_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("stages", sa.Text(), nullable=False),
        sa.Column("excluded", sa.Text(), nullable=False),
        sa.Column("needs_reason", sa.Boolean(), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("consumed_attempt", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'open') = (settled_at IS NULL)",
            name="ck_approval_request_settled_with_a_moment",
        ),
        sa.CheckConstraint(
            "consumed_attempt IS NULL OR outcome IN ('approved', 'superseded')",
            name="ck_approval_request_consumed_once_approved",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_approval_request_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_approval_request"),
    )
    partial_index(
        "ix_approval_request_open_expires_at",
        "approval_request",
        ["expires_at"],
        where="outcome = 'open'",
    )
    op.create_index("ix_approval_request_run_id", "approval_request", ["run_id", "raised_at"])
    op.create_index("ix_approval_request_settled_at", "approval_request", ["settled_at"])
    partial_index(
        "uq_approval_request_open",
        "approval_request",
        ["run_id", "step"],
        unique=True,
        where="outcome = 'open'",
    )
    op.create_table(
        "decision",
        sa.Column("seq", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("stage", sa.BigInteger(), nullable=False),
        sa.Column("verdict", WORD, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name="fk_decision_request_id_approval_request"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_decision"),
        sa.UniqueConstraint(
            "request_id", "approver", "verdict", name="uq_decision_request_id_approver_verdict"
        ),
    )


def create_work() -> None:
    op.create_table(
        "due",
        sa.Column("kind", WORD, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_due_run_id_run"),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_due"),
    )
    op.create_index("ix_due_at", "due", ["at"])
    op.create_index("ix_due_run_id", "due", ["run_id"])
    op.create_table(
        "delivery",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("team", "kind", "key", name="pk_delivery"),
    )
    op.create_index("ix_delivery_seen_at", "delivery", ["seen_at"])
    op.create_table(
        "run_lock",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_lock_run_id_run"),
        sa.PrimaryKeyConstraint("key", name="pk_run_lock"),
    )
    op.create_table(
        "lock_queue",
        sa.Column("seq", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_lock_queue_run_id_run"),
        sa.PrimaryKeyConstraint("seq", name="pk_lock_queue"),
        sa.UniqueConstraint("key", "run_id", name="uq_lock_queue_key_run_id"),
    )
    op.create_index("ix_lock_queue_key", "lock_queue", ["key", "seq"])


def create_catalog() -> None:
    op.create_table(
        "definition_version",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=True),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_definition_version"),
    )
    op.create_index(
        "ix_definition_version_workflow", "definition_version", ["workflow", "published_at"]
    )
    op.create_table(
        "active_definition",
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("activated_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["version"],
            ["definition_version.version"],
            name="fk_active_definition_version_definition_version",
        ),
        sa.PrimaryKeyConstraint("workflow", name="pk_active_definition"),
    )
    op.create_table(
        "active_policy",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_active_policy"),
    )
    op.create_table(
        "schedule_firing",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("is_missed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "due", name="pk_schedule_firing"),
    )


def create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("subject", WORD, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("is_posting", sa.Boolean(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("place_channel", sa.Text(), nullable=True),
        sa.Column("place_ts", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(place_channel IS NULL) = (place_ts IS NULL)", name="ck_outbox_place_is_channel_and_ts"
        ),
        sa.CheckConstraint("done <= wanted", name="ck_outbox_done_follows_wanted"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("subject", "key", name="uq_outbox_subject_key"),
    )
    partial_index("ix_outbox_next_at", "outbox", ["next_at"], where="state = 'pending'")
    partial_index("ix_outbox_pending", "outbox", ["rank", "id"], where="state = 'pending'")
    partial_index(
        "ix_outbox_unplaced",
        "outbox",
        ["run_id", "id"],
        where="state = 'pending' AND place_ts IS NULL",
    )
    partial_index(
        "uq_outbox_place",
        "outbox",
        ["place_channel", "place_ts"],
        unique=True,
        where="place_ts IS NOT NULL",
    )


def create_stories() -> None:
    op.create_table(
        "summary",
        sa.Column("id", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_summary_run_id_run"),
        sa.PrimaryKeyConstraint("id", name="pk_summary"),
        sa.UniqueConstraint("run_id", name="uq_summary_run_id"),
    )
    op.create_table(
        "digest",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("from_idx", sa.BigInteger(), nullable=False),
        sa.Column("to_idx", sa.BigInteger(), nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("to_at", MOMENT, nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.CheckConstraint("from_idx <= to_idx", name="ck_digest_range_goes_forward"),
        sa.PrimaryKeyConstraint("id", name="pk_digest"),
    )
    op.create_table(
        "thread_message",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_thread_message_run_id_run"),
        sa.PrimaryKeyConstraint("run_id", "ts", name="pk_thread_message"),
    )
    op.create_index("ix_thread_message_author", "thread_message", ["author"])


def partial_index(
    name: str, table: str, columns: list[str], *, where: str, unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

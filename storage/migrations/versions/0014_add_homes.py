"""Add whom open requests and questions wait for, and who reads a Home; index what Homes show."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
IS_OWED = sa.text("claimed_until IS NOT NULL")
GOES_ON = sa.text("finished_at IS NULL")
HAS_ENDED = sa.text("finished_at IS NOT NULL")
IS_TROUBLED = sa.text("status IN ('exception', 'in_doubt')")
IS_NUDGE = sa.text("subject = 'nudge'")
BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAGE = 1_000


def upgrade() -> None:
    _create_awaited()
    _create_homes()
    for name, columns, where in (
        ("ix_run_requester_going", ["requester", "started_at", "id"], GOES_ON),
        ("ix_run_requester_ended", ["requester", "finished_at", "id"], HAS_ENDED),
        ("ix_run_troubled", ["workflow", "started_at", "id"], IS_TROUBLED),
    ):
        op.create_index(name, "run", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_decision_approver", "decision", ["approver", "seq"])
    op.create_index(
        "ix_outbox_nudge", "outbox", ["run_id"], sqlite_where=IS_NUDGE, postgresql_where=IS_NUDGE
    )
    fill(op.get_bind())


def _create_awaited() -> None:
    op.create_table(
        "awaited",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("is_question", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", "ref", name="pk_awaited"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_awaited_run_id_run"),
    )
    op.create_index("ix_awaited_ref", "awaited", ["ref", "until", "id"])


def _create_homes() -> None:
    op.create_table(
        "home_reader",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_home_reader"),
    )
    op.create_index(
        "ix_home_reader_owed",
        "home_reader",
        ["claimed_until"],
        sqlite_where=IS_OWED,
        postgresql_where=IS_OWED,
    )
    op.create_table(
        "home_topic",
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workflow", "ref", name="pk_home_topic"),
    )
    op.create_index("ix_home_topic_ref", "home_topic", ["ref"])
    op.create_table(
        "home_news",
        sa.Column("seq", BIG_KEY, sa.Identity(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_home_news"),
    )
    op.create_index("ix_home_news_ref", "home_news", ["ref"])


def fill(connection: sa.Connection) -> None:
    """Say whom everything that is open now waits for, from the rows of before."""
    requests = (
        "SELECT r.id, r.run_id, r.expires_at, r.stages, r.excluded, run.requester"
        " FROM approval_request r JOIN run ON run.id = r.run_id"
        " WHERE r.outcome = 'open' AND r.id > :after ORDER BY r.id LIMIT :page"
    )
    for row in _paged(connection, requests):
        people = _whose_turn(connection, row) - {*json.loads(row.excluded), row.requester}
        _add(connection, row, people, is_question=False)
    questions = (
        "SELECT q.id, q.run_id, q.expires_at, q.people"
        " FROM question q JOIN run ON run.id = q.run_id WHERE q.answered_at IS NULL"
        " AND run.finished_at IS NULL AND q.id > :after ORDER BY q.id LIMIT :page"
    )
    for row in _paged(connection, questions):
        _add(connection, row, set(json.loads(row.people) or []), is_question=True)


def _paged(connection: sa.Connection, statement: str) -> Iterator[Any]:
    after = ""
    while rows := connection.execute(sa.text(statement), {"after": after, "page": PAGE}).all():
        yield from rows
        after = rows[-1].id


def _whose_turn(connection: sa.Connection, row: Any) -> set[str]:  # noqa: ANN401  a row of any statement
    """Return the people of the first turn that lacks approvals, without those who spoke."""
    given = _of_request(connection, "approver, stage, verdict FROM decision", row.id)
    more = _of_request(connection, "people, stages FROM escalation", row.id)
    stages = json.loads(row.stages)
    denied = {one.approver for one in given if one.verdict == "deny"}
    for turn in _turns(stages):
        lacking = [
            number
            for number in turn
            if len({one.approver for one in given if one.stage == number} - denied)
            < stages[number]["approve"]
        ]
        if lacking:
            people = {who for number in lacking for who in stages[number]["people"]}
            for one in more:
                if set(json.loads(one.stages)) & set(lacking):
                    people |= set(json.loads(one.people))
            return people - {one.approver for one in given}
    return set()


def _of_request(connection: sa.Connection, what: str, request: str) -> Sequence[Any]:
    found = connection.execute(
        sa.text(f"SELECT {what} WHERE request_id = :id"),
        {"id": request},
    )
    return found.all()


def _turns(stages: list[dict[str, Any]]) -> list[list[int]]:
    """Return which stages are decided together: those that follow each other with one number."""
    turns: list[list[int]] = []
    before = None
    for number, stage in enumerate(stages):
        turn = stage.get("turn")
        if turn is not None and turn == before:
            turns[-1].append(number)
        else:
            turns.append([number])
        before = turn
    return turns


def _add(
    connection: sa.Connection,
    row: Any,  # noqa: ANN401  as above
    people: Iterable[str],
    *,
    is_question: bool,
) -> None:
    for ref in sorted(people):
        connection.execute(
            sa.text(
                "INSERT INTO awaited (id, ref, is_question, run_id, until)"
                " VALUES (:id, :ref, :is_question, :run, :until)"
            ),
            {
                "id": row.id,
                "ref": ref,
                "is_question": is_question,
                "run": row.run_id,
                "until": row.expires_at,
            },
        )


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back; restore a backup instead.")

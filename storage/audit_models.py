"""The rows of the audit trail (AUDIT.md section 7).

The readable columns of an entry are generated from its signed line, so that no statement can
make them differ from it. Triggers stand in the migration; the bytes are made in `journal`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    Identity,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.base import Base, BigKey, Mapped, mapped_column, partial_index


class LineMember(ColumnElement[Any]):
    """The SQL that reads one member of an entry's line, in the words of either database."""

    inherit_cache = True

    def __init__(self, *path: str, cast: str = "") -> None:
        self.path = path
        self.as_type = cast


@compiles(LineMember, "sqlite")
def _on_sqlite(element: LineMember, _compiler: SQLCompiler, **_words: object) -> str:
    return f"json_extract(line, '$.{'.'.join(element.path)}')"


@compiles(LineMember, "postgresql")
def _on_postgres(element: LineMember, _compiler: SQLCompiler, **_words: object) -> str:
    found = "line::jsonb"
    for name in element.path[:-1]:
        found = f"({found} -> '{name}')"
    found = f"{found} ->> '{element.path[-1]}'"
    return f"({found})::{element.as_type}" if element.as_type else found


class PartMember(ColumnElement[Any]):
    """The SQL that reads one member of a part that holds an object."""

    inherit_cache = True

    def __init__(self, name: str) -> None:
        self.name = name


@compiles(PartMember, "sqlite")
def _part_on_sqlite(element: PartMember, _compiler: SQLCompiler, **_words: object) -> str:
    return f"json_extract(CAST(audit_part.body AS TEXT), '$.{element.name}')"


@compiles(PartMember, "postgresql")
def _part_on_postgres(element: PartMember, _compiler: SQLCompiler, **_words: object) -> str:
    return f"convert_from(audit_part.body, 'UTF8')::json ->> '{element.name}'"


class Common(FunctionElement[bool]):
    """A condition that lets many rows through, so that SQLite finds them by the others.

    It counts on ten rows of a value, also where that is NULL. What stands outside of runs is all
    of one value, and what was refused of one kind: both grow with the log.
    """

    inherit_cache = True


@compiles(Common)
def _common(element: Common, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401 - theirs.
    return compiler.process(element.clauses, **words)


@compiles(Common, "sqlite")
def _common_on_sqlite(element: Common, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401
    return f"likely({compiler.process(element.clauses, **words)})"


def _generated(*path: str, cast: str = "") -> Computed:
    return Computed(LineMember(*path, cast=cast), persisted=True)


PENDING = text("idx IS NULL")
OUTSIDE_RUNS = text("run_id IS NULL")
# What reports count by time. A query has to say the same words to be answered by the index. Of
# more than two values behind IN, SQLite would make a table with each entry that it inserts.
COUNTED_BY_TIME = text(
    "(kind = 'action.in_doubt' OR kind = 'approval.reminded' OR kind = 'decision.made'"
    " OR kind = 'verification.failed' OR kind = 'verification.unknown')"
)
OF_A_PERSON = text("subject_ref IS NOT NULL")
DUE_ONCE = text("expires_at IS NOT NULL")


class AuditEntryRow(Base):
    """One signed line. `idx` is its place in the log, given once by sequencing."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        UniqueConstraint("idx"),
        UniqueConstraint("uid"),
        UniqueConstraint("run_id", "rseq"),
        CheckConstraint("length(leaf) = 32", name="leaf_is_32_bytes"),
        partial_index("ix_audit_entry_pending", "seq", where=PENDING),
        partial_index(
            "ix_audit_entry_outside_runs",
            "kind",
            "idx",
            where=OUTSIDE_RUNS,
        ),
        partial_index("ix_audit_entry_counted", "kind", "ts", where=COUNTED_BY_TIME),
    )

    seq: Mapped[int] = mapped_column(BigKey, Identity(cache=1), primary_key=True)
    idx: Mapped[int | None] = mapped_column(BigInteger)
    line: Mapped[str]
    leaf: Mapped[bytes]
    uid: Mapped[str | None] = mapped_column(_generated("id"))
    run_id: Mapped[str | None] = mapped_column(_generated("run"))
    rseq: Mapped[int | None] = mapped_column(BigInteger, _generated("rseq", cast="bigint"))
    ts: Mapped[str | None] = mapped_column(_generated("ts"))
    kind: Mapped[str | None] = mapped_column(_generated("kind"))
    actor_ref: Mapped[str | None] = mapped_column(_generated("actor", "ref"))
    workflow: Mapped[str | None] = mapped_column(_generated("data", "workflow"))


IS_OUTSIDE_RUNS = Common(AuditEntryRow.run_id.is_(None))


class AuditPartRow(Base):
    """A piece of payload: what an entry committed to, deletable without touching it."""

    __tablename__ = "audit_part"
    __table_args__ = (
        partial_index(
            "ix_audit_part_subject_ref",
            "subject_ref",
            where=OF_A_PERSON,
        ),
        partial_index(
            "ix_audit_part_expires_at",
            "expires_at",
            where=DUE_ONCE,
        ),
    )

    entry_seq: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("audit_entry.seq"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    cls: Mapped[str]
    subject_ref: Mapped[str | None]
    salt: Mapped[bytes]
    body: Mapped[bytes]
    expires_at: Mapped[datetime | None]


class AuditSubjectRow(Base):
    """A person behind a pseudonym; without the row, nothing leads from one to the other."""

    __tablename__ = "audit_subject"
    __table_args__ = (UniqueConstraint("external_id"),)

    ref: Mapped[str] = mapped_column(primary_key=True)
    k: Mapped[bytes]
    external_id: Mapped[str]
    display: Mapped[str | None]


class AuditTreeRow(Base):
    """The one row that holds the tree's size and frontier."""

    __tablename__ = "audit_tree"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[bytes]


class AuditTileRow(Base):
    """The root of the full 256^level leaves number `n`."""

    __tablename__ = "audit_tile"
    __table_args__ = (CheckConstraint("length(hash) = 32", name="hash_is_32_bytes"),)

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class AuditCheckpointRow(Base):
    """A signed head: the current one, and every one that was kept, with the reason."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    note: Mapped[str]
    kept_because: Mapped[str | None]
    created_at: Mapped[datetime]


class AuditAnchorRow(Base):
    """Evidence from outside that a head existed at a time."""

    __tablename__ = "audit_anchor"

    id: Mapped[int] = mapped_column(BigKey, Identity(), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    ref: Mapped[str]
    evidence: Mapped[bytes]
    at: Mapped[datetime]


class AuditHoldRow(Base):
    """A legal hold: parts it selects are not swept until it is lifted."""

    __tablename__ = "audit_hold"

    hold: Mapped[str] = mapped_column(primary_key=True)
    selector: Mapped[str]
    reason: Mapped[str]
    set_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]

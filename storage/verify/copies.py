"""What is kept beside the trail and was signed in it by its digest, or as a payload.

The text of a version, of a policy, what somebody outside gave for a head, the story of a run: the
entries hold no word of them, yet commit to each. What nothing signed speaks of is not looked at.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from storage.as_stored import STREAMED, columns_in, rows_in
from storage.audit_models import AuditEntryRow, AuditPartRow, LineMember
from storage.change import stored_on_sqlite
from storage.entry_bytes import read_stamp
from storage.pile import Pile
from storage.projections import summary_text
from storage.verify.report import Report, printable
from workflows.quick_json import loaded

CODE = "projection"
TEXTS = {"definition_version": "version", "policy_version": "policy"}
ANCHORS = ("size", "type", "ref", "evidence")
STORIES = ("run_id", "entry_id", "body", "written_at")
AT_ONCE = 500
OF_A_PERSON = "request"  # Why an erasure was, where a person was erased.


def judge_copies(connection: Connection, report: Report) -> None:
    """Compare what is kept with what was signed of it; the entries hold, as was found before."""
    there = columns_in(connection, (*TEXTS, "audit_anchor", "summary", "audit_part"))
    for table, what in TEXTS.items():
        if there.get(table, frozenset()) >= {"version", "canonical"}:
            _judge_texts(connection, table, what, report)
    if there.get("audit_anchor", frozenset()) >= {*ANCHORS, "id"}:
        _judge_anchors(connection, report)
    if "audit_part" in there and there.get("summary", frozenset()) >= {*STORIES}:
        _judge_stories(connection, report)


def _judge_texts(connection: Connection, table: str, what: str, report: Report) -> None:
    """A version is the digest of its text; one that was kept without its text says nothing."""
    for version, canonical in rows_in(
        connection, table, ("version", "canonical"), order=("version",)
    ):
        if canonical is None and table == "definition_version":
            continue
        kept = canonical.encode(errors="surrogateescape") if isinstance(canonical, str) else b""
        if hashlib.sha256(kept).hexdigest() != version:
            words = f"{table} {version}: the text is not that of this {what}."
            report.fail(CODE, printable(words))


def _judge_anchors(connection: Connection, report: Report) -> None:
    """Each stands as often as the log names it."""
    named, kept = Counter(_named(connection)), Counter[tuple[Any, ...]]()
    for size, kind, ref, content in rows_in(connection, "audit_anchor", ANCHORS, order=("id",)):
        digest = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else None
        kept[size, kind, ref, digest] += 1
    for size, kind, ref, _digest in (kept - named).elements():
        words = f"The log does not name what is kept of the {kind} {ref} for {size} entries."
        report.fail("anchor", printable(words))
    for size, kind, ref, _digest in (named - kept).elements():
        words = f"What the {kind} {ref} gave for {size} entries, as the log says, is not kept."
        report.fail("anchor", printable(words))


def _named(connection: Connection) -> Iterator[tuple[Any, ...]]:
    row = AuditEntryRow
    wanted = select(row.line).where(row.run_id.is_(None), row.kind == "checkpoint.anchored")
    for line in connection.execute(wanted).scalars():
        data = loaded(line)["data"]
        said = (data.get(name) for name in ANCHORS)
        yield tuple(one if isinstance(one, str | int) else None for one in said)


class _Story(NamedTuple):
    """The row that is searched and shown, as it is stored."""

    run_id: Any
    entry_id: Any
    body: Any
    written_at: Any


class _Written(NamedTuple):
    """The newest story of a run, as its entry tells."""

    seq: int
    uid: str
    ts: str


def _judge_stories(connection: Connection, report: Report) -> None:
    """Each says what its payload says; one whose payload is held is there."""
    written, seen = _written(connection), Pile()
    rows = (_Story(*row) for row in rows_in(connection, "summary", STORIES, order=("id",)))
    while some := list(islice(rows, AT_ONCE)):
        of_each = [written.get(str(one.run_id)) for one in some]
        held = _held(connection, [one.seq for one in of_each if one is not None])
        for row, newest in zip(some, of_each, strict=True):
            seen.put(str(row.run_id), True)  # noqa: FBT003  that it was seen
            fault = _fault(row, newest, held, connection.dialect.name)
            if fault:
                report.fail(CODE, printable(f"summary {row.run_id}: {fault}."))
    for run in _told_of(connection):
        if seen.get(run) is None:
            report.fail(CODE, printable(f"summary {run} is missing."))


def _fault(row: _Story, written: _Written | None, held: Mapping[int, bytes], dialect: str) -> str:
    """Return what is wrong with one story, nothing where nothing signed speaks against it."""
    if written is None:
        return "it has no entry"
    at: object = read_stamp(written.ts)
    if dialect == "sqlite":
        at = stored_on_sqlite(read_stamp(written.ts))
    if (row.entry_id, row.written_at) != (written.uid, at):
        return "it is not of the entry that wrote it last"
    payload = held.get(written.seq)
    if payload is None:
        return ""  # Gone; who holds payloads back may hold a story back.
    if row.body not in _bodies(payload):
        return "the text is not what was written"
    return ""


def _bodies(payload: bytes) -> set[str]:
    """Return how releases stored a story's text: with its accents as they came, and as one."""
    body = summary_text(payload)
    return {body, unicodedata.normalize("NFC", body)}


def _written(connection: Connection) -> Pile:
    """Return the newest story of each run, as `_Written`."""
    row, run = AuditEntryRow, LineMember("data", "by_run")
    wanted = select(run, row.seq, row.uid, row.ts).where(
        row.run_id.is_(None), row.kind == "summary.written"
    )
    # Those without a place are the newest; in it they stand behind all others.
    wanted = wanted.order_by(row.idx.is_(None), row.idx, row.seq)
    newest = Pile()
    for one in connection.execute(wanted, execution_options=STREAMED):
        newest.put(str(one[0]), _Written(*one[1:]))
    return newest


def _held(connection: Connection, entries: Sequence[int]) -> dict[int, bytes]:
    row = AuditPartRow
    wanted = select(row.entry_seq, row.body).where(
        row.entry_seq.in_(entries), row.name == "summary"
    )
    return {seq: bytes(body) for seq, body in connection.execute(wanted)}


def _told_of(connection: Connection) -> Iterator[str]:
    """Yield, in their order, the runs whose story has to be there: their payload is held.

    What a person erased takes stories with it, also of payloads that a hold keeps; so those
    before the last such marker may be gone.
    """
    row, part = AuditEntryRow, AuditPartRow
    is_erasure = row.run_id.is_(None) & (row.kind == "erasure")
    of_a_person = LineMember("data", "reason") == OF_A_PERSON
    last = connection.execute(select(func.max(row.idx)).where(is_erasure, of_a_person)).scalar()
    run = LineMember("data", "by_run")
    wanted = (
        select(run)
        .distinct()
        .select_from(row)
        .join(part, (part.entry_seq == row.seq) & (part.name == "summary"))
        .where(row.run_id.is_(None), row.kind == "summary.written")
        .where(or_(row.idx.is_(None), row.idx > (-1 if last is None else last)))
        .order_by(run)
    )
    for one in connection.execute(wanted, execution_options=STREAMED).scalars():
        yield str(one)

"""Find runs by the words of their summaries and by what is known of them, on both databases.

Only the newest 2,000 hits are ranked: ranking all that match a common word takes over a second
at a million summaries (AUDIT.md section 14). How a hit looks is for the views.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, column, func, select, text
from sqlalchemy import table as table_of

from storage.audit_models import AuditEntryRow
from storage.message_models import OutboxRecord, SummaryRecord
from storage.outbox_values import MessagePlace
from storage.run_models import DecisionRecord, RequestRecord, RunRecord
from storage.search_words import Words, for_fts5, for_postgres, read_words
from storage.transaction import Database
from workflows.entry import Ref, RunId
from workflows.run import Status
from workflows.store import Subject

RANKED = 2_000
MOST = 10
SNIPPET_WORDS = 24
SNIPPET_LENGTH = 160  # Of a hit that no word was looked for in.
LANGUAGE = "english"
# Characters that no text of ours holds mark the words found; they never leave this file.
START, STOP = "\x02", "\x03"
HEADLINE = (
    f"StartSel={START}, StopSel={STOP}, MaxWords={SNIPPET_WORDS}, MinWords=12, MaxFragments=2,"
    ' FragmentDelimiter=" … "'
)

Among: TypeAlias = Callable[[ColumnElement[Any]], Any]

_FTS = table_of("summary_fts", column("rowid"))
_IS_ROOT = (OutboxRecord.subject == Subject.ROOT) & (OutboxRecord.key == SummaryRecord.run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What to find. Every condition must hold; of several values of one, any does.

    Without words the newest come first. `channels` are those whose threads the asker may read,
    None for somebody who may read all; of the workflows `audited` they read every thread.
    """

    words: str = ""
    workflows: frozenset[str] = frozenset()
    requesters: frozenset[Ref] = frozenset()
    approvers: frozenset[Ref] = frozenset()  # Whoever approved or rejected something of it.
    outcomes: frozenset[Status] = frozenset()
    after: datetime | None = None  # Started then or later.
    before: datetime | None = None  # Started earlier.
    channels: Collection[str] | None = None
    audited: frozenset[str] = frozenset()
    among: frozenset[str] | None = None  # Of these workflows alone; None: of all.

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words is asked for."""
        named = self.workflows or self.requesters or self.approvers or self.outcomes
        return bool(named) or self.after is not None or self.before is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a snippet; `is_found` says that it is one of the words looked for."""

    text: str
    is_found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A run whose summary has the words. `index` leads to the proof of its summary."""

    run: RunId
    workflow: str
    status: Status
    channel: str
    snippet: tuple[Piece, ...]
    index: int | None
    written_at: datetime
    place: MessagePlace | None  # The first message of its thread.


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """One page of what was found, and how much there is; more than 2,000 are not counted."""

    page: tuple[Hit, ...]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether there may be older ones that nobody looked at."""
        return self.total >= RANKED


def find(database: Database, sought: Sought, *, limit: int = MOST, offset: int = 0) -> Hits:
    """Return the best among the newest hits, best first; no word that is typed is an error."""
    words = read_words(sought.words)
    if words.is_empty and (sought.words.strip() or not sought.is_filtered):
        return Hits(page=(), total=0)
    is_sqlite = database.dialect == "sqlite"
    with database.read() as connection:
        # Conditions are looked up once, here; ranking is left with numbers.
        newest = connection.execute(_newest(words, sought, is_sqlite=is_sqlite)).scalars().all()
        if words.is_empty:
            page = _by_time(newest[offset : offset + limit])
        else:
            ranked = _on_sqlite if is_sqlite else _on_postgres
            page = ranked(words, _among(newest, sought), limit, offset)
        rows = connection.execute(page).all() if newest[offset:] else ()
    return Hits(page=tuple(_hit(row) for row in rows), total=len(newest))


def _newest(words: Words, sought: Sought, *, is_sqlite: bool) -> Select[Any]:
    """Return the query of the newest hits' numbers; the text index alone serves words alone."""
    if is_sqlite and not words.is_empty:
        number: ColumnElement[Any] = _FTS.c.rowid
        query = select(number).where(_match(words))
        if _is_narrowed(sought):
            query = query.join(SummaryRecord, SummaryRecord.id == number)
    else:
        number = SummaryRecord.__table__.c.id
        query = select(number)
        if not words.is_empty:
            query = query.where(column("search").op("@@")(_wanted(words)))
    if _is_narrowed(sought):
        query = _only(query, sought)
    return query.order_by(number.desc()).limit(RANKED)


def _among(newest: Sequence[int], sought: Sought) -> Among:
    """Return the condition that a number is one of the newest hits'."""
    oldest = min(newest, default=0)
    if not _is_narrowed(sought):
        return lambda number: number >= oldest
    # Given the bare number, SQLite would ask its text index once for each of them.
    return lambda number: (number >= oldest) & (number + 0).in_(newest)


def _by_time(numbers: Sequence[int]) -> Select[Any]:
    snippet = func.substr(SummaryRecord.body, 1, SNIPPET_LENGTH)
    page = _with_all(_columns(snippet).where(SummaryRecord.id.in_(numbers)))
    return page.order_by(SummaryRecord.id.desc())


def _on_sqlite(words: Words, among: Among, limit: int, offset: int) -> Select[Any]:
    snippet = func.snippet(text("summary_fts"), 0, START, STOP, "…", SNIPPET_WORDS)
    page = (
        _columns(snippet)
        .select_from(_FTS)
        .join(SummaryRecord, SummaryRecord.id == _FTS.c.rowid)
        .where(_match(words), among(_FTS.c.rowid))
        .order_by(text("bm25(summary_fts)"), _FTS.c.rowid.desc())
        .limit(limit)
        .offset(offset)
    )
    return _with_all(page)


def _match(words: Words) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = text("summary_fts MATCH :words").bindparams(  # type: ignore[assignment]  # text is a condition, too
        words=for_fts5(words)
    )
    return matches


def _on_postgres(words: Words, among: Among, limit: int, offset: int) -> Select[Any]:
    wanted = _wanted(words)
    search: ColumnElement[Any] = column("search")
    number = SummaryRecord.__table__.c.id
    rank = func.ts_rank_cd(search, wanted)
    best = (
        select(number, rank.label("rank"))
        .where(search.op("@@")(wanted), among(number))
        .order_by(rank.desc(), number.desc())
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    snippet = func.ts_headline(LANGUAGE, SummaryRecord.body, wanted, HEADLINE)
    page = (
        _columns(snippet)
        .select_from(best)
        .join(SummaryRecord, SummaryRecord.id == best.c.id)
        .order_by(best.c.rank.desc(), best.c.id.desc())
    )
    return _with_all(page)


def _wanted(words: Words) -> ColumnElement[Any]:
    return func.to_tsquery(LANGUAGE, for_postgres(words))


def _columns(snippet: ColumnElement[Any]) -> Select[Any]:
    return select(
        SummaryRecord.id,
        SummaryRecord.run_id,
        SummaryRecord.written_at,
        RunRecord.workflow,
        RunRecord.status,
        RunRecord.channel,
        AuditEntryRow.idx,
        OutboxRecord.place_channel,
        OutboxRecord.place_ts,
        snippet.label("snippet"),
    )


def _is_narrowed(sought: Sought) -> bool:
    is_limited = sought.channels is not None or sought.among is not None
    return sought.is_filtered or is_limited


def _only(query: Select[Any], sought: Sought) -> Select[Any]:
    """Return the query of summaries, of wanted runs alone."""
    run = RunRecord
    joined = query.join(run, run.id == SummaryRecord.run_id)
    if sought.workflows:
        joined = joined.where(run.workflow.in_(sorted(sought.workflows)))
    if sought.among is not None:
        joined = joined.where(run.workflow.in_(sorted(sought.among)))
    if sought.requesters:
        joined = joined.where(run.requester.in_(sorted(sought.requesters)))
    if sought.approvers:
        joined = joined.where(_decided_by(sought.approvers))
    if sought.outcomes:
        joined = joined.where(run.status.in_(sorted(sought.outcomes)))
    if sought.after is not None:
        joined = joined.where(run.started_at >= sought.after)
    if sought.before is not None:
        joined = joined.where(run.started_at < sought.before)
    if sought.channels is not None:
        # A run names its channel as its definition does; its first message stands in one by id.
        joined = joined.outerjoin(OutboxRecord, _IS_ROOT)
        there = func.coalesce(OutboxRecord.place_channel, run.channel)
        is_there = there.in_(sorted(sought.channels))
        joined = joined.where(is_there | run.workflow.in_(sorted(sought.audited)))
    return joined


def _decided_by(approvers: Collection[Ref]) -> ColumnElement[bool]:
    decided = select(DecisionRecord.seq).join(
        RequestRecord, RequestRecord.id == DecisionRecord.request_id
    )
    return decided.where(
        RequestRecord.run_id == RunRecord.id, DecisionRecord.approver.in_(sorted(approvers))
    ).exists()


def _with_all(query: Select[Any]) -> Select[Any]:
    """Return the query of summaries, each with its run, its thread and its entry."""
    return (
        query.join(RunRecord, RunRecord.id == SummaryRecord.run_id)
        .outerjoin(OutboxRecord, _IS_ROOT)
        .join(AuditEntryRow, AuditEntryRow.uid == SummaryRecord.entry_id)
    )


def _hit(row: Row[Any]) -> Hit:
    has_place = row.place_ts is not None
    return Hit(
        run=RunId(row.run_id),
        workflow=row.workflow,
        status=Status(row.status),
        channel=row.channel,
        snippet=tuple(_pieces(row.snippet)),
        index=row.idx,
        written_at=row.written_at,
        place=MessagePlace(channel=row.place_channel, ts=row.place_ts) if has_place else None,
    )


def _pieces(marked: str) -> Sequence[Piece]:
    """Return a marked snippet as pieces, so that no view has to trust marks in a text."""
    pieces: list[Piece] = []
    for number, part in enumerate(marked.split(START)):
        found, stop, rest = part.partition(STOP)
        if number == 0 or not stop:
            pieces.append(Piece(text=part))
            continue
        pieces.extend((Piece(text=found, is_found=True), Piece(text=rest)))
    return [one for one in pieces if one.text]

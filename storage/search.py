"""Find runs by the words of their summaries, on both databases.

Only the newest 2,000 hits are ranked: ranking all that match a common word takes over a second
at a million summaries (AUDIT.md section 14). How a hit looks is for the views.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, column, func, select, text
from sqlalchemy import table as table_of

from storage.audit_models import AuditEntryRow
from storage.message_models import OutboxRecord, SummaryRecord
from storage.outbox_values import MessagePlace
from storage.run_models import RunRecord
from storage.search_words import Words, for_fts5, for_postgres, read_words
from storage.transaction import Database
from workflows.entry import RunId
from workflows.run import Status
from workflows.store import Subject

RANKED = 2_000
MOST = 10
SNIPPET_WORDS = 24
LANGUAGE = "english"
# Characters that no text of ours holds mark the words found; they never leave this file.
START, STOP = "\x02", "\x03"
HEADLINE = (
    f"StartSel={START}, StopSel={STOP}, MaxWords={SNIPPET_WORDS}, MinWords=12, MaxFragments=2,"
    ' FragmentDelimiter=" … "'
)

_FTS = table_of("summary_fts", column("rowid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a snippet; `is_found` says that it is one of the words looked for."""

    text: str
    is_found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A run whose summary has the words. `index` leads to the proof of its summary."""

    id: int  # Older pages begin before the smallest of a page.
    run: RunId
    workflow: str
    status: Status
    channel: str
    snippet: tuple[Piece, ...]
    index: int | None
    written_at: datetime
    place: MessagePlace | None  # The first message of its thread.


def find(
    database: Database,
    typed: str,
    *,
    limit: int = MOST,
    before: int | None = None,
    channels: Collection[str] | None = None,
) -> list[Hit]:
    """Return the best among the newest hits, best first; whatever is typed is no error.

    `before` goes back in time, `channels` leaves out runs of all others.
    """
    words = read_words(typed)
    if words.is_empty:
        return []
    query = _on_sqlite if database.dialect == "sqlite" else _on_postgres
    with database.read() as connection:
        rows = connection.execute(query(words, limit, before, channels)).all()
    return [_hit(row) for row in rows]


def _on_sqlite(
    words: Words, limit: int, before: int | None, channels: Collection[str] | None
) -> Select[Any]:
    matches: ColumnElement[bool] = text("summary_fts MATCH :words").bindparams(  # type: ignore[assignment]  # text is a condition, too
        words=for_fts5(words)
    )
    newest = select(_FTS.c.rowid).where(matches).order_by(_FTS.c.rowid.desc()).limit(RANKED)
    if before is not None:
        newest = newest.where(_FTS.c.rowid < before)
    inner = newest.subquery()
    oldest = select(func.min(inner.c.rowid)).scalar_subquery()
    snippet = func.snippet(text("summary_fts"), 0, START, STOP, "…", SNIPPET_WORDS)
    query = (
        _columns(snippet)
        .select_from(_FTS)
        .join(SummaryRecord, SummaryRecord.id == _FTS.c.rowid)
        .where(matches, _FTS.c.rowid >= oldest)
        .order_by(text("bm25(summary_fts)"), _FTS.c.rowid.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(_FTS.c.rowid < before)
    return _seen_in(_with_run(query), channels)


def _on_postgres(
    words: Words, limit: int, before: int | None, channels: Collection[str] | None
) -> Select[Any]:
    wanted = func.to_tsquery(LANGUAGE, for_postgres(words))
    search: ColumnElement[Any] = column("search")
    newest = (
        select(SummaryRecord.id, search)
        .select_from(SummaryRecord)
        .where(search.op("@@")(wanted))
        .order_by(SummaryRecord.id.desc())
        .limit(RANKED)
    )
    if before is not None:
        newest = newest.where(SummaryRecord.id < before)
    inner = newest.subquery()
    rank = func.ts_rank_cd(inner.c.search, wanted)
    ranked = select(inner.c.id, rank.label("rank")).join(
        SummaryRecord, SummaryRecord.id == inner.c.id
    )
    ranked = _seen_in(ranked.join(RunRecord, RunRecord.id == SummaryRecord.run_id), channels)
    best = ranked.order_by(rank.desc(), inner.c.id.desc()).limit(limit).subquery()
    snippet = func.ts_headline(LANGUAGE, SummaryRecord.body, wanted, HEADLINE)
    query = (
        _columns(snippet)
        .select_from(best)
        .join(SummaryRecord, SummaryRecord.id == best.c.id)
        .order_by(best.c.rank.desc(), best.c.id.desc())
    )
    return _with_run(query)


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


def _with_run(query: Select[Any]) -> Select[Any]:
    return (
        query.join(RunRecord, RunRecord.id == SummaryRecord.run_id)
        .join(AuditEntryRow, AuditEntryRow.uid == SummaryRecord.entry_id)
        .outerjoin(
            OutboxRecord,
            (OutboxRecord.subject == Subject.ROOT) & (OutboxRecord.key == SummaryRecord.run_id),
        )
    )


def _seen_in(query: Select[Any], channels: Collection[str] | None) -> Select[Any]:
    return query if channels is None else query.where(RunRecord.channel.in_(sorted(channels)))


def _hit(row: Row[Any]) -> Hit:
    has_place = row.place_ts is not None
    return Hit(
        id=row.id,
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

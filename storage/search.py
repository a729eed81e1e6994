"""Find runs by the words of their summaries and by what is known of them, on both databases.

Only the newest 2,000 hits are ranked: ranking all that match a common word takes over a second
at a million summaries (AUDIT.md section 14). Without words the runs that began last come first,
and no more of them are looked at than some pages hold. Which runs the conditions let through is
asked in `search_runs`; how a hit looks is for the views.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, column, func, not_, select, text
from sqlalchemy import table as table_of

from storage.audit_models import AuditEntryRow
from storage.message_models import OutboxRecord, SummaryRecord
from storage.outbox_values import MessagePlace
from storage.run_models import RunRecord
from storage.search_runs import IS_ROOT, Sought, begun_last, is_few, is_narrowed, only
from storage.search_words import Words, for_fts5, for_postgres, read_words
from storage.transaction import Database
from workflows.entry import RunId
from workflows.run import Status

RANKED = 2_000
AHEAD = 100  # Hits behind a page that are looked at without words, to say that it goes on.
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

_FTS = table_of("summary_fts", column("rowid"))


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
    """One page of what was found, and how much there is.

    `is_cut` says that there may be older ones that nobody looked at.
    """

    page: tuple[Hit, ...]
    total: int
    is_cut: bool = False


def find(database: Database, sought: Sought, *, limit: int = MOST, offset: int = 0) -> Hits:
    """Return the best among the newest hits, best first; no word that is typed is an error."""
    words = read_words(sought.words)
    is_nothing = bool(sought.words.strip()) and not words.without
    if words.is_empty and (is_nothing or not sought.is_filtered):
        return Hits(page=(), total=0)
    most = min(offset + limit + AHEAD, RANKED) if words.is_empty else RANKED
    with database.read() as connection:
        # Conditions are looked up once, here; ranking is left with numbers.
        newest = connection.execute(_newest(connection, words, sought, most)).scalars().all()
        if words.is_empty:
            page = _by_time(newest[offset : offset + limit])
        else:
            ranked = _on_sqlite if _is_sqlite(connection) else _on_postgres
            page = ranked(words, newest, sought, limit=limit, offset=offset)
        rows = connection.execute(page).all() if newest[offset:] else ()
    found = tuple(_hit(row) for row in rows)
    return Hits(page=found, total=len(newest), is_cut=len(newest) >= most)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _newest(connection: Connection, words: Words, sought: Sought, most: int) -> Select[Any]:
    """Return the query of the numbers of at most so many newest hits."""
    if words.is_empty:
        return begun_last(sought, most, *_lacks(connection, words))
    on_this = _newest_on_sqlite if _is_sqlite(connection) else _newest_on_postgres
    return on_this(connection, words, sought).limit(most)


def _lacks(connection: Connection, words: Words) -> Sequence[ColumnElement[bool]]:
    """Return that a summary has none of the words that are to be missing."""
    if not words.without:
        return ()
    unwanted = Words(groups=(words.without,))
    if _is_sqlite(connection):
        return [SummaryRecord.id.not_in(select(_FTS.c.rowid).where(_match(unwanted)))]
    return [not_(column("search").op("@@")(_wanted(unwanted)))]


def _newest_on_postgres(_connection: Connection, words: Words, sought: Sought) -> Select[Any]:
    number = SummaryRecord.__table__.c.id
    query = select(number).where(column("search").op("@@")(_wanted(words)))
    return only(query, sought).order_by(number.desc())


def _newest_on_sqlite(connection: Connection, words: Words, sought: Sought) -> Select[Any]:
    """Return that query. The text index alone serves words; few runs are looked up before it."""
    number: ColumnElement[Any] = _FTS.c.rowid
    query = select(number).where(_match(words))
    if is_few(connection, sought):
        few = only(select(SummaryRecord.__table__.c.id), sought)
        query = query.where((number + 0).in_(few))
    elif is_narrowed(sought):
        query = only(query.join(SummaryRecord, SummaryRecord.id == number), sought)
    return query.order_by(number.desc())


def _by_time(numbers: Sequence[int]) -> Select[Any]:
    snippet = func.substr(SummaryRecord.body, 1, SNIPPET_LENGTH)
    page = _with_all(_columns(snippet).where(SummaryRecord.id.in_(numbers)))
    return page.order_by(RunRecord.started_at.desc(), RunRecord.id.desc())


def _on_sqlite(
    words: Words, newest: Sequence[int], sought: Sought, *, limit: int, offset: int
) -> Select[Any]:
    number = _FTS.c.rowid
    among = number >= min(newest, default=0)
    if is_narrowed(sought):
        # Given the bare number, SQLite would ask its text index once for each of them.
        among &= (number + 0).in_(newest)
    snippet = func.snippet(text("summary_fts"), 0, START, STOP, "…", SNIPPET_WORDS)
    page = (
        _columns(snippet)
        .select_from(_FTS)
        .join(SummaryRecord, SummaryRecord.id == _FTS.c.rowid)
        .where(_match(words), among)
        .order_by(text("bm25(summary_fts)"), number.desc())
        .limit(limit)
        .offset(offset)
    )
    return _with_all(page)


def _match(words: Words) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = text("summary_fts MATCH :words").bindparams(  # type: ignore[assignment]  # text is a condition, too
        words=for_fts5(words)
    )
    return matches


def _on_postgres(
    words: Words, newest: Sequence[int], _sought: Sought, *, limit: int, offset: int
) -> Select[Any]:
    wanted = _wanted(words)
    search: ColumnElement[Any] = column("search")
    number = SummaryRecord.__table__.c.id
    rank = func.ts_rank_cd(search, wanted)
    best = (
        select(number, rank.label("rank"))
        .where(number.in_(newest))
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


def _with_all(query: Select[Any]) -> Select[Any]:
    """Return the query of summaries, each with its run, its thread and its entry."""
    return (
        query.join(RunRecord, RunRecord.id == SummaryRecord.run_id)
        .outerjoin(OutboxRecord, IS_ROOT)
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

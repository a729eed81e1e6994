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

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    any_,
    cast,
    column,
    func,
    literal,
    not_,
    select,
    text,
)
from sqlalchemy import table as table_of

from storage.audit_models import AuditEntryRow
from storage.message_models import OutboxRecord, SummaryRecord
from storage.outbox_values import MessagePlace
from storage.run_models import RunRecord
from storage.search_before import LANGUAGE, for_fts5_before, for_postgres_before
from storage.search_runs import Sought, begun_last, is_few, is_narrowed, is_root, only
from storage.search_words import Words, for_fts5, for_postgres, read_words
from storage.snippets import Piece, beginning, snippet
from storage.story_words import has_unread
from storage.transaction import Database
from workflows.entry import RunId
from workflows.run import Status

RANKED = 2_000
PORTION = 4_000  # So many of the newest hits on Postgres are asked for their run before others.
MOST_WALKED = 40_000
RECENT = 200_000  # So many of the newest stories on Postgres are looked at before others.
AHEAD = 100  # Hits behind a page that are looked at without words, to say that it goes on.
MOST = 10

# A plan for any words reads the newest stories one by one, which suits common words alone; and
# whoever starts other processes for a search waits longer for them than for what is found.
PLANNING = (
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


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
        index = _index(connection, words)
        # Conditions are looked up once, here; ranking is left with numbers.
        newest = _newest(connection, index, sought, most)
        if words.is_empty:
            page = _by_time(newest[offset : offset + limit])
        else:
            page = index.ranked(newest, sought, limit=limit, offset=offset)
        rows = connection.execute(page).all() if newest[offset:] else ()
    found = tuple(_hit(row, words) for row in rows)
    return Hits(page=found, total=len(newest), is_cut=len(newest) >= most)


def _index(connection: Connection, words: Words) -> "_OnSqlite | _OnPostgres":
    """Return where these words are looked for: where the release before did, while that is all.

    A story without words of this release stands in the old index alone.
    """
    is_before = has_unread(connection)
    if connection.dialect.name == "sqlite":
        return _OnSqlite(words, is_before=is_before)
    connection.execute(text(PLANNING))
    return _OnPostgres(words, is_before=is_before)


def _newest(
    connection: Connection, index: "_OnSqlite | _OnPostgres", sought: Sought, most: int
) -> Sequence[int]:
    """Return the numbers of at most so many newest hits."""
    if not index.words.is_empty:
        return index.newest(connection, sought, most)
    return connection.execute(begun_last(sought, most, *index.lacks())).scalars().all()


def _by_time(numbers: Sequence[int]) -> Select[Any]:
    page = _with_all(_columns().where(SummaryRecord.id.in_(numbers)))
    return page.order_by(RunRecord.started_at.desc(), RunRecord.id.desc())


class _OnSqlite:
    """The text index of SQLite."""

    def __init__(self, words: Words, *, is_before: bool) -> None:
        self.words = words
        self._name = "summary_fts" if is_before else "summary_fts_words"
        self._said = for_fts5_before if is_before else for_fts5
        self._table = table_of(self._name, column("rowid"))

    def lacks(self) -> Sequence[ColumnElement[bool]]:
        """Return that a summary has none of the words that are to be missing."""
        if not self.words.without:
            return ()
        unwanted = self._match(Words(groups=(self.words.without,)))
        return [SummaryRecord.id.not_in(select(self._table.c.rowid).where(unwanted))]

    def newest(self, connection: Connection, sought: Sought, most: int) -> Sequence[int]:
        """Return the newest hits. The text index alone serves words; few runs come first."""
        number: ColumnElement[Any] = self._table.c.rowid
        query = select(number).where(self._match(self.words))
        if is_few(connection, sought):
            few = only(select(SummaryRecord.__table__.c.id), sought)
            query = query.where((number + 0).in_(few))
        elif is_narrowed(sought):
            query = only(query.join(SummaryRecord, SummaryRecord.id == number), sought)
        return connection.execute(query.order_by(number.desc()).limit(most)).scalars().all()

    def ranked(
        self, newest: Sequence[int], sought: Sought, *, limit: int, offset: int
    ) -> Select[Any]:
        """Return the query of one page of the newest hits, the best first."""
        number = self._table.c.rowid
        among = number >= min(newest, default=0)
        if is_narrowed(sought):
            # Given the bare number, SQLite would ask its text index once for each of them.
            among &= (number + 0).in_(newest)
        page = (
            _columns()
            .select_from(self._table)
            .join(SummaryRecord, SummaryRecord.id == number)
            .where(self._match(self.words), among)
            .order_by(text(f"bm25({self._name})"), number.desc())
            .limit(limit)
            .offset(offset)
        )
        return _with_all(page)

    def _match(self, words: Words) -> ColumnElement[bool]:
        matches: ColumnElement[bool] = text(f"{self._name} MATCH :words").bindparams(  # type: ignore[assignment]  # text is a condition, too
            words=self._said(words)
        )
        return matches


class _OnPostgres:
    """The text index of Postgres."""

    def __init__(self, words: Words, *, is_before: bool) -> None:
        self.words = words
        self._is_before = is_before
        self._search: ColumnElement[Any] = column("search" if is_before else "word_places")

    def lacks(self) -> Sequence[ColumnElement[bool]]:
        """Return that a summary has none of the words that are to be missing."""
        if not self.words.without:
            return ()
        return [not_(self._search.op("@@")(self._wanted(Words(groups=(self.words.without,)))))]

    def newest(self, connection: Connection, sought: Sought, most: int) -> Sequence[int]:
        """Return the newest hits; where conditions may leave many, their words are met first."""
        number = SummaryRecord.__table__.c.id
        query = select(number).where(self._search.op("@@")(self._wanted(self.words)))
        query = query.order_by(number.desc())
        if not is_narrowed(sought):
            return _latest(connection, query, most)
        if is_few(connection, sought):
            return connection.execute(only(query, sought).limit(most)).scalars().all()
        return _met(connection, query.add_columns(SummaryRecord.run_id), sought, most)

    def ranked(
        self, newest: Sequence[int], _sought: Sought, *, limit: int, offset: int
    ) -> Select[Any]:
        """Return the query of one page of the newest hits, the best first."""
        from sqlalchemy.dialects.postgresql import ARRAY  # noqa: PLC0415 - see storage.base.

        number = SummaryRecord.__table__.c.id
        # One value: as two thousand of them they take as long to be said as to be ranked.
        among = number == any_(literal(newest, ARRAY(BigInteger)))
        rank = func.ts_rank_cd(self._search, self._wanted(self.words))
        best = (
            select(number, rank.label("rank"))
            .where(among)
            .order_by(rank.desc(), number.desc())
            .limit(limit)
            .offset(offset)
            .subquery()
        )
        page = (
            _columns()
            .select_from(best)
            .join(SummaryRecord, SummaryRecord.id == best.c.id)
            .order_by(best.c.rank.desc(), best.c.id.desc())
        )
        return _with_all(page)

    def _wanted(self, words: Words) -> ColumnElement[Any]:
        from sqlalchemy.dialects.postgresql import TSQUERY  # noqa: PLC0415 - see storage.base.

        if self._is_before:
            return func.to_tsquery(LANGUAGE, for_postgres_before(words))
        return cast(literal(for_postgres(words)), TSQUERY)


def _latest(connection: Connection, hits: Select[Any], most: int) -> Sequence[int]:
    """Return at most so many hits, newest first: those of the recent stories before all others.

    Asked for both at once, the server walks through the stories one by one until it has enough,
    also for words that one story in a hundred has. Of the recent ones it looks at hits alone.
    """
    number = SummaryRecord.__table__.c.id
    recent = (connection.execute(select(func.max(number))).scalar() or 0) - RECENT
    found = connection.execute(hits.where(number > recent).limit(most)).scalars().all()
    left = most - len(found)
    if not left or recent <= 0:
        return found
    return [*found, *connection.execute(hits.where(number <= recent).limit(left)).scalars()]


def _met(connection: Connection, hits: Select[Any], sought: Sought, most: int) -> Sequence[int]:
    """Return at most so many hits that the conditions let through, newest first.

    The server guesses that next to nobody may read a hit, so it would meet every one of them
    before it sorts. Here the newest are met first, then a quarter more of those before than will do
    if the conditions let through as many of them, unless these are too many to be walked.
    """
    met: list[int] = []
    portion = PORTION
    while len(met) < most and portion <= MOST_WALKED:
        newest = hits.limit(portion).cte()
        let_through = only(select(newest.c.id), sought, of=newest.c.run_id).subquery()
        among = select(func.array_agg(let_through.c.id)).scalar_subquery()
        looked_at = select(func.count(), func.min(newest.c.id), among).select_from(newest)
        count, oldest, found = connection.execute(looked_at).one()
        new = sorted(found or (), reverse=True)
        met += new
        if count < portion:
            return met[:most]
        hits = hits.where(SummaryRecord.id < oldest)
        portion = 5 * (most - len(met)) * portion // (4 * max(len(new), 1))
    left = max(most - len(met), 0)
    others = only(hits.with_only_columns(SummaryRecord.id), sought).limit(left)
    return [*met, *connection.execute(others).scalars()] if left else met[:most]


def _columns() -> Select[Any]:
    columns: list[Any] = [
        SummaryRecord.id,
        SummaryRecord.run_id,
        SummaryRecord.written_at,
        SummaryRecord.body,
        RunRecord.workflow,
        RunRecord.status,
        RunRecord.channel,
        AuditEntryRow.idx,
        OutboxRecord.place_channel,
        OutboxRecord.place_ts,
    ]
    return select(*columns)


def _with_all(query: Select[Any]) -> Select[Any]:
    """Return the query of summaries, each with its run, its thread and its entry."""
    return (
        query.join(RunRecord, RunRecord.id == SummaryRecord.run_id)
        .outerjoin(OutboxRecord, is_root(SummaryRecord.__table__.c.run_id))
        .join(AuditEntryRow, AuditEntryRow.uid == SummaryRecord.entry_id)
    )


def _hit(row: Row[Any], words: Words) -> Hit:
    has_place = row.place_ts is not None
    return Hit(
        run=RunId(row.run_id),
        workflow=row.workflow,
        status=Status(row.status),
        channel=row.channel,
        snippet=beginning(row.body) if words.is_empty else snippet(row.body, words),
        index=row.idx,
        written_at=row.written_at,
        place=MessagePlace(channel=row.place_channel, ts=row.place_ts) if has_place else None,
    )

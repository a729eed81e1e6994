"""Opens units over runs, gates and messages, and answers the engine's reads: a `Store`.

What happens inside a unit is `unit`; what people read at leisure is
`listing`, `search` and `figures`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from time import monotonic

from storage.asked_sql import AskedSql
from storage.budget_sql import BudgetSql
from storage.change import Clock
from storage.delegations import DelegationSql
from storage.denial_sql import DenialSql
from storage.entries_sql import entries_in, entry_questions, first_entry
from storage.glass_sql import GlassSql
from storage.held_run import read_held
from storage.history import find_entry
from storage.home_rows import HomeRows
from storage.journal import Journal, utc_now
from storage.outbox_rows import OutboxRows
from storage.patience import patience
from storage.request_rows import no_request
from storage.run_sql import RunSql, known_run_question
from storage.soak_sql import NOTHING, Ended, SoakSql
from storage.transaction import Database
from storage.unit import SqlUnit
from workflows.delegation import Delegation
from workflows.entry import Entry, Ref, RequestId, RunId
from workflows.errors import UnknownRunError
from workflows.gate import ApprovalRequest, Denial, Outcome
from workflows.glass import GlassUse
from workflows.people import PersonId
from workflows.people_store import AskedNow, ShapingNow
from workflows.soak import Soak
from workflows.store import Due, DueKind, RunRow, Taken

FORGOTTEN_AT_ONCE = 500
MOST_SOAKED = 50


class SqlStore:
    """The store on either database.

    Without `now`, a unit's moment is that of Postgres' clock, and on SQLite that of this
    machine, which is the only one that writes there.
    """

    def __init__(self, database: Database, journal: Journal, *, now: Clock | None = None) -> None:
        self.database = database
        self.journal = journal
        is_sqlite = database.dialect == "sqlite"
        self._clock = now if now is not None or not is_sqlite else utc_now
        self.outbox = OutboxRows(database, clock=self._clock)
        self.homes = HomeRows(database, clock=self._clock)
        self._ended: Mapping[str, Ended] = {}  # By version, what stopped runs that have ended.
        self._on_sent: Callable[[], None] = lambda: None
        self._on_due: Callable[[datetime], None] = lambda _: None
        self._on_moved: Callable[[RunId], None] = lambda _: None
        self._on_news: Callable[[], None] = lambda: None
        self._on_committed: Callable[[float], None] | None = None

    def on_sent(self, tell: Callable[[], None]) -> None:
        """Say who is told, after the commit, that a message waits to be delivered."""
        self._on_sent = tell

    def on_due(self, tell: Callable[[datetime], None]) -> None:
        """Say who is told, after the commit, for which moment something was stored."""
        self._on_due = tell

    def on_moved(self, tell: Callable[[RunId], None]) -> None:
        """Say who is told, after the commit, which run's row has changed."""
        self._on_moved = tell

    def on_news(self, tell: Callable[[], None]) -> None:
        """Say who is told, after the commit, that somebody's Home is to be drawn."""
        self._on_news = tell
        self.homes.on_news(tell)

    def on_committed(self, tell: Callable[[float], None]) -> None:
        """Say who is told, after each commit, how many seconds it took."""
        self._on_committed = tell

    @contextmanager
    def begin(self) -> Iterator[SqlUnit]:
        limit = patience()
        with self.database.begin(lock_timeout_ms=limit, statement_timeout_ms=limit) as tx:
            unit = SqlUnit(
                tx,
                self.journal,
                clock=self._clock,
                on_sent=self._on_sent,
                on_due=self._on_due,
                on_moved=self._on_moved,
                on_news=self._on_news,
            )
            yield unit
            unit.flush()
            ended = monotonic()
        if self._on_committed is not None:
            self._on_committed(monotonic() - ended)

    def forget_deliveries(self, *, seen_before: datetime) -> int:
        """Remove deliveries that Slack does not repeat any more; return how many.

        Each unit is short, so that nobody's click waits for it.
        """
        total, removed = 0, FORGOTTEN_AT_ONCE
        while removed == FORGOTTEN_AT_ONCE:
            with self.database.begin() as tx:
                removed = RunSql(tx).forget_deliveries(
                    seen_before=seen_before, limit=FORGOTTEN_AT_ONCE
                )
            total += removed
        return total

    def run(self, run: RunId) -> RunRow:
        with self.database.glance() as tx:
            found = RunSql(tx).run_now(run)
        if found is None:
            raise UnknownRunError(f"There is no run {run}.")
        return found.row()

    def history(self, run: RunId, *, after: int = -1) -> tuple[RunRow, Sequence[Entry]]:
        with self.database.glance() as tx:
            found, *told = RunSql(tx).ask(
                known_run_question(run), *entry_questions(run, after=after)
            )
        if not found:
            raise UnknownRunError(f"There is no run {run}.")
        *row, requester = found[0]
        return replace(read_held(row).row(), requester_id=requester), entries_in(told)

    def started_as(self, start_key: str) -> tuple[RunRow, Entry] | None:
        with self.database.glance() as tx:
            sql = RunSql(tx)
            found = sql.started_as(start_key)
            return None if found is None else (found.row(), first_entry(sql, found.id))

    def request(self, request: RequestId) -> ApprovalRequest:
        with self.database.glance() as tx:
            found = RunSql(tx).request(request)
        if found is None:
            raise no_request(request)
        return found

    def batch(self, batch: RequestId) -> Sequence[ApprovalRequest]:
        """Return the requests that are put to people together, as they are now."""
        with self.database.glance() as tx:
            return RunSql(tx).requests_of_batch(batch)

    def open_requests_of(self, person: PersonId, *, most: int) -> Sequence[ApprovalRequest]:
        with self.database.glance() as tx:
            sql = RunSql(tx)
            found = (sql.request(one) for one in sql.open_requests_of(person, most))
            return [one for one in found if one is not None and one.outcome is Outcome.OPEN]

    def away(self, people: Collection[Ref]) -> Mapping[Ref, Delegation]:
        """Return what those of `people` said who are away now."""
        with self.database.glance() as tx:
            sql = DelegationSql(tx)
            return sql.of_people(people, now=sql.moment(self._clock))

    def delegation_by(self, giver: PersonId, *, at: datetime) -> Delegation | None:
        with self.database.glance() as tx:
            return DelegationSql(tx).by_person(giver, now=at)

    def standing_in(self, person: PersonId, *, at: datetime) -> Sequence[Delegation]:
        """Return by whose words this person stands in for others at that moment."""
        with self.database.glance() as tx:
            return DelegationSql(tx).to_person(person, now=at)

    def entry(self, entry_id: str) -> Entry | None:
        with self.database.read() as connection:
            return find_entry(connection, entry_id)

    def stood_in(self, giver: Ref, stand_in: Ref, *, at: datetime) -> bool:
        with self.database.glance() as tx:
            return any(one.stands_at(at) for one in DelegationSql(tx).between(giver, stand_in))

    def asked_now(
        self,
        request: RequestId,
        *,
        at: datetime,
        people: Collection[Ref] = (),
        stand_in: PersonId | None = None,
    ) -> AskedNow:
        with self.database.glance() as tx:
            found = AskedSql(tx).asked(request, now=at, people=people, stand_in=stand_in)
        if found is None:
            raise no_request(request)
        return found

    def shaping_now(
        self, versions: Collection[str], *, at: datetime, people: Collection[Ref]
    ) -> ShapingNow:
        with self.database.glance() as tx:
            return AskedSql(tx).shaping(versions, now=at, people=people)

    def acting_for(self, people: frozenset[Ref], *, at: datetime) -> frozenset[Ref]:
        with self.database.glance() as tx:
            words = DelegationSql(tx).of_people(people, now=at).values()
        return frozenset(one.stand_in for one in words if one.stand_in is not None)

    def person(self, ref: Ref) -> PersonId | None:
        with self.database.glance() as tx:
            found = RunSql(tx).person(ref)
        return None if found is None else PersonId(found[0])

    def soak(self, version: str, *, most: int) -> Soak | None:
        ended = self._ended.get(version, NOTHING)
        with self.database.glance() as tx:
            found = SoakSql(tx).soak(version, most=most, ended=ended)
        if found is not None:
            # Nothing follows the end of a run. Of many versions some are simply read again.
            kept = self._ended if len(self._ended) < MOST_SOAKED else {}
            known: Ended = {one.run: one.failures for one in found.runs if one.outcome is not None}
            self._ended = {**kept, version: known}
        return found

    def budget_used(self, name: str, key: str, *, since: datetime) -> int:
        with self.database.glance() as tx:
            return BudgetSql(tx).used(name, key, since=since)

    def taken(self, name: str, key: str, *, since: datetime) -> Sequence[Taken]:
        with self.database.glance() as tx:
            return BudgetSql(tx).taken(name, key, since=since)

    def glass_use(self, use: str) -> GlassUse:
        with self.database.glance() as tx:
            return GlassSql(tx).use(use)

    def overdue_reviews(self, now: datetime) -> Sequence[GlassUse]:
        with self.database.glance() as tx:
            return GlassSql(tx).overdue(now)

    def denied_arguments(
        self, action: str, *, since: datetime
    ) -> Sequence[tuple[RequestId, bytes]]:
        with self.database.glance() as tx:
            return DenialSql(tx).arguments(action, since=since)

    def denial(self, request: RequestId) -> Denial:
        with self.database.glance() as tx:
            found = DenialSql(tx).denial(request)
        if found is None:
            raise UnknownRunError(f"There is no denied request {request}.")
        return found

    def known_budget_key(self, name: str, value: str) -> str | None:
        with self.database.glance() as tx:
            return BudgetSql(tx).known_key(name, value)

    def due(self, *, until: datetime, limit: int) -> Sequence[Due]:
        with self.database.glance() as tx:
            return RunSql(tx).due(until=until, limit=limit)

    def due_of(self, kind: DueKind, *, after: datetime) -> Sequence[Due]:
        with self.database.glance() as tx:
            return RunSql(tx).due_of(kind, after=after)

    def next_due(self) -> datetime | None:
        with self.database.glance() as tx:
            return RunSql(tx).next_due()

    def standing(self, *, claimed_before: datetime, limit: int) -> Sequence[RunId]:
        with self.database.glance() as tx:
            return RunSql(tx).standing(claimed_before=claimed_before, limit=limit)

"""One transaction over runs, gates and messages: the `Unit` of `workflows.store`.

The rows of runs it keeps in `held_runs` while it works. Opening and committing is `store`;
what an entry changes elsewhere is `projections`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from storage.awaited import AwaitedSql
from storage.bot_sql import BotSql, NewDigest
from storage.budget_sql import BudgetSql
from storage.change import Clock
from storage.database_errors import refused_by_database
from storage.delegations import DelegationSql
from storage.entries_sql import entries_of_run
from storage.entry_builder import NO_TAIL, Tail
from storage.glass_sql import GlassSql
from storage.held_run import HeldRun
from storage.held_runs import HeldRuns
from storage.home_sql import HomeSql
from storage.journal import Journal
from storage.lock_sql import HolderSql
from storage.met import Met
from storage.outbox_sql import OutboxSql
from storage.place_sql import PlaceSql, wants_question
from storage.projections import changes
from storage.request_rows import no_request
from storage.run_sql import RunSql
from storage.schedules import ScheduleSql
from storage.step_up import StepUpSql
from storage.transaction import Cursor, Transaction
from workflows.delegation import Delegation
from workflows.entry import Draft, Entry, Ref, RequestId, RunId
from workflows.errors import StorageError
from workflows.gate import ApprovalRequest, Decision
from workflows.glass import GlassUse
from workflows.home_news import concerned
from workflows.people import Person, PersonId
from workflows.schedule import ScheduleRow
from workflows.store import (
    Delivery,
    Due,
    Message,
    NewRun,
    RunRow,
    Subject,
    Taken,
    ThreadMessage,
)

NOBODY = "somebody"  # Whom an erased pseudonym stands for.


class SqlUnit:
    """A unit on either database. Beyond the protocol it has what the bot itself remembers."""

    def __init__(
        self,
        tx: Transaction,
        journal: Journal,
        *,
        clock: Clock | None,
        on_sent: Callable[[], None] = lambda: None,
        on_due: Callable[[datetime], None] = lambda _: None,
        on_moved: Callable[[RunId], None] = lambda _: None,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self._tx = tx
        self._journal = journal
        self._on_sent = on_sent
        self._on_due = on_due
        self._messages: dict[tuple[Subject, str], Message] = {}
        self._met = Met()
        self._sql = RunSql(tx)
        self._awaited = AwaitedSql(tx)
        self._homes = HomeSql(tx, on_news=on_news)
        self._runs = HeldRuns(tx, self._sql, self._homes, clock=clock, on_moved=on_moved)
        self._decided: dict[str, list[Decision]] = {}  # Read with the lock, until we append.
        self._wants_none: set[RunId] = set()  # Locked runs that hold no place and wait for none.
        self._is_broken = False

    @property
    def transaction(self) -> Transaction:
        """Return the transaction itself, for reads that belong into this unit."""
        return self._tx

    @property
    def now(self) -> datetime:
        return self._runs.now

    def is_repeat(self, delivery: Delivery) -> bool:
        return not self._sql.is_new_delivery(
            delivery.team, delivery.kind, delivery.key, at=self.now
        )

    def ref(self, who: PersonId, name: str = "") -> Ref:
        return self._refs({who: name or None})[who]

    def refs(self, people: Iterable[Person]) -> Mapping[PersonId, Ref]:
        return self._refs({one.id: one.name or None for one in people})

    def _refs(self, names: Mapping[str, str | None]) -> Mapping[PersonId, Ref]:
        found = self._journal.refs(self._tx, names, known=self._met.subjects(names))
        return {PersonId(one): ref for one, ref in found.items()}

    def name(self, ref: Ref) -> str:
        found = self._sql.person(ref)
        return (found[1] if found is not None else None) or NOBODY

    def thread_messages(self, run: RunId) -> Sequence[ThreadMessage]:
        return [
            ThreadMessage(ts=ts, author=self.name(Ref(author)), text=text)
            for ts, author, text in BotSql(self._tx).thread_messages(run)
        ]

    def add_run(self, run: NewRun) -> None:
        self._runs.add(run)

    def run_started_as(self, start_key: str) -> RunId | None:
        return self._sql.hold_start(start_key)

    def lock_run(
        self, run: RunId, *, people: Collection[PersonId] = (), ends: bool = False
    ) -> RunRow:
        self._look_up(people)
        if ends:
            self._sql.ask_along(wants_question(run), partial(self._note_wants, run))
        return self._runs.run(run).row()

    def lock_run_of(
        self, request: RequestId, *, people: Collection[PersonId] = ()
    ) -> tuple[ApprovalRequest, RunRow]:
        self._look_up(people)
        found = self._sql.hold_run_of(request)
        if found is None:
            raise no_request(request)
        run, asked, decided = found
        self._decided = {asked.id: decided}
        return asked, self._runs.kept(run).row()

    def _look_up(self, people: Collection[PersonId]) -> None:
        if asked := frozenset(people):
            self._sql.ask_along(self._met.question(asked), partial(self._met.take, asked))

    def _note_wants(self, run: RunId, found: list[Any]) -> None:
        if not found:
            self._wants_none.add(run)

    def entries(self, run: RunId, *, after: int = -1) -> Sequence[Entry]:
        return entries_of_run(self._sql, run, after=after)

    def append(self, draft: Draft) -> Entry:
        try:
            return self._append(draft)
        except refused_by_database() as error:
            self._is_broken = True
            raise StorageError(f"This cannot be recorded: {error}") from error
        except ValueError as error:
            self._is_broken = True
            raise StorageError(f"This cannot be recorded: {error}") from error
        except StorageError:
            self._is_broken = True
            raise

    def _append(self, draft: Draft) -> Entry:
        held = None if draft.run is None else self._runs.run(draft.run)
        if held is not None and held.has_ended:
            raise ValueError(f"run {held.id} has ended, and nothing follows its last entry.")
        recorded = self._journal.append(self._tx, draft, tail=_tail(held))
        if held is not None:
            held.take_up(recorded.entry, leaf=recorded.leaf)
        self._decided.clear()
        self._bring_up(recorded.entry)
        return recorded.entry

    def _bring_up(self, entry: Entry) -> None:
        """Write what an entry states, and note whose Home it changes."""
        whom = concerned(entry)
        if whom.request and not whom.is_new:
            self._homes.news_for_awaited(whom.request, now=self.now)
        if entry.kind == "approval.delegated":
            self._met.forget_words()
        for change in changes(entry):
            self._runs.write_new()
            self._sql.apply(change)
        self._awaited.follow(entry)
        if whom.request and not whom.is_over:
            self._homes.news_for_awaited(whom.request, now=self.now)
        if whom.owners:
            self._homes.news_for_owners(self._runs.workflow_of(entry), now=self.now)
        if whom.schedule:
            self._homes.news_for_setter(whom.schedule, now=self.now)
        if whom.review:
            self._homes.news_for(self.glass_use(whom.review).reviewers, now=self.now)
        self._homes.news_for(whom.people, now=self.now)

    def claim(self, run: RunId, *, by: str) -> int:
        held = self._runs.run(run)
        held.work.update(epoch=held.work["epoch"] + 1, ready_at=None)
        if not held.has_ended:
            held.work.update(claimed_at=self.now, claimed_by=by)
        return int(held.work["epoch"])

    def release(self, run: RunId) -> None:
        self._runs.run(run).work.update(claimed_at=None, claimed_by=None, segments_died=0)

    def mark_ready(self, run: RunId) -> None:
        held = self._runs.run(run)
        if held.work["ready_at"] is None and not held.has_ended:
            held.work["ready_at"] = self.now

    def count_death(self, run: RunId) -> int:
        """Note that a segment of the run died of a defect; return how many have by now."""
        work = self._runs.run(run).work
        work["segments_died"] += 1
        return int(work["segments_died"])

    def open_request(self, run: RunId) -> ApprovalRequest | None:
        return self._sql.standing_request(run)

    def decisions(self, request: RequestId) -> Sequence[Decision]:
        known = self._decided.get(request)
        return self._sql.decisions(request) if known is None else known

    def glass_use(self, use: str) -> GlassUse:
        return GlassSql(self._tx).use(use)

    def glass_use_of(self, request: RequestId) -> GlassUse | None:
        return GlassSql(self._tx).use_of(request)

    def overdue_reviews(self, now: datetime) -> Sequence[GlassUse]:
        return GlassSql(self._tx).overdue(now)

    def take_lock(self, key: str, run: RunId) -> RunId:
        self._runs.write_new()
        holder = self._sql.take_lock(key, run)
        if holder != run:
            self._sql.queue_for_lock(key, run)
        return holder

    def pass_lock(self, key: str, run: RunId) -> RunId | None:
        self._sql.leave_lock_queue(key, run)
        if self._sql.lock_holder(key) != run:
            return None
        heir = next(iter(self.queued_for_lock(key, most=1)), None)
        self._sql.hand_lock(key, heir)
        if heir is None:
            return None
        self._sql.leave_lock_queue(key, heir)
        return RunId(heir)

    def queued_for_lock(self, key: str, *, most: int) -> Sequence[RunId]:
        return [RunId(one) for one in self._sql.lock_queue(key, most=most)]

    def take_place(self, key: str, run: RunId, *, most: int) -> RunId:
        self._runs.write_new()
        return PlaceSql(self._tx).take(key, run, most=most)

    def pass_places(self, run: RunId) -> Sequence[RunId]:
        return [] if run in self._wants_none else PlaceSql(self._tx).give_back(run)

    @property
    def holders(self) -> HolderSql:
        return HolderSql(self._tx)

    def hold_budget(self, name: str, key: str) -> None:
        BudgetSql(self._tx).hold(name, key)

    def budget_used(self, name: str, key: str, *, since: datetime) -> int:
        return BudgetSql(self._tx).used(name, key, since=since)

    def taken(self, name: str, key: str, *, since: datetime) -> Sequence[Taken]:
        return BudgetSql(self._tx).taken(name, key, since=since)

    def budget_key(self, name: str, value: str) -> str:
        return BudgetSql(self._tx).key(name, value)

    def set_due(self, due: Due) -> None:
        self._runs.write_new()
        self._sql.set_due(due)
        self._tx.after_commit(lambda: self._on_due(due.at))

    def clear_due(self, run: RunId) -> None:
        self._sql.clear_due(run)

    def take_due(self, due: Due) -> bool:
        return self._sql.take_due(due)

    def is_looked_at(self, run: RunId) -> bool:
        return self._sql.is_looked_at(run, now=self.now)

    def hold_schedule(self, schedule: str) -> ScheduleRow | None:
        return ScheduleSql(self._tx).hold(schedule)

    def hold_delegation(self, giver: Ref) -> Delegation | None:
        return DelegationSql(self._tx).hold(giver)

    def delegation_of(self, giver: Ref) -> Delegation | None:
        return DelegationSql(self._tx).share(giver)

    def away(self, people: Collection[Ref]) -> Mapping[Ref, Delegation]:
        known = self._met.away(people, now=self.now)
        return DelegationSql(self._tx).of_people(people, now=self.now) if known is None else known

    @property
    def codes(self) -> StepUpSql:
        return StepUpSql(self._tx)

    def wake_at(self, moment: datetime) -> None:
        self._tx.after_commit(lambda: self._on_due(moment))

    def send(self, message: Message) -> None:
        # Several facts of one unit change the same message; it is queued once, at the end.
        named = (message.subject, message.key)
        earlier = self._messages.get(named)
        if earlier is None and not self._messages:
            self._tx.after_commit(self._on_sent)
        if earlier is not None and earlier.body is not None and message.body is None:
            message = replace(message, body=earlier.body)
        self._messages[named] = message

    def renew_nudges(self, run: RunId, request: RequestId) -> None:
        OutboxSql(self._tx).renew_nudges(run, request, at=self.now, tell=self._tell_if_sent)

    def _tell_if_sent(self, cursor: Cursor) -> None:
        if cursor.rowcount > 0:
            self._tx.after_commit(self._on_sent)

    def after_commit(self, action: Callable[[], None]) -> None:
        self._tx.after_commit(action)

    def take_firing(self, schedule: str, due: datetime) -> bool:
        """Take one moment of a schedule; False if another process was first.

        The unit goes on to append its `schedule.fired` or `schedule.missed`.
        """
        return BotSql(self._tx).take_firing(schedule, due)

    def is_published(self, version: str) -> bool:
        """Say whether a version was published; `hold_workflow` keeps others from doing so now."""
        return BotSql(self._tx).is_published(version)

    def add_definition(self, version: str, canonical: str) -> None:
        """Keep the text of a version whose `workflow.published` this unit appended."""
        BotSql(self._tx).keep_definition(version, canonical)

    def keep_policy(self, version: str, canonical: str) -> None:
        """Keep the text of a policy, whether or not it is in force."""
        BotSql(self._tx).keep_policy(version, canonical)

    def hold_policy(self, name: str) -> str | None:
        """Return the policy in force; two changes of it wait for each other."""
        return BotSql(self._tx).hold_policy(name)

    def hold_workflow(self, workflow: str) -> str | None:
        """Return the active version; two publications of one workflow wait for each other."""
        return BotSql(self._tx).hold_workflow(workflow)

    def hold_level(self, workflow: str, version: str) -> str | None:
        BotSql(self._tx).hold_workflow(workflow)
        return BotSql(self._tx).level_of(version)

    def add_digest(self, digest: NewDigest) -> None:
        """Keep the figures of a digest, for the message that shows them."""
        BotSql(self._tx).add_digest(digest, at=self.now)

    def add_thread_message(self, run: RunId, ts: str, *, author: Ref, text: str) -> None:
        """Keep what a person wrote in a run's thread; the same moment again is an edit."""
        BotSql(self._tx).keep_thread_message(run, ts, author=author, text=text)

    def drop_thread_message(self, run: RunId, ts: str) -> None:
        """Forget a message that was deleted in Slack."""
        BotSql(self._tx).drop_thread_message(run, ts)

    def open_home(self, ref: Ref, *, shown: str | None, at: datetime | None = None) -> None:
        """Note that somebody looked at their Home, when by Slack; `shown` is its hash."""
        self._homes.open(ref, at=at or self.now, now=self.now, shown=shown)

    def flush(self) -> None:
        """Write the runs and messages this unit touched. The store calls it before the commit.

        Raises:
            StorageError: something could not be recorded, so nothing may be.
        """
        if self._is_broken:
            # Postgres would end such a transaction without a word, and keep nothing of it.
            raise StorageError("Part of this could not be recorded, so none of it was.")
        self._runs.write()
        if self._messages:
            OutboxSql(self._tx).send(self._messages.values(), at=self.now)


def _tail(held: HeldRun | None) -> Tail | None:
    if held is None:
        return None
    return NO_TAIL if held.facts is None else held.facts.tail

"""Recording a claimed run's facts: pending ones, commits, what others wrote meanwhile, the fence.

Facts are committed under the run's lock. When others have written to the run meanwhile, their
entries are taken up first and whoever wanted to commit looks again. When its epoch is no longer
the row's, another process has taken over and this one stops.

Branches of a run may record from several threads at once; each move of each branch is judged
by what was known when it began (`begin_move`).
"""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from workflows.entry import Draft, Entry, RunId, StoredPart
from workflows.house import House
from workflows.late import late_drafts
from workflows.people import PersonId
from workflows.replay import after, replay
from workflows.run import RunState
from workflows.store import Due, DueKind, Message, RunRow, Unit
from workflows.telling import cards_beside, messages_about, renewed
from workflows.trouble import first_look

VERIFIED = "verification.passed"
MOST_PENDING = 16  # Facts of reads that wait for the next commit.

Also = Callable[[Unit], None]
Fact = Draft | Callable[[Unit], Draft]  # Some facts need the unit: a person's pseudonym.


class SupersededError(Exception):
    """Another process has taken the run over, or a person ended it; this one stops."""


class Recorder:
    """Where a claimed run stands, and how to record what comes next."""

    def __init__(
        self, house: House, row: RunRow, base: RunState, *, is_claimed: bool = True
    ) -> None:
        """One that is not claimed yet claims the run in its first commit."""
        self.house = house
        self.row = row
        self.state = base  # With the pending facts.
        self.is_alone = True  # Whether no other branch is alive, nor waits for anything.
        self._base = base  # As committed.
        self._epoch = row.epoch
        self._is_claimed = is_claimed
        self._pending: list[Draft] = []
        self._outcomes: list[Draft] = []  # Those of the pending facts that say how effects ended.
        self._guard = threading.RLock()
        self._news = 0  # How often others had written.
        self._known = threading.local()  # The news that a branch's present move knows of.

    @property
    def committed(self) -> RunState:
        """Where the run stands by its committed entries alone."""
        return self._base

    @property
    def news(self) -> int:
        """How often others had written so far. Read it before the state that moves come from."""
        return self._news

    def begin_move(self, news: int) -> None:
        """Say that the move which this thread now makes comes from a state with that `news`.

        What others wrote since, and another branch may have taken up already, it does not know.
        """
        self._known.news = news

    def note(self, draft: Draft) -> None:
        """Take up a fact that may ride on the next commit: a read, or a branch not taken."""
        with self._guard:
            self._pending.append(draft)
            self.state = after(self.state, self._provisional(draft))

    def note_outcome(self, draft: Draft) -> None:
        """Take up what came of an effect.

        Whoever does so either commits at once or goes straight on to the next effect, whose
        announcement then shares the commit. A segment that was only slow still has its say:
        should another process hold the run by then, the outcome is appended all the same.
        """
        with self._guard:
            self._outcomes.append(draft)
            self.note(draft)

    @property
    def has_outcome(self) -> bool:
        """Whether the outcome of an effect is not committed yet."""
        return bool(self._outcomes)

    @property
    def tells_of_effect(self) -> bool:
        """Whether how an effect ended, or that it shows, is not committed yet."""
        return self.has_outcome or any(one.kind == VERIFIED for one in self._pending)

    @property
    def is_full(self) -> bool:
        """Whether so many facts are pending that they deserve a commit of their own."""
        return len(self._pending) >= MOST_PENDING

    def commit(
        self,
        *drafts: Fact,
        also: Also | None = None,
        rests: bool = False,
        until: datetime | None = None,
        people: Collection[PersonId] = (),
        ends: bool = False,
    ) -> bool:
        """Record the pending facts, then `drafts`, in one transaction.

        False when others have written to the run since this move began: theirs are taken up, the
        pending facts are recorded, `drafts` are not, and the caller looks again. With `rests` it
        lets go of the run at the same time, for drafts after which only another entry, or the
        moment `until`, can set it going. `people` are those whom `drafts` will speak of;
        `ends` says that they end the run.

        Raises:
            SupersededError: another process has taken the run over; at most the outcome of an
                effect was recorded, and whoever holds the run is told to look.
            StorageError: nothing was recorded.
        """
        with self._guard:
            with self.house.store.begin() as unit:
                row = unit.lock_run(self.state.id, people=people, ends=ends)
                is_late = row.epoch != self._epoch and self.has_outcome
                if is_late:
                    self._record_late(unit)
                else:
                    base, epoch = self._take_up(unit, row)
                    is_known = self._is_known(row)
                    if is_known:
                        base = self._record(unit, drafts, base)
                        self._add(unit, also, rests=rests, until=until)
            if is_late:
                self._outcomes = []
                raise SupersededError
            self._settle_on(base, row, epoch)
            return is_known

    def rest(self, until: datetime | None = None) -> bool:
        """Let go of the run until somebody acts or `until` comes.

        Returns True when there is more to do at once, because others wrote meanwhile.
        """
        with self._guard:
            with self.house.store.begin() as unit:
                row = unit.lock_run(self.state.id)
                base, epoch = self._take_up(unit, row)
                goes_on = row.rseq > self._base.rseq or row.is_ready
                if goes_on:
                    epoch = unit.claim(self.state.id, by=self.house.name)
                else:
                    self._let_go(unit, until)
            self._settle_on(base, row, epoch)
            return goes_on

    def catch_up(self) -> bool:
        """Take up what others wrote, if they did; say whether they did."""
        if self.house.store.run(self.state.id).rseq <= self._base.rseq:
            return False
        before = self._news
        self.commit()
        return self._news > before

    def _add(self, unit: Unit, also: Also | None, *, rests: bool, until: datetime | None) -> None:
        if also is not None:
            also(unit)
        if rests:
            self._let_go(unit, until)

    def _let_go(self, unit: Unit, until: datetime | None) -> None:
        if until is not None:
            run = self.state.id
            unit.set_due(Due(kind=DueKind.WAKE, key=run, run=run, at=until))
        unit.release(self.state.id)

    def _take_up(self, unit: Unit, row: RunRow) -> tuple[RunState, int]:
        """Return the committed state with what others wrote and the pending facts, and the epoch.

        The epoch counts once it is committed: a commit that fails has claimed nothing, and other
        branches go on with the one before.
        """
        if row.epoch != self._epoch:
            raise SupersededError
        epoch = self._epoch
        if not self._is_claimed:
            epoch = unit.claim(self.state.id, by=self.house.name)
        base, pending = self._base, self._pending
        if row.rseq > base.rseq:
            news = unit.entries(self.state.id, after=base.rseq)
            for entry in news:
                base = after(base, entry)
            pending = [one for one in pending if not _is_among(news, one)]
        if base.ended is not None:
            raise SupersededError  # Somebody ended the run meanwhile, and nothing follows its end.
        return self._record(unit, pending, base), epoch

    def _is_known(self, row: RunRow) -> bool:
        """Say whether this move began with all that others had written."""
        has_news = row.rseq > self._base.rseq
        return not has_news and getattr(self._known, "news", self._news) == self._news

    def _record(self, unit: Unit, drafts: Sequence[Fact], base: RunState) -> RunState:
        for draft in drafts:
            made = draft if isinstance(draft, Draft) else draft(unit)
            beside = cards_beside(made, base)
            base = after(base, record(unit, made, *beside, left=base.left))
        return base

    def _record_late(self, unit: Unit) -> None:
        there = unit.entries(self.state.id)
        now_there = replay(self.state.id, there)
        for draft in self._outcomes:
            for fact in () if _is_among(there, draft) else late_drafts(draft, now_there):
                record(unit, fact, *cards_beside(fact, now_there))
        self.house.dispatcher.enqueue(unit, self.state.id)

    def _settle_on(self, base: RunState, row: RunRow, epoch: int) -> None:
        self._epoch = epoch
        has_news = row.rseq > self._base.rseq
        self._base = self.state = base
        self._news += has_news  # After the state: whoever reads both reads this one first.
        self._is_claimed = True
        self._pending = []
        self._outcomes = []

    def _provisional(self, draft: Draft) -> Entry:
        """Return the entry that `draft` will become, as far as the state depends on it."""
        parts = {
            name: StoredPart(cls=one.cls, commitment="", value=one.value, salt=one.salt)
            for name, one in draft.parts.items()
        }
        return Entry(
            id="",
            index=None,
            run=draft.run,
            rseq=self.state.rseq + 1,
            at=self.house.now(),
            kind=draft.kind,
            actor=draft.actor,
            data=draft.data,
            parts=parts,
        )


def _is_among(entries: Sequence[Entry], draft: Draft) -> bool:
    """Say whether what came of an attempt is recorded already: the answer to a commit was lost."""
    told = "attempt" in draft.data
    return told and any(one.kind == draft.kind and one.data == draft.data for one in entries)


def record(unit: Unit, draft: Draft, *more: Message, left: int = 0) -> Entry:
    """Append a fact, queue the messages it asks for, and see that nobody forgets it.

    `left` says how many items its run has left behind so far.
    """
    entry = unit.append(draft)
    for message in (*messages_about(entry, left=left), *more):
        unit.send(message)
    request = renewed(entry)
    if request is not None:
        unit.renew_nudges(RunId(entry.run or ""), request)
    look = first_look(entry)
    if look is not None:
        unit.set_due(look)
    return entry

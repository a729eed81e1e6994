"""What the engine needs remembered, as protocols. `storage/` fills them.

`begin()` opens a unit: one transaction, the only place that commits. A unit that appends to
a run has locked that run's row first, so clicks, clock and segments queue up behind it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from workflows.delegation import Delegation
from workflows.entry import Draft, Entry, Json, Ref, RequestId, RunId
from workflows.gate import ApprovalRequest, Decision, Denial
from workflows.glass import GlassUse
from workflows.holders import Holders
from workflows.people import Person, PersonId
from workflows.people_store import PeopleStore
from workflows.run import Status
from workflows.schedule import ScheduleRow
from workflows.soak import Soak
from workflows.step_up import CodeShelf


class Subject(StrEnum):
    """What a message shows. The outbox reads the present state of it when it delivers."""

    ROOT = "run"  # The live state of a run, the first message of its thread.
    STEP = "entry"  # One line in the thread, about one entry.
    CARD = "request"  # An approval card.
    DOUBT = "doubt"  # The reconcile card of a step, `run/step/intent`.
    TROUBLE = "exception"  # The exception card of a step, `run/step/failure`.
    QUESTION = "question"  # A question to people, `run/request`.
    POST = "post"  # What a slack.post step says, `run/step`.
    OUTCOME = "outcome"  # What became of a run's requests, and its end, told to its requester.
    NUDGE = "nudge"  # A request, told directly to one of those who have to act, `request/person`.
    NOTICE = "notice"  # A sentence for a channel, kept with the message.
    DIGEST = "digest"  # A digest, by its id.
    DIGEST_FILES = "digest_files"  # The whole of a digest as files in its thread, by its id.
    HEAD = "head"  # The head of the log on a day, by its moment.
    STAND_IN = "stand_in"  # That somebody stands in for another, told to them, `entry`.
    CODES = "codes"  # Somebody's one-time codes, told to them and governors, `enrolment/person`.
    AWAY = "away"  # That nobody is there who could decide a request, told to its requester.
    BUILDER = "builder"  # What a Workflow Builder workflow is told: `run/step`, a run, or a step.
    SUMMARY = "summary"  # What a conversation comes to, `channel/thread/latest`.
    REVIEW = "review"  # The review of a use of the glass, `use` and for whom.


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be told, named by its subject. Sending it again means: its state changed."""

    subject: Subject
    key: str
    run: RunId | None = None
    channel: str = ""  # Empty: the run's channel.
    body: Json = None  # Only what cannot be looked up again.


class DueKind(StrEnum):
    """What a due-row is for."""

    WAKE = "wake"  # Look at the run again: a retry, a verification, a doubt's deadline.
    EXPIRE = "expire"  # Close the request if it is still open.
    REMIND = "remind"  # Remind the approvers.
    ESCALATE = "escalate"  # Let more people decide the request.
    NUDGE = "nudge"  # Write to each approver who has not decided yet.
    CHASE = "chase"  # Remind whoever has to settle the run's exceptions and doubts.
    SUMMARISE = "summarise"  # Write the story of an ended run.
    RETELL = "retell"  # Have a language model tell that story anew.
    REVIEW = "review"  # See whether a use of the glass was reviewed in time.
    CANCEL = "cancel"  # Cancel a run whose parent has ended.


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Work for a moment. One row a kind and key; setting it again moves it."""

    kind: DueKind
    key: str
    run: RunId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What a run's row says beside its entries."""

    id: RunId
    workflow: str
    version: str
    status: Status
    requester: str
    channel: str
    epoch: int
    is_ready: bool
    lock_key: str | None
    started_at: datetime
    finished_at: datetime | None = None
    step: str | None = None
    rseq: int = -1  # The place of the run's newest entry.
    requester_id: PersonId | None = None  # Of a person, where it was read with the history.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What the store must know of a run before its first entry."""

    id: RunId
    workflow: str
    version: str
    channel: str
    start_key: str | None = None  # Unique: the same start twice is one run.
    lock_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of Slack's, by what makes it that one."""

    team: str
    kind: str
    key: str

    @property
    def start_key(self) -> str:
        """Return under which name a run is started by it, once."""
        return f"{self.team}/{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMessage:
    """What a person wrote in a run's thread; `author` is their name, `ts` Slack's timestamp."""

    ts: str
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one effect took of a budget, and has not given back."""

    at: datetime
    amount: int


class Ledger(Protocol):
    """Says what was taken of budgets. What was given back is left out."""

    def budget_used(self, name: str, key: str, *, since: datetime) -> int:
        """Return how much of the budget was taken after that moment, for what `key` names."""

    def taken(self, name: str, key: str, *, since: datetime) -> Sequence[Taken]:
        """Return what was taken after that moment one by one, the oldest first."""


class Unit(Ledger, Protocol):
    """One transaction. Everything it does is committed together, or not at all."""

    @property
    def now(self) -> datetime:
        """Return the moment of this unit, by the database's clock where it has one."""

    def is_repeat(self, delivery: Delivery) -> bool:
        """Remember the delivery; say whether it was already there."""

    def ref(self, who: PersonId, name: str = "") -> Ref:
        """Return the person's pseudonym, made on first use."""

    def refs(self, people: Iterable[Person]) -> Mapping[PersonId, Ref]:
        """Return the pseudonyms of all of them, as `ref` does, in at most one journey."""

    def name(self, ref: Ref) -> str:
        """Return the person's name, or "somebody" once it was erased."""

    def thread_messages(self, run: RunId) -> Sequence[ThreadMessage]:
        """Return what people wrote in the run's thread, in order."""

    def add_run(self, run: NewRun) -> None:
        """Make the run's row; its first entry follows in this unit."""

    def run_started_as(self, start_key: str) -> RunId | None:
        """Return the run that was started under this key, if there is one."""

    def lock_run(
        self, run: RunId, *, people: Collection[PersonId] = (), ends: bool = False
    ) -> RunRow:
        """Return the run's row, locked until the unit ends.

        `people` are looked up in the same journey: `ref`, `refs` and `away` then need none. If it
        `ends`, what it holds is read there too, for `pass_places`.

        Raises:
            UnknownRunError: there is none.
        """

    def lock_run_of(
        self, request: RequestId, *, people: Collection[PersonId] = ()
    ) -> tuple[ApprovalRequest, RunRow]:
        """Lock the request's run, then return the request as it now is, and the row.

        `people` are as with `lock_run`.

        Raises:
            UnknownRunError: there is no such request.
        """

    def entries(self, run: RunId, *, after: int = -1) -> Sequence[Entry]:
        """Return the run's entries with a later `rseq` than `after`, in order, with parts."""

    def append(self, draft: Draft) -> Entry:
        """Record a fact: seal it into the log and bring the projections up to it.

        Raises:
            StorageError: it cannot be recorded; the unit must not commit.
        """

    def claim(self, run: RunId, *, by: str) -> int:
        """Raise the run's epoch, take its ready mark away, and return the new epoch."""

    def release(self, run: RunId) -> None:
        """Say that no segment works on the run now."""

    def mark_ready(self, run: RunId) -> None:
        """Say that somebody has to look at the run."""

    def open_request(self, run: RunId) -> ApprovalRequest | None:
        """Return the run's request that is open, or approved and not consumed."""

    def decisions(self, request: RequestId) -> Sequence[Decision]:
        """Return the request's decisions in the order they were given."""

    def hold_level(self, workflow: str, version: str) -> str | None:
        """Return the level of a version, if it has one, while no other unit changes it."""

    def glass_use(self, use: str) -> GlassUse:
        """Return a use of the glass as it now is.

        Raises:
            UnknownRunError: there is none.
        """

    def glass_use_of(self, request: RequestId) -> GlassUse | None:
        """Return the use of the glass over a request, None if nobody broke it."""

    def overdue_reviews(self, now: datetime) -> Sequence[GlassUse]:
        """Return the uses of the glass whose review should have come by `now`, oldest first."""

    def take_lock(self, key: str, run: RunId) -> RunId:
        """Take the named lock or queue for it; return who holds it now (`run` if taken)."""

    def pass_lock(self, key: str, run: RunId) -> RunId | None:
        """Give the lock back (or leave its queue); return the run that holds it next."""

    def queued_for_lock(self, key: str, *, most: int) -> Sequence[RunId]:
        """Return who stands first in the line for a lock, in order."""

    def take_place(self, key: str, run: RunId, *, most: int) -> RunId:
        """Take one of `most` places or queue for one; return who holds one (`run` if taken)."""

    def pass_places(self, run: RunId) -> Sequence[RunId]:
        """Give every place of the run back, and leave every queue; return who has one now."""

    @property
    def holders(self) -> Holders:
        """Return who holds locks and places."""

    def hold_budget(self, name: str, key: str) -> None:
        """Keep other units from taking of a budget until this one ends."""

    def budget_key(self, name: str, value: str) -> str:
        """Return the pseudonym of whom a budget counts for, made on first use."""

    def set_due(self, due: Due) -> None:
        """Store work for a moment, in place of an earlier row of that kind and key."""

    def clear_due(self, run: RunId) -> None:
        """Remove all due-rows of the run, but that of a review, which outlives it."""

    def take_due(self, due: Due) -> bool:
        """Remove the due-row; False if another process was first."""

    def is_looked_at(self, run: RunId) -> bool:
        """Say whether a segment has just begun to look at the run, or is about to."""

    def hold_schedule(self, schedule: str) -> ScheduleRow | None:
        """Return the schedule's row, if it has one, while no other unit changes it."""

    def hold_delegation(self, giver: Ref) -> Delegation | None:
        """Return what this person said of being away and did not end; no other unit uses it."""

    def delegation_of(self, giver: Ref) -> Delegation | None:
        """Return the same; others may look at it meanwhile, and nobody changes it."""

    def away(self, people: Collection[Ref]) -> Mapping[Ref, Delegation]:
        """Return what those of `people` said who are away now; nothing is held."""

    @property
    def codes(self) -> CodeShelf:
        """Return what this unit keeps of people's one-time codes."""

    def wake_at(self, moment: datetime) -> None:
        """Have the clock look at `moment`, once this unit is committed."""

    def send(self, message: Message) -> None:
        """Queue a message; it leaves after the commit."""

    def renew_nudges(self, run: RunId, request: RequestId) -> None:
        """Have what people were told directly about a request drawn again; nobody else is told."""

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call `action` once this unit is committed, and never otherwise."""


class Store(Ledger, PeopleStore, Protocol):
    """Opens units, and answers reads that need no lock."""

    def begin(self) -> AbstractContextManager[Unit]:
        """Open a unit. It commits at the end of the block, and rolls back on an exception.

        Raises:
            StorageUnavailableError: nothing was recorded.
        """

    def run(self, run: RunId) -> RunRow:
        """Return a run's row as it is now.

        Raises:
            UnknownRunError: there is none.
        """

    def history(self, run: RunId, *, after: int = -1) -> tuple[RunRow, Sequence[Entry]]:
        """Return a run's row and its entries later than `after`, both of one moment.

        Raises:
            UnknownRunError: there is none.
        """

    def started_as(self, start_key: str) -> tuple[RunRow, Entry] | None:
        """Return the run that was started under this key and its first entry, if there is one."""

    def request(self, request: RequestId) -> ApprovalRequest:
        """Return a request as it is now.

        Raises:
            UnknownRunError: there is none.
        """

    def open_requests_of(self, person: PersonId, *, most: int) -> Sequence[ApprovalRequest]:
        """Return open requests in which this person was asked, the nearest end first."""

    def entry(self, entry_id: str) -> Entry | None:
        """Return the entry of that id, None where there is none."""

    def soak(self, version: str, *, most: int) -> Soak | None:
        """Return how the newest runs of a version went, None where it never was active."""

    def glass_use(self, use: str) -> GlassUse:
        """Return a use of the glass as it is now.

        Raises:
            UnknownRunError: there is none.
        """

    def overdue_reviews(self, now: datetime) -> Sequence[GlassUse]:
        """Return the uses of the glass whose review should have come by `now`, oldest first."""

    def denied_arguments(
        self, action: str, *, since: datetime
    ) -> Sequence[tuple[RequestId, bytes]]:
        """Return requests for that action denied after that moment, the newest first.

        Each comes with the arguments kept with it; where they were erased it is left out.
        """

    def denial(self, request: RequestId) -> Denial:
        """Return what is known of a denied request.

        Raises:
            UnknownRunError: there is none.
        """

    def known_budget_key(self, name: str, value: str) -> str | None:
        """Return the pseudonym of whom a budget counts for, None if it was never used."""

    def due(self, *, until: datetime, limit: int) -> Sequence[Due]:
        """Return due-rows whose moment has come, oldest first."""

    def due_of(self, kind: DueKind, *, after: datetime) -> Sequence[Due]:
        """Return the due-rows of a kind whose moment lies after that, the earliest first."""

    def next_due(self) -> datetime | None:
        """Return the earliest moment for which something is due."""

    def standing(self, *, claimed_before: datetime, limit: int) -> Sequence[RunId]:
        """Return runs that are ready, or were claimed before that moment and not released."""

"""What a sweep removes beside payloads, by the age of the run that it is of, or its last use.

Each kind is read in pages, in the order of its key, and removed page by page. Nothing that is
old gets younger, but a hold may keep it by the time that it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    not_,
    or_,
    select,
    true,
    tuple_,
    update,
)

from storage.limit_models import BudgetKeyRecord, BudgetUseRecord
from storage.message_models import OutboxRecord, ThreadMessageRecord
from storage.outbox_values import OutboxState
from storage.retention.copies import WORDS, Words, forget_locks, forget_words, words_not_held
from storage.run_models import RunRecord

BUDGET = tuple_(BudgetKeyRecord.budget, BudgetKeyRecord.key)
T = TypeVar("T")


class Old(Protocol[T]):
    """One kind of what is old."""

    def read(self, connection: Connection, after: T | None, most: int) -> Sequence[T]:
        """Return so many that are old, in order, after that one."""

    def forget(self, connection: Connection, some: Sequence[T]) -> int:
        """Remove them, if they may still go; return how many messages went."""


class Counted(NamedTuple):
    """For whom a budget counts."""

    budget: str
    key: str


@dataclass(frozen=True, slots=True)
class OldWords(Old[Words]):
    """Words of threads whose run ended before then."""

    before: datetime

    def read(self, connection: Connection, after: Words | None, most: int) -> Sequence[Words]:
        while some := self._page(connection, after, most):
            if goes := words_not_held(connection, some):
                return goes
            after = some[-1]  # All of them are held back.
        return []

    def forget(self, connection: Connection, some: Sequence[Words]) -> int:
        return forget_words(connection, some)

    def _page(self, connection: Connection, after: Words | None, most: int) -> list[Words]:
        wanted = (
            select(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
            .join(RunRecord, RunRecord.id == ThreadMessageRecord.run_id)
            .where(RunRecord.finished_at < self.before, _beyond(WORDS, after))
            .order_by(ThreadMessageRecord.run_id, ThreadMessageRecord.ts)
        )
        return [Words(*row) for row in connection.execute(wanted.limit(most))]


@dataclass(frozen=True, slots=True)
class OldTexts(Old[int]):
    """Texts of messages, delivered or given up, whose run ended before then."""

    before: datetime

    def read(self, connection: Connection, after: int | None, most: int) -> Sequence[int]:
        goes = OutboxRecord.id > (after or 0), _is_told(self.before)
        wanted = select(OutboxRecord.id).where(*goes).order_by(OutboxRecord.id).limit(most)
        return connection.execute(wanted).scalars().all()

    def forget(self, connection: Connection, some: Sequence[int]) -> int:
        goes = OutboxRecord.id.in_(some) & _is_told(self.before)
        return connection.execute(update(OutboxRecord).where(goes).values(body=None)).rowcount


@dataclass(frozen=True, slots=True)
class OldLocks(Old[str]):
    """Names of the locks of runs that ended before then."""

    before: datetime

    def read(self, connection: Connection, after: str | None, most: int) -> Sequence[str]:
        goes = RunRecord.finished_at < self.before, RunRecord.lock_key.is_not(None)
        wanted = select(RunRecord.id).where(*goes, RunRecord.id > (after or ""))
        return connection.execute(wanted.order_by(RunRecord.id).limit(most)).scalars().all()

    def forget(self, connection: Connection, some: Sequence[str]) -> int:
        forget_locks(connection, some)
        return 0


@dataclass(frozen=True, slots=True)
class OldNames(Old[Counted]):
    """For whom budgets counted of which nothing was taken since then.

    Earlier than the longest window of a budget, nothing is counted for them any more.
    """

    since: datetime

    def read(self, connection: Connection, after: Counted | None, most: int) -> Sequence[Counted]:
        wanted = (
            select(BudgetKeyRecord.budget, BudgetKeyRecord.key)
            .where(_is_unused(self.since), _beyond(BUDGET, after))
            .order_by(BudgetKeyRecord.budget, BudgetKeyRecord.key)
        )
        return [Counted(*row) for row in connection.execute(wanted.limit(most))]

    def forget(self, connection: Connection, some: Sequence[Counted]) -> int:
        goes = BUDGET.in_(some) & _is_unused(self.since)
        connection.execute(delete(BudgetKeyRecord).where(goes))
        return 0


def _beyond(key: Any, after: tuple[str, ...] | None) -> ColumnElement[bool]:  # noqa: ANN401 - a pair of columns.
    return true() if after is None else key > after


def _is_told(before: datetime) -> ColumnElement[bool]:
    """Return the condition of a message that waits no more, about a run that ended before then."""
    ended = exists(
        select(RunRecord.id).where(
            RunRecord.id == OutboxRecord.run_id, RunRecord.finished_at < before
        )
    )
    is_old = or_(OutboxRecord.run_id.is_(None) & (OutboxRecord.next_at < before), ended)
    waits_not = OutboxRecord.state != OutboxState.PENDING
    return and_(OutboxRecord.body.is_not(None), waits_not, is_old)


def _is_unused(since: datetime) -> ColumnElement[bool]:
    taken = select(BudgetUseRecord.entry_id).where(
        BudgetUseRecord.budget == BudgetKeyRecord.budget,
        BudgetUseRecord.key == BudgetKeyRecord.key,
        BudgetUseRecord.taken_at >= since,
    )
    return not_(exists(taken))

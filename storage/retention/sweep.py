"""Removes the payloads whose term is over, and signs that they are gone (AUDIT.md section 11).

Of each class a marker says up to which entry nothing of it is held any more. It never passes a
payload that is held back; what is due beyond that one goes by markers that list it. A marker and
its deletes are one transaction. What takes long to find out in a large log is read before it,
and what takes long to remove goes in portions, each with markers of its own, since people's
clicks wait for a unit. That no byte of them is left on the disk is for `removal`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from storage.retention.copies import Text, forget_copies, forget_copies_of, texts_of
from storage.retention.due import ClassSwept, due, due_from
from storage.retention.late import erase_left
from storage.retention.markers import Item, Key, erasures, remove_keys, standing
from storage.retention.old import Old, OldLocks, OldNames, OldTexts, OldWords
from storage.retention.person import REASON as OF_A_PERSON
from storage.retention.portions import PORTION, Work, pages, portions
from storage.retention.told import told_of
from storage.store import SqlStore
from storage.transaction import Database
from storage.unit import SqlUnit
from workflows.entry import SYSTEM, Draft, Json, PartClass
from workflows.policy_budgets import LONGEST_WINDOW
from workflows.policy_retention import Terms

REASON = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed, or would remove."""

    classes: Sequence[ClassSwept]
    messages: int  # Of threads, and copies of what was told.
    told: int = 0  # Payloads by which erasures told whom they erased, or that came in meanwhile.

    @property
    def payloads(self) -> int:
        """Return how many payloads are gone."""
        return self.told + sum(one.swept + one.erased for one in self.classes)

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing was due."""
        return not self.payloads and not self.messages


def sweep(store: SqlStore, *, policy: str, terms: Terms, now: datetime) -> Swept:
    """Remove what is due at `now` under the policy of that digest; sign what is gone.

    Doing it again changes nothing, and goes on where a process died in it.

    Raises:
        StorageError: some of it is left.
    """
    late = erase_left(store, policy=policy)
    sweeping = _look_through(store, policy=policy, terms=terms, now=now)
    for portion in portions(sweeping.work()):
        with store.begin() as unit:
            store.journal.place_pending(unit.transaction)
            for one in portion:
                one.do(unit)
    return sweeping.swept(late)


def _look_through(store: SqlStore, *, policy: str, terms: Terms, now: datetime) -> "_Sweep":
    """Read what a sweep needs to know, while others write."""
    with store.database.read() as connection:
        found, told = due(connection, terms, now=now), told_of(connection)
        texts = texts_of(connection, {run for _, run in told})
    return _Sweep(
        database=store.database,
        policy=policy,
        due=found,
        told=told,
        texts=texts,
        old=_old(now, terms[PartClass.CONTENT]),
    )


def _old(now: datetime, term: timedelta) -> Sequence[Old[Any]]:
    before, unused_since = now - term, now - max(term, LONGEST_WINDOW)
    return [OldWords(before), OldTexts(before), OldLocks(before), OldNames(unused_since)]


class _Sweep:
    """What a sweep found, and what of it is gone.

    It reads while others write, a portion ahead. Nothing is added to what was found, but some of
    it may be held back by now, or gone: somebody was erased, or another process swept. So each
    payload is looked at again when its turn comes.
    """

    def __init__(
        self,
        *,
        database: Database,
        policy: str,
        due: Sequence[ClassSwept],
        told: Sequence[tuple[Key, str]],
        texts: Sequence[Text],
        old: Sequence[Old[Any]],
    ) -> None:
        self._database = database
        self._policy = policy
        self._due = due
        self._went = {one.cls: replace(one, swept=0, erased=0) for one in due}
        self._told, self._texts = told, texts
        self._old = old
        self._payloads_told = self._messages = 0

    def work(self) -> Iterator[Work]:
        """Yield what there is to do."""
        # Copies first, so that none is left of what a marker says is gone.
        for kind in self._old:
            for some in pages(partial(self._read, kind)):
                yield Work(len(some), partial(self._forget, kind, some))
        for one in self._due:
            for before, keys in self._stretches(one):
                yield Work(len(keys), partial(self._remove, one.cls, before, keys))
        if self._told:
            yield Work(len(self._told), self._forget_erasures)

    def swept(self, late: int) -> Swept:
        """Return what is gone, with so many payloads that came in late."""
        told = self._payloads_told + late
        return Swept(classes=list(self._went.values()), messages=self._messages, told=told)

    def _stretches(self, one: ClassSwept) -> Iterator[tuple[int, Sequence[Key]]]:
        """Yield due payloads, each time with the entry below which none is left after them."""
        start: int | None = 0 if one.swept or one.erased else None
        while start is not None:
            with self._database.read() as connection:
                keys, start = due_from(connection, one, start, most=PORTION)
            if keys:
                yield one.before if start is None else min(one.before, start), keys

    def _remove(self, cls: PartClass, before: int, keys: Sequence[Key], unit: SqlUnit) -> None:
        """Remove what is due of a class, still there, and held back by nobody; sign it."""
        connection, went = unit.transaction.connection, self._went[cls]
        goes, held = _goes_now(connection, keys)
        # What is held back since we looked keeps every later marker from passing it, too.
        bound = min(went.before, *(one.idx for one in held)) if held else went.before
        swept, listed = _divided(goes, min(before, bound))
        for draft in _markers(cls, min(before, bound), len(swept), listed, self._policy):
            unit.append(draft)
        remove_keys(connection, goes)
        forget_copies(connection, [one.seq for one in goes if one.name == "summary"])
        self._went[cls] = replace(
            went,
            before=bound,
            swept=went.swept + len(swept),
            erased=went.erased + len(listed),
            held=went.held + len(held),
        )

    def _forget_erasures(self, unit: SqlUnit) -> None:
        """Remove what ended erasures say of whom they erased: their inputs, plans and cards."""
        connection = unit.transaction.connection
        goes, _ = _goes_now(connection, [key for key, _ in self._told])
        items = [one.item for one in goes]
        for draft in erasures(items, reason=OF_A_PERSON, policy=self._policy, actor=SYSTEM):
            unit.append(draft)
        remove_keys(connection, goes)
        runs = sorted({run for key, run in self._told if key in set(goes)})
        forget_copies_of(connection, runs, self._texts)
        self._payloads_told += len(goes)

    def _read(self, kind: Old[Any], after: Any, most: int) -> Sequence[Any]:  # noqa: ANN401 - a row's key.
        with self._database.read() as connection:
            return kind.read(connection, after, most)

    def _forget(self, kind: Old[Any], some: Sequence[Any], unit: SqlUnit) -> None:
        self._messages += kind.forget(unit.transaction.connection, some)


def _goes_now(connection: Connection, keys: Sequence[Key]) -> tuple[list[Key], list[Key]]:
    """Return those of these payloads that are there and may go, and those that are held back."""
    there = standing(connection, keys)
    goes = [one for one in keys if not there.get(one, True)]
    return goes, [one for one in keys if there.get(one, False)]


def _divided(goes: Sequence[Key], before: int) -> tuple[list[Key], list[Key]]:
    return [one for one in goes if one.idx < before], [one for one in goes if one.idx >= before]


def _markers(
    cls: PartClass, before: int, swept: int, listed: Sequence[Key], policy: str
) -> Iterator[Draft]:
    if swept:
        data: dict[str, Json] = {"policy": policy, "cls": cls.value, "before": before, "n": swept}
        yield Draft(kind="retention.sweep", actor=SYSTEM, data=data)
    items: list[Item] = [one.item for one in listed]
    yield from erasures(items, reason=REASON, policy=policy, actor=SYSTEM)

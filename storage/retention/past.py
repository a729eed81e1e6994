"""Finds what there is of a person: payloads, runs in which they spoke, what leads to them.

Finding it reads the whole log, so it is done while others write. Under the lock what was found
is looked at again, and of the log only what came in since.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditTreeRow
from storage.message_models import ThreadMessageRecord
from storage.retention.copies import AT_ONCE, Text, newest_message, texts_of
from storage.retention.held import RUN, Held, Runs, holds_in, of_a_run, part_is_held, took_part
from storage.retention.markers import Item, Key, standing
from storage.retention.traces import Traces, traces_of
from storage.run_models import RunRecord
from workflows.entry import PERSON, PartClass, Ref

# What tells of a run from outside of it, and may quote whoever spoke there.
TELL = ("summary.written", "model.asked", "model.answered")
PERSONAL = (PartClass.CONTENT.value, PartClass.DERIVED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One payload of a person."""

    key: Key
    run: str  # Empty outside of runs.
    cls: str
    is_held: bool

    @property
    def item(self) -> Item:
        """Return it as a marker names it."""
        return self.key.item


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What there is of a person, up to the entry `size` and the message `newest`.

    `runs` are those in which they spoke, `texts` the messages about these that keep a text.
    """

    ref: Ref
    size: int
    newest: int
    found: Sequence[Found]
    runs: Sequence[str]
    texts: Sequence[Text]
    traces: Traces


def payloads_of(connection: Connection, ref: Ref) -> list[Found]:
    """Return every placed payload of a person, those that are held back too."""
    held = part_is_held(holds_in(connection))
    return _found(connection, _is_of(ref, _spoke_in(ref)), held=held)


def past_of(connection: Connection, ref: Ref) -> Past:
    """Return everything there is of a person."""
    # These first: whatever comes in while we read the rest is looked for again.
    size = connection.execute(select(AuditTreeRow.size)).scalar() or 0
    newest = newest_message(connection)
    spoke = select(RunRecord.id).where(_spoke_in(ref)).order_by(RunRecord.id)
    runs = list(connection.execute(spoke).scalars())
    return Past(
        ref=ref,
        size=size,
        newest=newest,
        found=payloads_of(connection, ref),
        runs=runs,
        texts=texts_of(connection, runs),
        traces=traces_of(connection, ref),
    )


def brought_up(connection: Connection, past: Past) -> Past:
    """Return everything there is now: what of `past` still is, and what came in since.

    Whoever spoke meanwhile in a run that has ended is looked for anew, in the whole log: what
    told of that run before is theirs now.
    """
    came = _runs_since(connection, past.size)
    spoke = _spoke_among(connection, past.ref, came)
    if _have_ended(connection, spoke - {*past.runs}):
        return past_of(connection, past.ref)
    theirs = _is_of(past.ref, RunRecord.id.in_(sorted(spoke & came)))
    new = _found(connection, theirs & (AuditEntryRow.idx >= past.size), held=false())
    earlier = [one for one in past.found if one.key.idx < past.size]
    runs = sorted({*past.runs, *spoke})
    return replace(
        past,
        found=_still(connection, [*earlier, *new]),
        runs=runs,
        texts=[*past.texts, *texts_of(connection, runs, after=past.newest)],
        traces=past.traces.with_new(connection, past.ref, runs=came, after=past.newest),
    )


def _still(connection: Connection, found: Sequence[Found]) -> list[Found]:
    """Return those that are there, held back or not as it is now."""
    there = standing(connection, [one.key for one in found])
    return [replace(one, is_held=there[one.key]) for one in found if one.key in there]


def _found(connection: Connection, which: Held, *, held: Held) -> list[Found]:
    wanted = (
        select(
            AuditPartRow.entry_seq,
            AuditEntryRow.idx,
            AuditPartRow.name,
            AuditPartRow.cls,
            RUN.label("run"),
            held.label("is_held"),
        )
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(which, AuditEntryRow.idx.is_not(None))
        .order_by(AuditEntryRow.idx, AuditPartRow.name)
    )
    return [
        Found(
            key=Key(row.entry_seq, row.idx, row.name),
            run=row.run or "",
            cls=row.cls,
            is_held=bool(row.is_held),
        )
        for row in connection.execute(wanted)
    ]


def _is_of(ref: Ref, spoke: Held) -> Held:
    """Return the condition: what they said, what came of what they asked for, what quotes them."""
    said = or_(AuditEntryRow.actor_ref == ref, _is(AuditPartRow.subject_ref, ref))
    came_of_it = and_(
        AuditPartRow.cls.in_(PERSONAL),
        ~AuditEntryRow.actor_ref.startswith(PERSON),  # What others said is theirs.
        of_a_run(RunRecord.requester == ref),
    )
    quoted = and_(AuditEntryRow.run_id.is_(None), AuditEntryRow.kind.in_(TELL), of_a_run(spoke))
    return or_(said, came_of_it, quoted)


def _is(column: ColumnElement[Any] | Any, value: str) -> Held:  # noqa: ANN401 - a column of a row.
    return and_(column.is_not(None), column == value)


def _spoke_in(ref: Ref, *, among: Runs = None) -> Held:
    wrote = select(ThreadMessageRecord.run_id).where(ThreadMessageRecord.author == ref)
    if among is not None:
        wrote = wrote.where(ThreadMessageRecord.run_id.in_(sorted(among)))
    # Not one by one: SQLite would read all that they ever wrote for each run.
    return or_(took_part(ref, among=among), RunRecord.id.in_(wrote))


def _runs_since(connection: Connection, size: int) -> set[str]:
    """Return the runs that entries from `size` on are about."""
    wanted = select(RUN).where(AuditEntryRow.idx >= size, RUN.is_not(None)).distinct()
    return {str(one) for one in connection.execute(wanted).scalars()}


def _spoke_among(connection: Connection, ref: Ref, came: Collection[str]) -> set[str]:
    """Return which of these runs they spoke in, and all in whose threads they wrote."""
    wrote = select(ThreadMessageRecord.run_id).where(ThreadMessageRecord.author == ref)
    spoke, runs = set(connection.execute(wrote.distinct()).scalars()), sorted(came)
    for start in range(0, len(runs), AT_ONCE):
        among = runs[start : start + AT_ONCE]
        wanted = select(RunRecord.id).where(RunRecord.id.in_(among), _spoke_in(ref, among=among))
        spoke |= set(connection.execute(wanted.order_by(RunRecord.id)).scalars())
    return spoke


def _have_ended(connection: Connection, runs: Collection[str]) -> bool:
    ended = RunRecord.id.in_(sorted(runs)) & RunRecord.finished_at.is_not(None)
    return connection.execute(select(RunRecord.id).where(ended).limit(1)).first() is not None

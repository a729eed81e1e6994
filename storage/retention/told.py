"""Finds what erasures tell of whom they erased: in their own runs, and in those that started them.

All that the run of an erasure holds is about that person. A run that started it as a step may be
about more, so of its payloads go those in which the name stands as the erasure was given it.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, not_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, LineMember
from storage.retention.held import RUN, holds_in, part_is_held
from storage.retention.holds import refs_known_as
from storage.retention.markers import Key
from storage.retention.past import PERSONAL
from storage.retention.person import REASON
from storage.run_models import RunRecord
from workflows.actions.erase import EraseAction

STORY = "summary"  # It tells of all payloads, and goes with any of them.


class _Told(NamedTuple):
    """A payload, the run that it is of, and what it says."""

    key: Key
    run: str
    body: bytes


def told_of(connection: Connection) -> Sequence[tuple[Key, str]]:
    """Return the payloads by which ended runs tell whom they erased, each with its run.

    So do those that were to erase somebody who is nobody here any more: whoever is erased at the
    second attempt was named by the first, too. While a run goes on that started one of them,
    neither is returned: it names the person still, and only the other one says by which name.
    """
    named = _named(connection)
    erasing = _carried_out(connection) | _of_nobody(connection, named)
    above = {run: _above(connection, run) for run in sorted(erasing & named.keys())}
    waiting = {run for run, those in above.items() if _go_on(connection, those)}
    found = _held_of(connection, erasing - waiting)
    for run, those in above.items():
        if run not in waiting:
            found += _naming(_held_of(connection, those), named[run])
    in_order = sorted(found, key=lambda one: one.key.item)
    return list(dict.fromkeys((one.key, one.run) for one in in_order))


def _carried_out(connection: Connection) -> set[str]:
    runs = select(LineMember("data", "by_run")).where(
        AuditEntryRow.run_id.is_(None),
        AuditEntryRow.kind == "erasure",
        LineMember("data", "reason") == REASON,
    )
    return {str(one) for one in connection.execute(runs).scalars() if one is not None}


def _named(connection: Connection) -> Mapping[str, set[str]]:
    """Return whom runs asked to erase, by the names that they gave; of those that tell it still."""
    wanted = (
        select(AuditEntryRow.run_id, AuditPartRow.body)
        .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
        .where(
            AuditPartRow.name == "args",
            AuditEntryRow.kind == "approval.requested",
            LineMember("data", "action") == EraseAction.name,
        )
        .order_by(AuditEntryRow.seq)
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(wanted):
        found.setdefault(str(row.run_id), set()).add(json.loads(row.body)["person"])
    return found


def _of_nobody(connection: Connection, named: Mapping[str, set[str]]) -> set[str]:
    """Return the runs that asked to erase people of whom none is known any more."""
    names = {one for those in named.values() for one in those}
    known = {one for one in names if refs_known_as(connection, one)}
    return {run for run, those in named.items() if not those & known}


def _above(connection: Connection, run: str) -> list[str]:
    """Return the runs that started this one as a step, the nearest first."""
    found = list[str]()
    while True:
        parent = select(LineMember("data", "parent", "run")).where(
            AuditEntryRow.run_id == (found[-1] if found else run),
            AuditEntryRow.kind == "run.started",
        )
        one = connection.execute(parent).scalar()
        if one is None or one in found:
            return found
        found.append(str(one))


def _go_on(connection: Connection, runs: Collection[str]) -> bool:
    going = select(RunRecord.id).where(RunRecord.id.in_(runs), RunRecord.finished_at.is_(None))
    return connection.execute(going.limit(1)).first() is not None


def _held_of(connection: Connection, runs: Collection[str]) -> list[_Told]:
    """Return the personal payloads of these runs that nothing holds back."""
    wanted = (
        select(
            AuditPartRow.entry_seq,
            AuditEntryRow.idx,
            AuditPartRow.name,
            RUN.label("run"),
            AuditPartRow.body,
        )
        .select_from(AuditPartRow)
        .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
        .where(
            RUN.in_(sorted(runs)),
            AuditPartRow.cls.in_(PERSONAL),
            AuditEntryRow.idx.is_not(None),
            not_(part_is_held(holds_in(connection))),
        )
    )
    rows = connection.execute(wanted.order_by(AuditEntryRow.idx, AuditPartRow.name)).all()
    return [
        _Told(Key(row.entry_seq, row.idx, row.name), str(row.run), bytes(row.body)) for row in rows
    ]


def _naming(told: Sequence[_Told], names: Collection[str]) -> Iterator[_Told]:
    """Yield those in which one of the names stands, and the story of their run."""
    # In JSON a name may be written otherwise.
    spelt = {*names, *(json.dumps(one, ensure_ascii=False)[1:-1] for one in names)}
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in sorted(spelt)))
    naming = [one for one in told if pattern.search(one.body.decode(errors="replace"))]
    runs = {one.run for one in naming}
    yield from naming
    yield from (one for one in told if one.key.name == STORY and one.run in runs)

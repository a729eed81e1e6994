"""The markers that say which payloads are gone, and the deletes that belong to them."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from storage.audit_models import AuditEntryRow, AuditPartRow
from storage.retention.held import RUN, holds_in, part_is_held
from workflows.entry import Actor, Draft, Json

# A line takes 16,384 bytes; what stands in it beside the items is well under the rest.
MOST_ITEM_BYTES = 13_000
AT_ONCE = 500  # A statement takes only so many values.


class Item(NamedTuple):
    """A payload: the place of its entry, and its name."""

    idx: int
    name: str


class Key(NamedTuple):
    """A payload as its row is found: by the number of its entry, whose place it has beside it."""

    seq: int
    idx: int
    name: str

    @property
    def item(self) -> Item:
        """Return the payload as a marker names it."""
        return Item(self.idx, self.name)


def erasures(
    items: Sequence[Item],
    *,
    reason: str,
    policy: str,
    actor: Actor,
    request: str | None = None,
    by_run: str | None = None,
) -> Iterator[Draft]:
    """Yield markers that list `items`, as many as their lines need."""
    for some in _fitting(items):
        data: dict[str, Json] = {
            "items": [[one.idx, one.name] for one in some],
            "reason": reason,
            "request": request,
            "policy": policy,
            "by_run": by_run,
        }
        yield Draft(kind="erasure", actor=actor, data=data)


def newest_erasure(connection: Connection) -> int | None:
    """Return the number of the newest marker that lists payloads, None before the first."""
    row = AuditEntryRow
    wanted = select(func.max(row.seq)).where(row.run_id.is_(None), row.kind == "erasure")
    return connection.execute(wanted).scalar_one()


def standing(connection: Connection, keys: Sequence[Key]) -> dict[Key, bool]:
    """Return those of these payloads that are still there, and whether each is held back now."""
    holds, found = holds_in(connection), dict[tuple[int, str], bool]()
    seqs = list(dict.fromkeys(one.seq for one in keys))
    for start in range(0, len(seqs), AT_ONCE):
        some = AuditEntryRow.seq.in_(seqs[start : start + AT_ONCE])
        runs = connection.execute(select(RUN).where(some, RUN.is_not(None)).distinct()).scalars()
        held = part_is_held(holds, among={str(one) for one in runs})
        rows = connection.execute(
            select(AuditPartRow.entry_seq, AuditPartRow.name, held)
            .join(AuditEntryRow, AuditEntryRow.seq == AuditPartRow.entry_seq)
            .where(AuditPartRow.entry_seq.in_(seqs[start : start + AT_ONCE]))
        )
        found |= {(seq, name): bool(is_held) for seq, name, is_held in rows}
    keyed = {(one.seq, one.name): one for one in keys}
    return {keyed[one]: is_held for one, is_held in found.items() if one in keyed}


def remove_keys(connection: Connection, keys: Sequence[Key]) -> None:
    """Delete the parts that `keys` name."""
    for name in sorted({one.name for one in keys}):
        seqs = [one.seq for one in keys if one.name == name]
        for start in range(0, len(seqs), AT_ONCE):
            some = AuditPartRow.entry_seq.in_(seqs[start : start + AT_ONCE])
            connection.execute(delete(AuditPartRow).where(some, AuditPartRow.name == name))


def _fitting(items: Sequence[Item]) -> Iterator[list[Item]]:
    some: list[Item] = []
    size = 0
    for one in items:
        length = len(json.dumps(one, separators=(",", ":"))) + 1
        if some and size + length > MOST_ITEM_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some

"""Make the projections again from the entries alone, and say where the stored ones differ.

The same pure functions that write the tables (`run_facts`, `projections`) are replayed here
over rows of their own. Only projected columns are compared; operational ones may be anything.
They are compared as they are stored, type and all: whoever may write into a table may put there
what no column kind of ours reads.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from storage.as_stored import columns_in, rows_in
from storage.audit_models import AuditEntryRow
from storage.awaited import told_rows
from storage.change import Change, Insert, Update, Upsert
from storage.database_errors import passing_trouble
from storage.entries_sql import entry_of
from storage.pile import Pile
from storage.projections import changes
from storage.run_facts import COLUMNS, TOLD_COLUMNS, RunFacts, facts_after
from storage.told_rows import Key, Row, ToldRows, as_stored
from storage.transaction import Database
from workflows.entry import Entry, RunId

Tell: TypeAlias = Callable[[int], None]

# Each projected table with the columns that name a row, and those that must agree.
PROJECTED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "run": (("id",), TOLD_COLUMNS),
    "approval_request": (
        ("id",),
        (
            "run_id",
            "entry_id",
            "step",
            "binding",
            "policy",
            "stages",
            "excluded",
            "needs_reason",
            "raised_at",
            "expires_at",
            "outcome",
            "settled_at",
            "consumed_attempt",
            "terms",
            "batch",
        ),
    ),
    "escalation": (("request_id", "n"), ("entry_id", "people", "named", "stages")),
    "decision": (
        ("entry_id",),
        ("request_id", "approver", "stage", "verdict", "decided_at", "stands_for"),
    ),
    "delegation": (("entry_id",), ("giver", "stand_in", "given_at", "until", "ended_at")),
    "definition_version": (("version",), ("workflow", "published_at", "published_by")),
    "active_definition": (("workflow",), ("version", "level", "activated_at", "retired_at")),
    "version_level": (("version",), ("workflow", "level", "changed_at")),
    "active_policy": (("name",), ("version", "changed_at")),
    "role_binding": (("role", "bound_to", "scope"), ("granted_at", "revoked_at")),
    "question": (
        ("id",),
        ("run_id", "step", "people", "asked_at", "expires_at", "answered_at", "answered_by"),
    ),
    "timer": (
        ("run_id", "step"),
        ("until", "child", "started_at", "ended_at", "cause"),
    ),
    "schedule": (
        ("id",),
        (
            "workflow",
            "state",
            "changed_at",
            "ended_at",
            "entry_id",
            "version",
            "cron",
            "at",
            "is_once",
            "timezone",
            "missed",
            "overlap",
            "channel",
            "set_by",
            "set_at",
        ),
    ),
    "schedule_firing": (("schedule", "due"), ("run_id", "is_missed")),
    "budget_use": (
        ("entry_id", "budget"),
        ("key", "amount", "run_id", "step", "attempt", "taken_at", "given_back_at"),
    ),
    "glass_use": (
        ("id",),
        (
            "request_id",
            "run_id",
            "step",
            "used_by",
            "used_at",
            "review_by",
            "people",
            "asked",
            "reviewers",
            "verdict",
            "reviewed_by",
            "reviewed_at",
            "review_entry",
        ),
    ),
    "awaited": (("id", "ref"), ("is_question", "run_id", "until")),
    "step_up": (
        ("id",),
        (
            "person",
            "asked",
            "enrolled_at",
            "confirmed_at",
            "confirmed_by",
            "ended_at",
            "ended_by",
            "ended_how",
        ),
    ),
    "secret": (("name",), ("version", "set_at", "set_by", "rotated_at", "forgotten_at")),
    "audit_hold": (("hold",), ("selector", "reason", "set_at", "lifted_at")),
    "api_token": (
        ("name",),
        (
            "digest",
            "owner",
            "workflows",
            "created_at",
            "created_by",
            "expires_at",
            "revoked_at",
        ),
    ),
}
# Columns that rows are looked for by, besides their keys.
LOOKED_FOR_BY = {
    "approval_request": "run_id",
    "budget_use": "run_id",
    "delegation": "giver",
    "step_up": "person",
}
PAGE = 1_000


class Picture:
    """The projected tables as the entries tell them, in the same memory however many rows."""

    def __init__(self, *, is_sqlite: bool) -> None:
        """Begin with empty tables, which are compared with those of SQLite or of Postgres."""
        self.tables = {
            name: ToldRows(
                names,
                COLUMNS if name == "run" else columns,
                by=LOOKED_FOR_BY.get(name),
                is_sqlite=is_sqlite,
            )
            for name, (names, columns) in PROJECTED.items()
        }

    def take_up(self, entry: Entry, *, leaf: bytes) -> None:
        """Carry out what `entry` states."""
        if entry.run is not None:
            self._run(entry.run, entry, leaf)
        for change in changes(entry):
            self._apply(change)

    def _run(self, run: RunId, entry: Entry, leaf: bytes) -> None:
        runs = self.tables["run"]
        known = runs.get((run,))
        before = None if known is None else RunFacts(**known)
        runs.put((run,), facts_after(before, entry, leaf=leaf).columns())

    def _apply(self, change: Change) -> None:
        if change.table not in self.tables:
            return  # A search row, which follows its part and not the trail.
        rows = self.tables[change.table]
        names, columns = PROJECTED[change.table]
        match change:
            case Insert(_, values) | Upsert(_, _, values):
                given = {**values, **(change.key if isinstance(change, Upsert) else {})}
                key = tuple(given[name] for name in names)
                blank = dict.fromkeys(columns)
                rows.put(key, {**blank, **(rows.get(key) or {}), **_only(given, columns)})
            case Update(_, where, values):
                for key, row in rows.like(where):
                    rows.put(key, {**row, **values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where a stored row and the entries disagree."""

    table: str
    key: tuple[Any, ...]
    column: str  # Empty: the whole row.
    stored: Any = None
    told: Any = None
    words: str = ""  # What is wrong with the row, where it is neither missing nor without an entry.

    def __str__(self) -> str:
        where = " ".join([self.table, *filter(None, ["/".join(str(one) for one in self.key)])])
        if self.words:
            return f"{where} {self.words}"
        if not self.column:
            return f"{where} {'has no entry' if self.told is None else 'is missing'}"
        return f"{where}: {self.column} is {self.stored!r}, the entries say {self.told!r}"


def rebuild(connection: Connection, *, tell: Tell = lambda _count: None) -> Picture:
    """Return the projected tables as all entries tell them, in the order of the log.

    `tell` is told now and then how many entries were taken up.
    """
    picture = Picture(is_sqlite=connection.dialect.name == "sqlite")
    for count, (entry, leaf) in enumerate(_all_entries(connection)):
        if not count % PAGE:
            tell(count)
        picture.take_up(entry, leaf=leaf)
    for key, row in told_rows(picture.tables):
        picture.tables["awaited"].put(key, row)
    return picture


def compare(connection: Connection, picture: Picture) -> list[Difference]:
    """Return every difference between the stored tables and `picture`, as `differences`."""
    return list(differences(connection, picture))


def differences(connection: Connection, picture: Picture) -> Iterator[Difference]:
    """Yield every difference between the stored tables and `picture`.

    What the database has no column for is left out; `missing` names it.
    """
    there = columns_in(connection, PROJECTED)
    for name, told in picture.tables.items():
        yield from _compared(connection, name, told, there.get(name, frozenset()))


def missing(connection: Connection) -> list[str]:
    """Return the projected tables and columns that the database does not have."""
    there = columns_in(connection, PROJECTED)
    return [
        *(f"table {name}" for name in PROJECTED if name not in there),
        *(
            f"column {name}.{one}"
            for name, (names, columns) in PROJECTED.items()
            for one in (*names, *columns)
            if name in there and one not in there[name]
        ),
    ]


def check_projections(database: Database) -> list[Difference]:
    """Rebuild and compare over one snapshot; an empty list means that all agrees."""
    with database.read() as connection:
        return compare(connection, rebuild(connection))


def _all_entries(connection: Connection) -> Iterator[tuple[Entry, bytes]]:
    """Yield placed entries by their place, then pending ones in the order they came."""
    row = AuditEntryRow
    for order, kind in ((row.idx, row.idx.is_not(None)), (row.seq, row.idx.is_(None))):
        newest = -1
        wanted = select(row.seq, row.idx, row.line, row.leaf).where(kind).order_by(order)
        while page := connection.execute(wanted.where(order > newest).limit(PAGE)).all():
            for seq, index, line, leaf in page:
                # No projected column comes from a part, which may have been erased.
                yield entry_of(line, seq=seq, index=index, held={}), bytes(leaf)
            newest = page[-1].seq if order is row.seq else page[-1].idx


def _compared(
    connection: Connection, name: str, told: ToldRows, there: frozenset[str]
) -> Iterator[Difference]:
    """Yield where one table differs; one whose rows cannot be told apart is not looked at."""
    names, columns = PROJECTED[name]
    if not there.issuperset(names):
        return
    known = tuple(one for one in columns if one in there)
    seen, is_sqlite = Pile(), connection.dialect.name == "sqlite"
    try:
        for row in rows_in(connection, name, (*names, *known), order=names):
            key = tuple(row[: len(names)])
            stored = dict(zip(known, row[len(names) :], strict=True))
            named = told.name_of(key)
            if seen.get(named) is not None:
                yield Difference(table=name, key=key, column="", words="stands twice")
                continue
            seen.put(named, True)  # noqa: FBT003  that it was seen
            said = told.named(named)
            if said is None:
                yield Difference(table=name, key=key, column="", stored=stored)
            else:
                yield from _differences(name, key, stored, said, is_sqlite=is_sqlite)
    except DBAPIError as error:
        if passing_trouble(error) is not None:
            raise
        yield Difference(table=name, key=(), column="", words=f"cannot be read: {error.orig}")
        return
    for key, said in told.items():
        if seen.get(told.name_of(key)) is None:
            yield Difference(table=name, key=key, column="", told=said)


def _differences(
    name: str, key: Key, stored: Row, told: Row, *, is_sqlite: bool
) -> Iterator[Difference]:
    for column, value in stored.items():
        said = as_stored(told[column], is_sqlite=is_sqlite)
        # A number may equal one of another type, which statements take for another.
        if value != said or type(value) is not type(said):
            yield Difference(table=name, key=key, column=column, stored=value, told=said)


def _only(values: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    return {name: values[name] for name in names if name in values}

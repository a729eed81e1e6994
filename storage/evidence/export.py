"""Export a range of the log as a pack. What is stored is copied; only the manifest is signed.

Nothing is recomputed or repaired on the way, so that whoever verifies the pack sees the
database as it is.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow
from storage.database_errors import storage_refusals
from storage.evidence import names
from storage.evidence.contents import Contents, write_contents
from storage.evidence.manifest import Manifest, write_manifest
from storage.evidence.pack import writing
from storage.evidence.page import browser_verifier
from storage.evidence.readme import readme
from storage.evidence.samples import write_samples
from storage.heads import Head, head, mark_shown
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from workflows.entry import Actor, ActorKind, Draft, Json
from workflows.errors import EvidenceError, StorageUnavailableError
from workflows.moments import stamp
from workflows.people import PersonId

TRIES = 20
VERIFIER = Path(__file__).parent / "shipped" / "verify.py"


class Disclosure(StrEnum):
    """Which payloads go into a pack: none, those of some names, or all that are held."""

    NONE = "none"
    SELECTED = "selected"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to export: entries `start` to `end` - 1 (to the head if None), and how much of them.

    `since` and `until` bound the entries by their time instead. `parts` are the names that
    `selected` discloses; `sample` runs are drawn with `seed`, the same ones each time.
    """

    out: Path
    start: int = 0
    end: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    disclose: Disclosure = Disclosure.ALL
    parts: frozenset[str] = frozenset()
    proofs: tuple[int, ...] = ()
    sample: int = 0
    seed: str = ""
    tool: str = "interlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: where, which range of how many entries, the manifest's hash."""

    path: Path
    start: int
    end: int
    head: Head
    manifest: str
    sampled: tuple[str, ...]
    entry: str


def export(store: SqlStore, wanted: Request, *, person: PersonId, now: datetime) -> Exported:
    """Write the pack, keep its head for ever, and record that it was made.

    Raises:
        EvidenceError: there is no such range, or the pack cannot be written.
        StorageError: the log cannot be read, or the export not be recorded.
    """
    journal, database = store.journal, store.database
    sequence_pending(database, journal.sequencer)
    for _ in range(TRIES):
        with storage_refusals(), database.read() as connection:
            found = head(connection)
            with database.begin() as tx:
                # The pack's head must stay listed, or its holder could prove nothing by it.
                is_kept = mark_shown(tx, found.size)
            if not is_kept:
                continue  # Another one took its place in between: look again.
            return _export(store, connection, wanted, found, person=person, now=now)
    raise StorageUnavailableError(
        "The log grows too fast to export it now.", hint="Try again in a quieter moment."
    )


def _export(
    store: SqlStore,
    connection: Connection,
    wanted: Request,
    found: Head,
    *,
    person: PersonId,
    now: datetime,
) -> Exported:
    start, end = _range(connection, wanted, found.size)
    contents = Contents(
        start=start,
        end=end,
        head=found,
        parts=None if wanted.disclose is Disclosure.ALL else wanted.parts,
        proofs=wanted.proofs,
    )
    with writing(wanted.out) as pack:
        write_contents(connection, pack, contents)
        sampled = write_samples(connection, pack, contents, count=wanted.sample, seed=wanted.seed)
        pack.put("README", readme(contents))
        pack.put("verify.py", VERIFIER.read_bytes())
        pack.put(names.PAGE, browser_verifier())
        manifest = Manifest(
            origin=found.origin,
            start=start,
            end=end,
            size=found.size,
            disclosure="all" if wanted.disclose is Disclosure.ALL else "selected",
            filters=_filters(wanted),
            created=stamp(now),
            tool=wanted.tool,
        )
        digest = write_manifest(connection, pack, manifest, store.journal.sequencer.signers[0])
    data: dict[str, Json] = {
        "range": [start, end],
        "disclosure": manifest.disclosure,
        "size": found.size,
        "manifest": digest,
    }
    with store.begin() as unit:
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(person))
        entry = unit.append(Draft(kind="export.made", actor=actor, data=data))
    return Exported(
        path=wanted.out,
        start=start,
        end=end,
        head=found,
        manifest=digest,
        sampled=sampled,
        entry=entry.id,
    )


def _filters(wanted: Request) -> dict[str, Json]:
    parts: list[Json] = [*sorted(wanted.parts)]
    chosen: dict[str, Json] = {
        "parts": parts if wanted.disclose is not Disclosure.ALL else None,
        "sample": {"count": wanted.sample, "seed": wanted.seed} if wanted.sample else None,
        "since": stamp(wanted.since) if wanted.since else None,
        "until": stamp(wanted.until) if wanted.until else None,
    }
    return {name: one for name, one in chosen.items() if one is not None}


def _range(connection: Connection, wanted: Request, size: int) -> tuple[int, int]:
    start, end = wanted.start, size if wanted.end is None else wanted.end
    if wanted.since is not None:
        start = max(start, _first_at(connection, wanted.since, size))
    if wanted.until is not None:
        end = min(end, _first_at(connection, wanted.until, size))
    if not 0 <= start <= end <= size:
        raise EvidenceError(
            f"The log has the entries 0 to {size - 1}; {start} to {end} is no range of them.",
            hint="Name a range within it, the first entry before the last.",
        )
    return start, end


def _first_at(connection: Connection, moment: datetime, size: int) -> int:
    """Return the place of the first entry that is not older than `moment`."""
    found = connection.execute(
        select(func.min(AuditEntryRow.idx)).where(
            AuditEntryRow.idx.is_not(None), AuditEntryRow.ts >= stamp(moment)
        )
    ).scalar()
    return size if found is None else int(found)

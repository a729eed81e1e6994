"""Export a range of the log as a pack. What is stored is copied; only the manifest is signed.

Nothing is recomputed or repaired on the way, so that whoever verifies the pack sees the
database as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from storage.checkpoint import Signer
from storage.database_errors import storage_refusals
from storage.evidence import names
from storage.evidence.contents import Contents, write_contents
from storage.evidence.disclosure import Disclosure
from storage.evidence.manifest import Manifest, write_manifest
from storage.evidence.pack import Pack, writing
from storage.evidence.page import browser_verifier
from storage.evidence.ranges import Bounds, places
from storage.evidence.readme import readme
from storage.evidence.reports.page import About
from storage.evidence.reports.written import Written, write_reports
from storage.evidence.samples import write_samples
from storage.heads import Head, head, mark_shown
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from workflows.entry import Actor, ActorKind, Draft, Json
from workflows.errors import StorageUnavailableError
from workflows.moments import stamp
from workflows.people import PersonId
from workflows.policy_retention import DEFAULT_TERMS, Terms

TRIES = 20
ALL = Bounds()
VERIFIER = Path(__file__).parent / "shipped" / "verify.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to export, and how much of it.

    `parts` are the names that `selected` discloses; `sample` runs are drawn with `seed`, the
    same ones each time. `terms` say how long payloads are kept.
    """

    out: Path
    bounds: Bounds = ALL
    disclose: Disclosure = Disclosure.ALL
    parts: frozenset[str] = frozenset()
    proofs: tuple[int, ...] = ()
    sample: int = 0
    seed: str = ""
    terms: Terms = field(default_factory=lambda: DEFAULT_TERMS)
    tool: str = "interlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: where, which range of how many entries, the manifest's hash.

    `rows` counts those of each report, `files` and `bytes` what the manifest lists.
    """

    path: Path
    start: int
    end: int
    head: Head
    manifest: str
    sampled: tuple[str, ...]
    rows: Mapping[str, int]
    files: int
    bytes: int
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
        # Read before the snapshot, which then knows it, whatever is rotated while the pack grows.
        signer = journal.sequencer.signers[0]
        with storage_refusals(), database.read() as connection:
            found = head(connection)
            with database.begin() as tx:
                # The pack's head must stay listed, or its holder could prove nothing by it.
                is_kept = mark_shown(tx, found.size)
            if not is_kept or journal.sequencer.signers[0] is not signer:
                continue  # Another one took its place in between: look again.
            return _export(store, connection, wanted, found, signer=signer, person=person, now=now)
    raise StorageUnavailableError(
        "The log grows too fast to export it now.", hint="Try again in a quieter moment."
    )


def _export(
    store: SqlStore,
    connection: Connection,
    wanted: Request,
    found: Head,
    *,
    signer: Signer,
    person: PersonId,
    now: datetime,
) -> Exported:
    start, end = places(connection, wanted.bounds, found.size)
    contents = Contents(
        start=start,
        end=end,
        head=found,
        parts=None if wanted.disclose is Disclosure.ALL else wanted.parts,
        proofs=wanted.proofs,
    )
    with writing(wanted.out) as pack:
        sampled, told = _fill(connection, pack, contents, wanted, now=now)
        manifest = Manifest(
            origin=found.origin,
            start=start,
            end=end,
            size=found.size,
            disclosure="all" if wanted.disclose is Disclosure.ALL else "selected",
            filters=_filters(wanted),
            created=stamp(now),
            tool=wanted.tool,
            period=told.period,
        )
        digest = write_manifest(connection, pack, manifest, signer)
        # The pack stands under its name only once the log says that it was made.
        entry = _record(store, manifest, digest, person=person)
    return Exported(
        path=wanted.out,
        start=start,
        end=end,
        head=found,
        manifest=digest,
        sampled=sampled,
        rows=told.rows,
        files=len(pack.files),
        bytes=pack.size,
        entry=entry,
    )


def _fill(
    connection: Connection, pack: Pack, contents: Contents, wanted: Request, *, now: datetime
) -> tuple[tuple[str, ...], Written]:
    """Write everything but the manifest; return the drawn runs and what the reports told."""
    write_contents(connection, pack, contents)
    sampled = write_samples(connection, pack, contents, count=wanted.sample, seed=wanted.seed)
    about = About(
        contents=contents,
        sampled=sampled,
        count=wanted.sample,
        seed=wanted.seed,
        terms=wanted.terms,
        created=stamp(now),
        tool=wanted.tool,
    )
    told = write_reports(connection, pack, about)
    pack.put(names.README, readme(about))
    pack.put(names.SCRIPT, VERIFIER.read_bytes())
    pack.put(names.VERIFIER, browser_verifier())
    return sampled, told


def _record(store: SqlStore, manifest: Manifest, digest: str, *, person: PersonId) -> str:
    """Record that the pack was made; return the id of the entry."""
    data: dict[str, Json] = {
        "range": [manifest.start, manifest.end],
        "disclosure": manifest.disclosure,
        "size": manifest.size,
        "manifest": digest,
    }
    with store.begin() as unit:
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(person))
        return unit.append(Draft(kind="export.made", actor=actor, data=data)).id


def _filters(wanted: Request) -> dict[str, Json]:
    parts: list[Json] = [*sorted(wanted.parts)]
    chosen: dict[str, Json] = {
        "parts": parts if wanted.disclose is not Disclosure.ALL else None,
        "sample": {"count": wanted.sample, "seed": wanted.seed} if wanted.sample else None,
        "since": stamp(wanted.bounds.since) if wanted.bounds.since else None,
        "until": stamp(wanted.bounds.until) if wanted.bounds.until else None,
    }
    return {name: one for name, one in chosen.items() if one is not None}

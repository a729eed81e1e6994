"""Who stands behind a pseudonym of the log: somebody, until an erasure of the log took them away.

A marker says nothing about the person, but it lists what of theirs went: what they said, or what
came of what they had asked for. So whoever is gone has to have a marker of their own, behind which
nothing under their name is held; where a marker lists nothing that is anybody's, it may be of one
who had nothing.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from storage.entry_bytes import DECODER
from storage.rebuild import Picture
from storage.retention.past import TELL
from storage.verify.members import is_count
from storage.verify.report import Report
from workflows.entry import PERSON

CODE = "projection"
PSEUDONYM = re.compile(r"s:[0-9a-f]{32}")
PEOPLE = "SELECT ref FROM audit_subject"
ACTORS = (
    "SELECT DISTINCT e.actor_ref FROM audit_entry e WHERE e.actor_ref LIKE 's:%' AND NOT EXISTS"
    " (SELECT 1 FROM audit_subject s WHERE s.ref = e.actor_ref)"
)
# Under whose name something is held, or what they said themselves, and since when.
HELD = (
    "SELECT w.ref, min(w.idx) FROM (SELECT p.subject_ref AS ref, e.idx FROM audit_part p"
    " JOIN audit_entry e ON e.seq = p.entry_seq WHERE p.subject_ref IS NOT NULL UNION ALL"
    " SELECT e.actor_ref, e.idx FROM audit_part p JOIN audit_entry e ON e.seq = p.entry_seq"
    " WHERE e.actor_ref LIKE 's:%') w WHERE NOT EXISTS"
    " (SELECT 1 FROM audit_subject s WHERE s.ref = w.ref) GROUP BY w.ref"
)
ERASED = (
    "SELECT idx, line FROM audit_entry WHERE run_id IS NULL AND kind = 'erasure'"
    """ AND idx IS NOT NULL AND line LIKE '%"reason":"request"%' ORDER BY idx"""
)
# Runs that were to erase somebody: what they told of that goes later, and is no erasure of theirs.
ERASING = (
    "SELECT DISTINCT run_id FROM audit_entry WHERE kind = 'approval.requested'"
    """ AND line LIKE '%"action":"interlock.erase"%' AND run_id IS NOT NULL"""
)
LISTED = "SELECT idx, kind, actor_ref, run_id FROM audit_entry WHERE idx IN ({})"
BEGAN = "SELECT run_id, actor_ref FROM audit_entry WHERE kind = 'run.started' AND run_id IN ({})"
AT_ONCE = 500
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Marker:
    """An erasure on a request: the places of the entries whose payloads it lists."""

    place: int
    by_run: str | None
    listed: frozenset[int]


def judge_people(connection: Connection, told: Picture, report: Report) -> None:
    """Say who is gone though no erasure can have been theirs, or that too many are."""
    held = {str(ref): place for ref, place in connection.execute(text(HELD))}
    named = set(connection.execute(text(PEOPLE)).scalars())
    acted = set(connection.execute(text(ACTORS)).scalars())
    nameless = acted | held.keys() | (set(_mentioned(told)) - named)
    if not nameless:
        return
    newest, others = _erased(connection, nameless)
    # What came in while its writer was erased stands behind the marker.
    first = min(others, default=None)
    unerased, unlisted = [], []
    for ref in sorted(nameless):
        marker = newest.get(ref, first)
        if marker is None or (held.get(ref) is not None and held[ref] < marker):
            unerased.append(ref)
        elif ref not in newest:
            unlisted.append(ref)
    for one in unerased:
        report.fail(CODE, f"audit_subject {one} is missing, and no erasure can have been theirs.")
    if len(unlisted) > len(others):
        names = ", ".join(unlisted[:MOST_NAMED])
        words = f"{len(unlisted)} people are missing; erasures tell of {len(others)} at most"
        report.fail(CODE, f"audit_subject: {words}: {names}.")


def _erased(
    connection: Connection, nameless: Container[str]
) -> tuple[Mapping[str, int], Sequence[int]]:
    """Return the newest marker of each person whom one lists, and the markers that list nobody."""
    markers = list(_markers(connection))
    erasing = set(connection.execute(text(ERASING)).scalars())
    said, asked = _owners(connection, {one for some in markers for one in some.listed}, erasing)
    newest: dict[str, int] = {}
    others: dict[object, int] = {}
    listing: set[object] = set()
    for one in markers:
        # An erasure that is too long for one marker has several.
        erasure = one.place if one.by_run is None else one.by_run
        sure = {said[place] for place in one.listed if place in said}
        likely = {asked[place] for place in one.listed if place in asked}
        newest.update(dict.fromkeys(sure | likely, one.place))
        # What the nightly sweep adds to erasures tells of them alone.
        is_added = one.by_run is None and one.listed and not sure | likely
        if sure or is_added or any(ref in nameless for ref in likely):
            listing.add(erasure)
        others.setdefault(erasure, one.place)
    return newest, [place for erasure, place in others.items() if erasure not in listing]


def _markers(connection: Connection) -> Iterator[_Marker]:
    for place, line in connection.execute(text(ERASED)):
        data = DECODER.decode(line)["data"]
        items = [one[0] for one in data["items"] if isinstance(one, list) and one]
        by_run = data["by_run"] if isinstance(data["by_run"], str) else None
        yield _Marker(place, by_run, frozenset(filter(is_count, items)))


def _owners(
    connection: Connection, places: set[int], erasing: Container[str]
) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """Return who said what entries hold, and who asked for the runs in which the bot told it."""
    said: dict[int, str] = {}
    of_runs: dict[int, str] = {}
    for place, kind, actor, run in _among(connection, LISTED, sorted(places)):
        if run in erasing or (run is None and kind in TELL):  # Which quote other people.
            continue
        if str(actor).startswith(PERSON):
            said[place] = str(actor)
        elif run is not None:
            of_runs[place] = str(run)
    began = _among(connection, BEGAN, sorted(set(of_runs.values())))
    asked = {str(run): str(actor) for run, actor in began if str(actor).startswith(PERSON)}
    return said, {place: asked[run] for place, run in of_runs.items() if run in asked}


def _among(connection: Connection, statement: str, values: Sequence[Any]) -> Iterator[Any]:
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        names = ", ".join(f":v{at}" for at in range(len(some)))
        given = {f"v{at}": one for at, one in enumerate(some)}
        yield from connection.execute(text(statement.format(names)), given)


def _mentioned(told: Picture) -> Iterator[str]:
    """Yield the pseudonyms in the tables; whoever asked for a run acted in it, too."""
    for name, rows in told.tables.items():
        if name == "run":
            continue
        for key, row in rows.items():
            for value in (*key, *row.values()):
                yield from _pseudonyms(value)


def _pseudonyms(value: Any) -> list[str]:  # noqa: ANN401  of any column
    return PSEUDONYM.findall(value) if isinstance(value, str) else []

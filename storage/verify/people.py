"""Who stands behind a pseudonym of the log: somebody, until an erasure of the log took them away.

A marker says nothing about the person, so it is only asked whether it can have been theirs:
nothing under their name from before it is held any more, and no more people are gone than
were erased.
"""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from storage.rebuild import Picture
from storage.verify.report import Report

CODE = "projection"
PSEUDONYM = re.compile(r"s:[0-9a-f]{32}")
PEOPLE = "SELECT ref FROM audit_subject"
ACTORS = (
    "SELECT DISTINCT e.actor_ref FROM audit_entry e WHERE e.actor_ref LIKE 's:%' AND NOT EXISTS"
    " (SELECT 1 FROM audit_subject s WHERE s.ref = e.actor_ref)"
)
# Under whose name something is held, and since when.
HELD = (
    "SELECT p.subject_ref, min(e.idx) FROM audit_part p JOIN audit_entry e ON e.seq = p.entry_seq"
    " WHERE p.subject_ref IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM audit_subject s WHERE s.ref = p.subject_ref) GROUP BY p.subject_ref"
)
ERASED = (
    "SELECT idx FROM audit_entry WHERE run_id IS NULL AND kind = 'erasure' AND idx IS NOT NULL"
    """ AND line LIKE '%"reason":"request"%' ORDER BY idx"""
)


def judge_people(connection: Connection, told: Picture, report: Report) -> None:
    """Say who is gone though no erasure can have been theirs, or that too many are."""
    erased = list(connection.execute(text(ERASED)).scalars())
    held = {str(ref): place for ref, place in connection.execute(text(HELD))}
    named = set(connection.execute(text(PEOPLE)).scalars())
    acted = set(connection.execute(text(ACTORS)).scalars())
    nameless = acted | held.keys() | (set(_mentioned(told)) - named)
    # What came in while its writer was erased stands behind the marker.
    unerased = [
        ref
        for ref in nameless
        if not erased or (held.get(ref) is not None and held[ref] < erased[0])
    ]
    for one in sorted(unerased):
        report.fail(CODE, f"audit_subject {one} is missing, and no erasure can have been theirs.")
    if not unerased and len(nameless) > len(erased):
        words = f"{len(nameless)} people are missing; erasures tell of {len(erased)} at most."
        report.fail(CODE, f"audit_subject: {words}")


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

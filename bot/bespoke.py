"""What people do again and again under no name, or under two: bespoke copies, found in use.

Values only, as in `drift`; the daily comparison tells owners, and screens mark the workflow.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.drift import Drift, What
from storage.transaction import Database
from storage.uses import uses_of
from workflows.ad_hoc import copies_in_use, one_offs
from workflows.definition import Definition
from workflows.entry import RunId
from workflows.own_workflows import is_own

PERIOD = timedelta(days=30)
MOST_NAMED = 3


def bespoke(database: Database, definitions: Iterable[Definition], *, now: datetime) -> list[Drift]:
    """Return the workflows of which the last 30 days show that they stand for something else."""
    active = {one.workflow: one for one in definitions if not is_own(one.workflow)}
    uses = uses_of(database, active, since=now - PERIOD)
    versions = {name: one.version for name, one in active.items()}
    return sorted(
        [
            *(
                Drift(
                    what=What.USE,
                    workflow=one.workflow,
                    active=versions[one.workflow],
                    here=one.other,
                    runs=_named(one.runs),
                )
                for one in copies_in_use(uses)
            ),
            *(
                Drift(
                    what=What.ONE_OFF,
                    workflow=one.workflow,
                    active=versions[one.workflow],
                    # People's own words stand in it, so nothing but the runs is told.
                    here=hashlib.sha256(one.act.encode()).hexdigest(),
                    runs=f"{_named(one.runs)} by {one.people} people",
                )
                for one in one_offs(uses, active)
            ),
        ],
        key=lambda one: (one.workflow, one.what, one.here),
    )


def _named(runs: Sequence[RunId]) -> str:
    shown = ", ".join(one[:8] for one in runs[:MOST_NAMED])
    more = ", …" if len(runs) > MOST_NAMED else ""
    return f"{len(runs)} runs ({shown}{more})"

"""What becomes of a run whose segments die: it is tried again, and in the end somebody is told."""

import logging
from collections.abc import Callable

from storage.store import SqlStore
from workflows.entry import RunId

log = logging.getLogger(__name__)

MOST_DEATHS = 3

OnStuck = Callable[[RunId], None]


def bury(store: SqlStore, run: RunId, *, tell: OnStuck | None) -> None:
    """Count the death of a segment that a defect ended; after the third, have somebody told."""
    try:
        with store.begin() as unit:
            unit.lock_run(run)
            deaths = unit.count_death(run)
        if deaths >= MOST_DEATHS and tell is not None:
            tell(run)
    except Exception:
        # Nothing is lost: the sweep will find the run again.
        log.exception("stuck run not told", extra={"run": run})

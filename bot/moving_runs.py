"""Puts a waiting run on another version for whoever asks, from Slack or the command line."""

from bot.catalog_lines import known_version
from storage.store import SqlStore
from workflows.engine import Engine
from workflows.entry import RunId
from workflows.exceptions import SLACK
from workflows.orders import Moved, Moving
from workflows.people import PersonId


def move_run(
    engine: Engine,
    store: SqlStore,
    run: RunId,
    *,
    person: PersonId,
    reason: str,
    to: str = "",
    via: str = SLACK,
) -> Moved:
    """Put a run on the version whose digest begins with `to`, without one on the active version.

    Raises:
        InterlockError: it was refused.
    """
    version = known_version(store.database, store.run(run).workflow, to)
    return engine.move(Moving(run=run, person=person, reason=reason, to=version, via=via))


def told(moved: Moved) -> str:
    """Say what came of it, in one sentence."""
    if not moved.changed:
        return f"The run is on version {moved.version[:8]} already."
    return (
        f"The run goes on by version {moved.version[:8]} instead of {moved.before[:8]};"
        " what was approved before is asked anew."
    )

"""Puts a waiting run on another version for whoever asks, from Slack or the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.catalog_lines import known_version
from bot.desk import Desk
from bot.payloads import Interaction
from bot.views.move_form import move_form
from bot.views.request_modals import reason_of
from storage.store import SqlStore
from workflows.comparing import difference
from workflows.engine import Engine
from workflows.entry import RunId
from workflows.errors import RequestClosedError
from workflows.exceptions import SLACK
from workflows.orders import Moved, Moving
from workflows.people import PersonId

Answer = Mapping[str, Any]

CLOSE: Answer = {"response_action": "clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingRuns:
    """The listeners' part in moving runs."""

    desk: Desk

    def ask_reason(self, click: Interaction) -> None:
        """Show what differs and ask for the reason; whoever may not is told why not."""
        wanted = _wanted(click.press.said, click.caller.person)
        moved = self.desk.engine.may_move(wanted)
        if not moved.changed:
            raise RequestClosedError(told(moved), hint="Nothing was changed.")
        before, after = (self.desk.library.version(one) for one in (moved.before, moved.version))
        changes = difference(before, after, self.desk.library.known())
        form = move_form(
            click.press.said, before=before.version, after=after.version, changes=changes
        )
        self.desk.hurried.open(click.trigger_id, form)

    def by_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Put the run on the version that the form showed.

        Raises:
            InterlockError: nothing was changed.
        """
        reason = reason_of({"state": sent.sent.state})
        self.desk.engine.move(_wanted(sent.sent.private_metadata, sent.caller.person, reason))
        return CLOSE


def _wanted(about: str, person: PersonId, reason: str = "") -> Moving:
    run, _, version = about.partition("/")
    return Moving(run=RunId(run), person=person, reason=reason, to=version)


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

    Without a reason nothing is changed, and what is returned is what would be.

    Raises:
        InterlockError: it was refused.
    """
    version = known_version(store.database, store.run(run).workflow, to)
    wanted = Moving(run=run, person=person, reason=reason, to=version, via=via)
    return engine.move(wanted) if reason else engine.may_move(wanted)


def could_be(moved: Moved) -> str:
    """Say what would come of it, in one sentence."""
    if not moved.changed:
        return told(moved)
    return f"The run can go on by version {moved.version[:8]} instead of {moved.before[:8]}."


def told(moved: Moved) -> str:
    """Say what came of it, in one sentence."""
    if not moved.changed:
        return f"The run is on version {moved.version[:8]} already."
    return (
        f"The run goes on by version {moved.version[:8]} instead of {moved.before[:8]};"
        " what was approved before is asked anew."
    )

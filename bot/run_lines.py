"""Runs as lines of a list, for whichever list they stand in."""

from bot.desk import Desk
from bot.views.lists import RunLine
from bot.wording import who_of
from storage.history import read_run
from storage.listing import ListedRun
from storage.outbox_values import MessagePlace
from workflows.errors import InterlockError
from workflows.own_workflows import is_own, run_title
from workflows.revised import inputs_in


def run_line(desk: Desk, listed: ListedRun) -> RunLine:
    """Return a run as a list shows it."""
    return RunLine(
        run=listed.id,
        title=title_of(desk, listed),
        status=listed.status,
        requester=who_of(listed.requester, listed.requester_name),
        started_at=listed.started_at,
        note=_note(desk, listed),
        thread=link_to(desk, listed.place),
    )


def _note(desk: Desk, listed: ListedRun) -> str:
    """Say at which step a run is that goes on, and whether new runs take another version."""
    if listed.status.is_end:
        return ""
    at = f"at {listed.step}" if listed.step else ""
    newer = (
        "a newer version exists"
        if desk.library.is_replaced(listed.workflow, listed.version)
        else ""
    )
    return " · ".join(one for one in (at, newer) if one)


def title_of(desk: Desk, listed: ListedRun) -> str:
    """Return what people call the run: by its workflow, or by what it proposes."""
    try:
        definition = desk.library.version(listed.version)
    except InterlockError:  # Written by another release; its name is known all the same.
        return listed.workflow
    if not is_own(listed.workflow):
        return definition.title
    with desk.store.database.read() as connection:
        first, *_ = read_run(connection, listed.id)
    return run_title(definition, inputs_in(first))


def link_to(desk: Desk, place: MessagePlace | None) -> str:
    """Return the address of a message, nothing while it has no place."""
    if place is None:
        return ""
    return f"{desk.workspace_url}archives/{place.channel}/p{place.ts.replace('.', '')}"

"""The pages of `/ops history` and `/ops diff`: a workflow's story, and what a version changes."""

from collections.abc import Sequence

from bot.catalog_lines import known_version
from bot.catalog_story import Change, length_of_story, story_of
from bot.desk import Desk
from bot.run_lines import link_to
from bot.views.catalog import HISTORY_PAGE, ChangeLine, change_list, difference_page
from bot.views.pieces import Rendered
from storage.catalog_history import replaced_by
from storage.listing import listed_run
from workflows.comparing import difference
from workflows.entry import RunId

BOTH = 2  # Versions that are named, where none has to be active.


def history_page(desk: Desk, workflow: str, *, page: int) -> Rendered:
    """Return what became of a workflow, the newest first.

    Raises:
        UnknownWorkflowError: nobody ever published it.
    """
    database = desk.store.database
    total = length_of_story(database, workflow)
    if not total:
        desk.library.active(workflow)  # It suggests the nearest name.
    before = (page - 1) * HISTORY_PAGE
    found = story_of(database, workflow, most=HISTORY_PAGE, skip=before)
    lines = [_line(desk, one) for one in found]
    return change_list(workflow, lines, page=page, total=total)


def diff_page(desk: Desk, workflow: str, versions: Sequence[str], *, page: int) -> Rendered:
    """Return what the second of two versions changes against the first.

    Without a second it is the active one, without either the active one and what it replaced.

    Raises:
        UnknownWorkflowError: there is no such version.
    """
    database = desk.store.database
    if len(versions) < BOTH or not length_of_story(database, workflow):
        desk.library.active(workflow)  # A retired one has only what is named. It also suggests.
    named = [known_version(database, workflow, one) for one in versions]
    after = named[1] if len(named) == BOTH else known_version(database, workflow)
    before = named[0] if named else replaced_by(database, workflow, after)
    earlier = None if before is None else desk.library.version(before)
    lines = difference(earlier, desk.library.version(after), desk.library.known())
    typed = " ".join(("diff", workflow, *versions))
    return difference_page(
        f"{workflow}: {(before or 'nothing')[:8]} → {after[:8]}", lines, command=typed, page=page
    )


def _line(desk: Desk, change: Change) -> ChangeLine:
    listed = None if change.run is None else listed_run(desk.store.database, RunId(change.run))
    return ChangeLine(
        at=change.at,
        index=change.index,
        words=change.words,
        thread="" if listed is None else link_to(desk, listed.place),
    )

"""Who may look at runs: everybody of the workspace, or whoever the policy binds as viewers.

In a shared channel there are people of other workspaces, too. Unless the policy admits theirs,
they see what stands in the channel and no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.desk import Desk
from workflows.entry import Ref, RunId
from workflows.errors import (
    InterlockError,
    NotAllowedError,
    PeopleUnreadableError,
    StorageError,
    UnknownRunError,
)
from workflows.people import CLICK_AGE, PersonId
from workflows.store import RunRow

MOST_ECHOED = 64


def admit_viewer(desk: Desk, who: PersonId, workflow: str | None = None) -> None:
    """Return if somebody may look at runs, or at those of one workflow.

    Raises:
        NotAllowedError: they are of another workspace, or no viewer where viewers are bound.
        PeopleUnreadableError: who they are could not be read.
    """
    if desk.directory.is_outsider(who):
        raise NotAllowedError(
            "Somebody from another workspace sees no more of runs here than this channel shows.",
            hint="Ask somebody of the workspace that I work for.",
        )
    desk.roles.admit_viewer(who, workflow)


@contextmanager
def unseen(desk: Desk, run: RunId, who: PersonId) -> Iterator[None]:
    """Refuse what somebody wants of a run that they may not see as if there were none.

    What the engine lets them do is done: an owner needs no role to look.

    Raises:
        UnknownRunError: it was refused, and there is none that they may see.
    """
    try:
        yield
    except (StorageError, PeopleUnreadableError):
        raise
    except InterlockError as refused:
        if _is_seen(desk, run, who):
            raise
        raise UnknownRunError(f"There is no run {run[:MOST_ECHOED]}.") from refused


def _is_seen(desk: Desk, run: RunId, who: PersonId) -> bool:
    """Say whether somebody asked for a run, answers for it, or may look at those of its workflow.

    Raises:
        PeopleUnreadableError: who they are could not be read.
    """
    try:
        row = desk.store.run(run)
        if desk.store.person(Ref(row.requester)) != who and not _answers_for(desk, row, who):
            admit_viewer(desk, who, row.workflow)
    except (UnknownRunError, NotAllowedError):
        return False
    return True


def _answers_for(desk: Desk, row: RunRow, who: PersonId) -> bool:
    definition = desk.library.version(row.version)
    named = (definition.owner, definition.deputy)
    return any(who in desk.directory.members(one, max_age=CLICK_AGE) for one in named)

"""Who may look at runs: everybody of the workspace, or whoever the policy binds as viewers.

In a shared channel there are people of other workspaces, too. Unless the policy admits theirs,
they see what stands in the channel and no more.
"""

from bot.desk import Desk
from workflows.errors import NotAllowedError
from workflows.people import PersonId


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

"""What is different with the token of a whole organisation: some calls have to say where."""

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json


def team_meant(hub: Hub, arguments: Json) -> str:
    """Return the workspace that a list is asked of.

    Raises:
        SlackError: `missing_argument` where an organisation's token names none, or
            `team_access_not_granted`.
    """
    if hub.settings.organisation is None:
        return hub.settings.team
    team = str(arguments.get("team_id") or "")
    if not team:
        raise SlackError("missing_argument")
    if team not in hub.settings.teams:
        raise SlackError("team_access_not_granted")
    return team

"""Gives people one identity, whichever of their workspaces they act from.

Where several workspaces are of one organisation, what a person does names the one in which they
just are. Taken as it comes, one person would be two, and could approve twice.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from slack_bolt import App, BoltResponse

from bot.directory import Directory
from bot.roster import person_id, slack_user
from workflows.errors import PeopleUnreadableError
from workflows.people import PersonId

Body = MutableMapping[str, Any]


def unify_people(app: App, directory: Directory) -> None:
    """Have `app` read who clicked, typed or sent something as `directory` knows them."""

    def unify(body: Body, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt goes by this name.
        user = body.get("user")
        if isinstance(user, MutableMapping) and "id" in user:
            user["team_id"] = _team(directory, str(user.get("team_id") or ""), str(user["id"]))
        elif "user_id" in body:
            body["team_id"] = _team(directory, str(body.get("team_id")), str(body["user_id"]))
        return next()

    app.use(unify)


def identity_of(directory: Directory, team: str, user: str) -> PersonId:
    """Return how the product names a user of whom Slack says that they acted from `team`.

    Whom Slack cannot tell just now keeps the name under which they came. Nobody was asked under
    that, so nothing can come of it; whoever asks the directory next tells them why.
    """
    said = person_id(team, user)
    if team == directory.team:
        return said
    try:
        return directory.person(said).id
    except PeopleUnreadableError:
        return said


def _team(directory: Directory, said: str, user: str) -> str:
    found = slack_user(identity_of(directory, said, user)) if said else None
    return found[0] if found is not None else said

"""Gives people of an organisation one identity, whichever of its workspaces they act from.

Where the app is installed in a whole organisation, what a person does names the workspace in
which they just are. Taken as it comes, one person would be two, and could approve twice.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from slack_bolt import App, BoltResponse

from bot.directory import Directory
from bot.roster import person_id, slack_user
from workflows.errors import PeopleUnreadableError

Body = MutableMapping[str, Any]


def unify_people(app: App, directory: Directory) -> None:
    """Have `app` read who did something as `directory` knows them."""

    def unify(body: Body, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt goes by this name.
        user = body.get("user")
        if isinstance(user, MutableMapping):
            user["team_id"] = _team(directory, str(user.get("team_id") or ""), str(user["id"]))
        elif "user_id" in body:
            body["team_id"] = _team(directory, str(body.get("team_id")), str(body["user_id"]))
        return next()

    app.use(unify)


def _team(directory: Directory, said: str, user: str) -> str:
    try:
        found = slack_user(directory.person(person_id(said, user)).id)
    except PeopleUnreadableError:
        # Under the workspace alone nobody was asked, so nothing can come of it; whoever asks
        # the directory next tells the person why.
        return said
    return found[0] if found is not None else said

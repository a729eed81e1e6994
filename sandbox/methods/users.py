"""`users.*`: who people are."""

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.organisation import team_meant
from sandbox.methods.pages import page
from sandbox.methods.table import method
from sandbox.wire import user_object


@method("users.info", required="user", optional="include_locale", scopes="users:read", tier=4)
def info(hub: Hub, arguments: Json) -> Json:
    """Return one account with its flags."""
    return {"user": user_object(hub.state, hub.state.user(arguments["user"]))}


@method("users.list", optional="cursor include_locale limit", scopes="users:read", tier=2)
def list_all(hub: Hub, arguments: Json) -> Json:
    """Return the workspace's own accounts, deactivated ones included."""
    team = team_meant(hub, arguments)
    own = [one for one in hub.state.users.values() if team in (one.teams or [one.team])]
    found, cursor = page(own, arguments)
    return {
        "members": [user_object(hub.state, one) for one in found],
        "cache_ts": int(hub.state.now()),
        "response_metadata": {"next_cursor": cursor},
    }


@method("users.lookupByEmail", required="email", scopes="users:read.email", tier=3)
def lookup_by_email(hub: Hub, arguments: Json) -> Json:
    """Return the active account of an address."""
    for user in hub.state.users.values():
        same = user.email.lower() == arguments["email"].lower()
        if same and not user.deleted and not user.is_stranger:
            return {"user": user_object(hub.state, user)}
    raise SlackError("users_not_found")

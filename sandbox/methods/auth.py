"""`auth.*` and `apps.connections.open`: who the bot is, and where its socket waits."""

from sandbox import events
from sandbox.errors import SlackError
from sandbox.grants import end_all
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.pages import page
from sandbox.methods.table import method


@method("auth.test")
def test(hub: Hub, _arguments: Json) -> Json:
    """Return whose token this is."""
    bot, org = hub.state.users[hub.state.bot], hub.settings.organisation
    whose: Json = {"team": hub.settings.team_name, "team_id": hub.settings.team}
    if org is not None:
        whose = {"team": None, "team_id": None, "enterprise_id": org.id}
    return {
        "url": f"{hub.state.base_url}/",
        **whose,
        "user": bot.name,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": org is not None,
    }


@method("api.test", optional="error foo", tier=4)
def api_test(_hub: Hub, arguments: Json) -> Json:
    """Return what was sent."""
    return {"args": arguments}


@method("auth.revoke", optional="test", tier=3)
def revoke(hub: Hub, arguments: Json) -> Json:
    """End the bot's tokens and with the last one the installation, unless this is a test."""
    if not arguments.get("test"):
        end_all(hub.state, "token_revoked")
        events.uninstalled(hub)
    return {"revoked": not arguments.get("test")}


@method("auth.teams.list", optional="cursor include_icon limit", tier=2)
def teams(hub: Hub, arguments: Json) -> Json:
    """Return the workspaces of an organisation that the app is in.

    Raises:
        SlackError: the token is one workspace's.
    """
    if hub.settings.organisation is None:
        raise SlackError("not_allowed_token_type")
    found, cursor = page(list(hub.settings.teams.items()), arguments)
    return {
        "teams": [{"id": ident, "name": name} for ident, name in found],
        "response_metadata": {"next_cursor": cursor},
    }


@method("apps.connections.open", app_token=True, tier=3)
def open_connection(hub: Hub, _arguments: Json) -> Json:
    """Return a fresh Socket Mode address."""
    return {"url": hub.sockets.issue_url()}

"""`auth.*` and `apps.connections.open`: who the bot is, and where its socket waits."""

from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.table import method


@method("auth.test")
def test(hub: Hub, _arguments: Json) -> Json:
    """Return whose token this is."""
    bot = hub.state.users[hub.state.bot]
    return {
        "url": f"{hub.state.base_url}/",
        "team": hub.settings.team_name,
        "user": bot.name,
        "team_id": hub.settings.team,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test", optional="error foo", tier=4)
def api_test(_hub: Hub, arguments: Json) -> Json:
    """Return what was sent."""
    return {"args": arguments}


@method("auth.revoke", optional="test", tier=3)
def revoke(hub: Hub, arguments: Json) -> Json:
    """End the bot's token, unless this is a test."""
    if not arguments.get("test"):
        hub.state.revoked[hub.app.bot_token] = "token_revoked"
    return {"revoked": not arguments.get("test")}


@method("apps.connections.open", app_token=True, tier=3)
def open_connection(hub: Hub, _arguments: Json) -> Json:
    """Return a fresh Socket Mode address."""
    return {"url": hub.sockets.issue_url()}

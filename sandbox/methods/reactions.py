"""`reactions.add`: a mark on a message."""

import re

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.table import method

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


@method("reactions.add", required="channel name timestamp", scopes="reactions:write", tier=3)
def add(hub: Hub, arguments: Json) -> Json:
    """Put the bot's reaction on a message."""
    channel = hub.state.channel(arguments["channel"])
    message = hub.state.message(channel.id, arguments["timestamp"])
    if channel.archived:
        raise SlackError("is_archived")
    if hub.state.bot not in channel.members:
        raise SlackError("not_in_channel" if channel.kind == "public" else "channel_not_found")
    if not _NAME.fullmatch(arguments["name"]):
        raise SlackError("invalid_name")
    users = message.reactions.setdefault(arguments["name"], [])
    if hub.state.bot in users:
        raise SlackError("already_reacted")
    users.append(hub.state.bot)
    hub.state.changed("message_changed", channel=channel.id, ts=message.ts)
    return {}

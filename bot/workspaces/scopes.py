"""What the bot asks a workspace for, and for what; a test compares it with the manifest."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "people who mention the bot",
    "channels:history": "threads, and posts whose answer was lost",
    "channels:read": "whether the bot is in a channel",
    "chat:write": "every message",
    "commands": "the slash command and the message menu",
    "files:read": "files in forms",
    "files:write": "the files in a digest's thread",
    "groups:history": "the same in private channels",
    "groups:read": "the same for private channels",
    "im:write": "telling somebody directly",
    "usergroups:read": "who may run and approve",
    "users:read": "names, guests, deactivated people",
}
# Without these the bot works, and goes without what they are for.
SPARED = frozenset({"files:write"})

"""What the bot asks a workspace for; a test compares it with the manifest."""

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:write",
    "usergroups:read",
    "users:read",
)

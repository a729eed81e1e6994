"""How one sandbox is set up: its app, its strictness, its clock.

Everything here is fixed before the server starts. Strict is the default; a test that wants
it otherwise says so by name.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import limits
from sandbox.loose import Unchecked

BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "reactions:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
BOT_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "function_executed",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "subteam_members_changed",
        "subteam_updated",
        "user_change",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """The installed app as its manifest describes it.

    `shortcuts` maps a callback id to `message` or `global`; None allows any, for tests that
    do not bring a manifest. `functions` are the steps it offers to Workflow Builder.
    """

    id: str = "A0INTERLOCK"
    name: str = "Interlock"
    bot_name: str = "interlock"
    bot_token: str = "xoxb-sandbox-bot"  # noqa: S105 - a pretend token of a pretend Slack.
    app_token: str = "xapp-1-A0INTERLOCK-sandbox"  # noqa: S105 - as above.
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105 - as above.
    verification_token: str = "sandbox-verification"  # noqa: S105 - as above.
    scopes: frozenset[str] = BOT_SCOPES
    events: frozenset[str] = BOT_EVENTS
    commands: Mapping[str, bool] = field(default_factory=lambda: {"/ops": True})
    shortcuts: Mapping[str, str] | None = None
    shortcut_names: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], **others: Unchecked) -> "AppSettings":
        """Read scopes, events, commands and shortcuts from a parsed manifest."""
        features = manifest.get("features", {})
        granted = manifest.get("oauth_config", {}).get("scopes", {})
        events = manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", [])
        return cls(
            name=manifest["display_information"]["name"],
            scopes=frozenset([*granted.get("bot", []), *granted.get("bot_optional", [])]),
            events=frozenset(events),
            commands={
                one["command"]: bool(one.get("should_escape"))
                for one in features.get("slash_commands", [])
            },
            shortcuts={one["callback_id"]: one["type"] for one in features.get("shortcuts", [])},
            shortcut_names={
                one["callback_id"]: one["name"] for one in features.get("shortcuts", [])
            },
            functions=manifest.get("functions", {}),
            **others,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """One workspace and how strictly it treats the app.

    `rate_scale` multiplies every rate limit; None lifts them. `ack_seconds` is how long the
    app may take; `retry_delays` is when a failed event is sent again.
    """

    app: AppSettings = field(default_factory=AppSettings)
    team: str = "T0ACME"
    team_name: str = "Acme"
    domain: str = "acme"
    clock: Callable[[], float] = time.time
    seed: int = 7
    rate_scale: float | None = 1.0
    ack_seconds: float = limits.ACK_SECONDS
    retry_delays: tuple[float, ...] = limits.EVENT_RETRIES
    paid_plan: bool = True

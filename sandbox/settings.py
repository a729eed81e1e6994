"""How one sandbox is set up: its app, its strictness, its clock.

Everything here is fixed before the server starts. Strict is the default; a test that wants
it otherwise says so by name.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import limits, steps
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
        "app_uninstalled",
        "function_executed",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "subteam_members_changed",
        "subteam_updated",
        "tokens_revoked",
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
    client_id: str = "1601.1605"
    client_secret: str = "sandbox-client-secret"  # noqa: S105 - as above.
    redirect_urls: tuple[str, ...] = ()
    rotates: bool = False
    scopes: frozenset[str] = BOT_SCOPES
    events: frozenset[str] = BOT_EVENTS
    commands: Mapping[str, bool] = field(default_factory=lambda: {"/ops": True})
    shortcuts: Mapping[str, str] | None = None
    shortcut_names: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    has_home: bool = True

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], **others: Unchecked) -> "AppSettings":
        """Read scopes, events, commands, shortcuts and steps from a parsed manifest.

        Raises:
            ValueError: Slack would not make an app of it.
        """
        if faults := steps.faults_of(manifest.get("functions", {})):
            raise ValueError(f"invalid_manifest: {'; '.join(faults)}")
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
            has_home=bool(features.get("app_home", {}).get("home_tab_enabled")),
            **others,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An Enterprise Grid: `teams` maps the id of each of its workspaces to its name."""

    id: str
    name: str
    teams: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """One workspace and how strictly it treats the app.

    With `organisation` it stands for all workspaces of one, in which the app is installed as a
    whole; `team` is then where people belong unless said otherwise. `installed` says whether
    the app is there from the start; otherwise somebody has to install it.

    `rate_scale` multiplies every rate limit; None lifts them. `ack_seconds` is how long the
    app may take to answer, `trigger_seconds` until when it may open a form; `retry_delays` is
    when a failed event is sent again.
    """

    app: AppSettings = field(default_factory=AppSettings)
    team: str = "T0ACME"
    team_name: str = "Acme"
    domain: str = "acme"
    organisation: Organisation | None = None
    installed: bool = True
    clock: Callable[[], float] = time.time
    seed: int = 7
    rate_scale: float | None = 1.0
    ack_seconds: float = limits.ACK_SECONDS
    trigger_seconds: float = limits.TRIGGER_SECONDS
    retry_delays: tuple[float, ...] = limits.EVENT_RETRIES
    paid_plan: bool = True

    @property
    def installed_as(self) -> str:
        """The id under which the app is installed: of the organisation, or of the workspace."""
        return self.organisation.id if self.organisation else self.team

    @property
    def teams(self) -> Mapping[str, str]:
        """The workspaces whose people are at home here, with their names."""
        return self.organisation.teams if self.organisation else {self.team: self.team_name}

    def neighbour(self, *, team: str, team_name: str, **others: Unchecked) -> "SandboxSettings":
        """Return the settings of another workspace of the same app, with a token of its own."""
        app = replace(self.app, bot_token=f"xoxb-sandbox-{team}")
        made = {"domain": team_name.lower(), "seed": self.seed + 1, "app": app, **others}
        return replace(self, team=team, team_name=team_name, **made)

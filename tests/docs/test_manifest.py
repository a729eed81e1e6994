"""The manifest asks Slack for exactly what the bot uses."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import bot
from bot.command_text import USAGE
from bot.settings import Settings
from bot.workspaces.scopes import SCOPES as INSTALLED

ROOT = Path(bot.__file__).parents[1]
# The scopes of each method we call, from Slack's own list; any one of a group suffices there,
# and we ask for those of public and private channels.
CHANNELS = {"channels:read", "groups:read"}
HISTORY = {"channels:history", "groups:history"}
SCOPES: dict[str, set[str]] = {
    "auth.revoke": set(),
    "auth.teams.list": set(),
    "auth.test": set(),
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": HISTORY,
    "conversations.info": CHANNELS,
    "conversations.list": CHANNELS,
    "conversations.open": {"im:write"},
    "conversations.replies": HISTORY,
    "oauth.v2.access": set(),
    "usergroups.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "views.open": set(),
    "views.push": set(),
    "views.update": set(),
}
DEEPER = {"auth_teams_list": "auth.teams.list", "oauth_v2_access": "oauth.v2.access"}
OF_EVENTS = {
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "message": HISTORY,
    "subteam_members_changed": {"usergroups:read"},
    "subteam_updated": {"usergroups:read"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load((ROOT / "manifest.yml").read_text())
    return found


def sources() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "bot").rglob("*.py")))


def called_methods() -> set[str]:
    calls = re.findall(r"\b_?web\.([a-z]+_[A-Za-z0-9_]+)\b", sources())
    return {DEEPER.get(call, call.replace("_", ".", 1)) for call in calls}


def events() -> set[str]:
    return set(re.findall(r'app\.event\("([a-z_]+)"\)', sources()))


def test_every_method_we_call_is_in_the_table_of_scopes() -> None:
    assert called_methods() == set(SCOPES)


def test_it_asks_for_every_scope_that_is_needed_and_no_other(manifest: dict[str, Any]) -> None:
    needed = {"commands"}.union(*SCOPES.values(), *(OF_EVENTS[name] for name in events()))

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_whoever_installs_it_in_many_workspaces_is_asked_for_the_same(
    manifest: dict[str, Any],
) -> None:
    assert list(INSTALLED) == sorted(manifest["oauth_config"]["scopes"]["bot"])


def test_it_subscribes_to_exactly_what_the_bot_listens_to(manifest: dict[str, Any]) -> None:
    asked = manifest["settings"]["event_subscriptions"]["bot_events"]
    kinds = {"message" if name.startswith("message.") else name for name in asked}

    assert kinds == events() == set(OF_EVENTS)
    assert {"message.channels", "message.groups"} <= set(asked)


def test_its_command_is_the_one_the_bot_answers(manifest: dict[str, Any]) -> None:
    commands = manifest["features"]["slash_commands"]

    assert [one["command"] for one in commands] == [Settings.model_fields["command"].default]
    assert all(one["should_escape"] for one in commands)


def test_its_hint_names_everything_that_can_be_typed(manifest: dict[str, Any]) -> None:
    hint = manifest["features"]["slash_commands"][0]["usage_hint"]

    assert [one.split()[0] for one in hint.split(" | ")] == list(USAGE)


def test_it_keeps_to_the_lengths_that_slack_allows(manifest: dict[str, Any]) -> None:
    shown = manifest["display_information"]
    command = manifest["features"]["slash_commands"][0]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000

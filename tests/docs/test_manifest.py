"""The manifest asks Slack for exactly what the bot uses."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import bot
from bot.builder_steps import REQUEST_APPROVAL
from bot.command_values import USAGE
from bot.settings import Settings
from bot.views.message_shortcuts import MESSAGE_FIND_RUN, MESSAGE_REQUEST
from bot.views.thread_summary import THREAD_SUMMARISE
from bot.workspaces.scopes import SCOPES as INSTALLED
from sandbox.demo.stage import APP
from sandbox.settings import AppSettings
from sandbox.steps import SIDES, declared, needed

ROOT = Path(bot.__file__).parents[1]
# The scopes of each method we call, from Slack's own list; any one of a group suffices there,
# and we ask for those of public and private channels.
CHANNELS = {"channels:read", "groups:read"}
HISTORY = {"channels:history", "groups:history"}
SCOPES: dict[str, set[str]] = {
    "apps.connections.open": set(),
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
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "functions.completeError": set(),
    "functions.completeSuccess": set(),
    "oauth.v2.access": set(),
    "usergroups.list": {"usergroups:read"},
    "users.conversations": CHANNELS,
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}
DEEPER = {
    "apps_connections_open": "apps.connections.open",
    "auth_teams_list": "auth.teams.list",
    "oauth_v2_access": "oauth.v2.access",
}
OF_EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "function_executed": set(),
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
    listened = set(re.findall(r'app\.event\("([a-z_]+)"\)', sources()))
    return listened | ({"function_executed"} if "app.function(" in sources() else set())


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


def test_it_gives_everybody_a_home(manifest: dict[str, Any]) -> None:
    assert "views.publish" in called_methods()
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert AppSettings.from_manifest(manifest).has_home


def test_its_command_is_the_one_the_bot_answers(manifest: dict[str, Any]) -> None:
    commands = manifest["features"]["slash_commands"]

    assert [one["command"] for one in commands] == [Settings.model_fields["command"].default]
    assert all(one["should_escape"] for one in commands)


def test_its_shortcuts_are_the_ones_the_bot_answers(manifest: dict[str, Any]) -> None:
    shortcuts = manifest["features"]["shortcuts"]

    assert {one["callback_id"] for one in shortcuts} == {
        MESSAGE_REQUEST,
        MESSAGE_FIND_RUN,
        THREAD_SUMMARISE,
    }
    assert {one["type"] for one in shortcuts} == {"message"}
    assert all(len(one["name"]) <= 24 for one in shortcuts)
    assert all(len(one["description"]) <= 150 for one in shortcuts)


def test_its_step_is_the_one_the_bot_takes_up(manifest: dict[str, Any]) -> None:
    (name, step), *others = manifest["functions"].items()
    parameters = {**declared(step, "input_parameters"), **declared(step, "output_parameters")}

    assert (name, others) == (REQUEST_APPROVAL, [])
    assert all(one["name"] == key for key, one in parameters.items())
    assert manifest["settings"]["function_runtime"] == "remote"
    assert manifest["settings"]["org_deploy_enabled"] is True


def test_its_step_is_declared_in_the_form_of_the_version_it_names(
    manifest: dict[str, Any],
) -> None:
    """Slack's schema of version 2 knows `properties` and `required`, and no `is_required`."""
    (step,) = manifest["functions"].values()
    parameters = [one for side in SIDES for one in declared(step, side).values()]

    assert manifest["_metadata"]["major_version"] == 2
    assert all({"type", "name"} <= one.keys() and "is_required" not in one for one in parameters)
    assert all(needed(step, side) <= declared(step, side).keys() for side in SIDES)


def test_a_step_in_the_form_of_another_version_makes_no_app(manifest: dict[str, Any]) -> None:
    (step,) = manifest["functions"].values()
    flat = {"title": "Title", "description": "A step", **{one: step[one] for one in SIDES}}
    flat["input_parameters"] = {"title": {"type": "string", "is_required": True}}

    with pytest.raises(ValueError, match="input_parameters: must have required property"):
        AppSettings.from_manifest({**manifest, "functions": {"request_approval": flat}})


def test_the_demo_offers_what_the_manifest_does(manifest: dict[str, Any]) -> None:
    app = AppSettings.from_manifest(manifest)

    assert (APP.shortcuts, APP.shortcut_names) == (app.shortcuts, app.shortcut_names)
    assert APP.events == app.events
    assert {name: _outline(one) for name, one in APP.functions.items()} == {
        name: _outline(one) for name, one in app.functions.items()
    }


def _outline(step: Mapping[str, Any]) -> dict[str, dict[str, tuple[str, bool]]]:
    """Return what a step takes and gives: names, types, and which of them have to be there."""
    return {
        side: {
            name: (one["type"], name in needed(step, side))
            for name, one in declared(step, side).items()
        }
        for side in SIDES
    }


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

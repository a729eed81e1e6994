"""The manifest of the Slack app as the settings want it, and the link that makes the app of it.

Slack takes a manifest as text, or in the address of the page on which apps are made. Printing
that address asks nobody; whoever opens it sees everything before anything is made.
"""

import copy
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML

from bot.settings import Settings

FILE = Path(__file__).with_name("manifest.yml")
CREATE = "https://api.slack.com/apps?new_app=1&manifest_json="
EVENTS, REDIRECT = "/slack/events", "/slack/oauth_redirect"


def manifest_of(settings: Settings) -> Mapping[str, Any]:
    """Return the shipped manifest with the command and the way of receiving that are set."""
    return _as_set(json.loads(_plain()), settings)


def manifest_text(settings: Settings) -> str:
    """Return it as YAML, with the remarks of the shipped file."""
    written = io.StringIO()
    _yaml().dump(_as_set(copy.deepcopy(_shipped()), settings), written)
    return written.getvalue()


def creation_link(settings: Settings) -> str:
    """Return the address at which Slack offers to make this app."""
    written = json.dumps(manifest_of(settings), separators=(",", ":"), ensure_ascii=False)
    return CREATE + quote(written, safe="")


def _as_set(manifest: dict[str, Any], settings: Settings) -> dict[str, Any]:
    manifest["features"]["slash_commands"][0]["command"] = settings.command
    if settings.http and settings.public_url:
        _receive_over_http(manifest, settings.public_url)
    if settings.serves_many and settings.public_url:
        manifest["oauth_config"]["redirect_urls"] = [settings.public_url + REDIRECT]
        manifest["settings"]["token_rotation_enabled"] = True
    return manifest


def _receive_over_http(manifest: dict[str, Any], public_url: str) -> None:
    url = public_url + EVENTS
    manifest["features"]["slash_commands"][0]["url"] = url
    settings = manifest["settings"]
    settings["event_subscriptions"]["request_url"] = url
    settings["interactivity"]["request_url"] = url
    settings["interactivity"]["message_menu_options_url"] = url
    settings["socket_mode_enabled"] = False


@cache
def _shipped() -> dict[str, Any]:
    """Read the file, with its remarks, once: `interlock init` asks for it three times."""
    shipped: dict[str, Any] = _yaml().load(FILE.read_text(encoding="utf-8"))
    return shipped


@cache
def _plain() -> str:
    """Return it as JSON, of which a copy is had in no time."""
    return json.dumps(_shipped())


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # Slack's editor folds for itself.
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml

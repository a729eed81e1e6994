"""Everything the demo needs around the bot: Slack, the targets, and the files the bot reads.

The bot's files are the shipped ones; only the addresses of this machine's targets are put in.
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.demo.errors import DemoError
from sandbox.seed import seed as seed_workspace
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from sandbox.targets import accounts, releases, shop

POLICY = "demo-policy.yaml"
SHOP, CRM, FOLDER, GIT = (
    "http://127.0.0.1:8401",
    "sqlite:////srv/interlock-demo/crm.db",
    "/srv/interlock-demo/releases",
    "/usr/bin/git",
)


# What the bot's manifest offers in the menu of a message.
SHORTCUTS = {
    "message.request": "Request approval of this",
    "thread.summarise": "Summarise this thread",
    "message.find_run": "Find its run",
}
_WORDS, _PERSON = "string", "slack#/types/user_id"
# What it offers to Workflow Builder.
STEP = {
    "title": "Request approval",
    "description": "Asks the people whom the policy names",
    "input_parameters": {
        "properties": {
            "title": {"type": _WORDS},
            "details": {"type": _WORDS},
            "requester": {"type": _PERSON},
        },
        "required": ["title", "requester"],
    },
    "output_parameters": {
        "properties": {name: {"type": _WORDS} for name in ("approved_by", "run", "link")},
        "required": ["approved_by", "run", "link"],
    },
}
# As the manifest asks for: of what else happens the bot is not told.
EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "function_executed",
        "message.channels",
        "message.groups",
        "subteam_members_changed",
        "subteam_updated",
        "tokens_revoked",
        "user_change",
    }
)
APP = AppSettings(
    shortcuts=dict.fromkeys(SHORTCUTS, "message"),
    shortcut_names=SHORTCUTS,
    functions={"request_approval": STEP},
    events=EVENTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The demo's world, running. `home` is where all of its data stays."""

    home: Path
    slack: SandboxServer
    shop: shop.ShopServer
    accounts: Path
    releases: Path

    @property
    def workflows(self) -> Path:
        """Return the folder of the workflow files."""
        return self.home / "workflows"

    @property
    def policy(self) -> Path:
        """Return the policy file."""
        return self.home / "policy.yaml"


def fresh_settings() -> SandboxSettings:
    """Return how Slack is set up.

    It never gives a trigger or event the id of another; a bot that was here before would take
    what a second performance does for repetitions of the first.
    """
    return SandboxSettings(app=APP, retry_delays=(0, 1, 5), seed=secrets.randbits(32))


@contextmanager
def staged(
    home: Path,
    shipped: Path,
    *,
    port: int,
    settings: SandboxSettings | None = None,
    others: Sequence[SandboxSettings] = (),
) -> Iterator[Stage]:
    """Start Slack and the targets under `home`, write the bot's files, and stop them again.

    `others` are further workspaces; the same people work in each.

    Raises:
        DemoError: a shipped file is not as the demo expects it.
    """
    targets = home / "targets"
    crm, repository = accounts.seed(targets), releases.seed(targets)
    server = SandboxServer(settings or fresh_settings(), others=others, port=port)
    with shop.ShopServer(targets) as open_shop, server as slack:
        for workspace in slack.workspaces.values():
            seed_workspace(workspace)
        stage = Stage(home=home, slack=slack, shop=open_shop, accounts=crm, releases=repository)
        _write_files(stage, shipped)
        yield stage


def _write_files(stage: Stage, shipped: Path) -> None:
    stage.workflows.mkdir(parents=True, exist_ok=True)
    for file in sorted(shipped.glob("*.yaml")):
        if file.name != POLICY:
            shutil.copyfile(file, stage.workflows / file.name)
    text = (shipped / POLICY).read_text()
    places = {
        SHOP: stage.shop.url,
        CRM: accounts.address(stage.accounts),
        FOLDER: str(stage.releases.resolve()),
        GIT: releases.git_path(),
    }
    for placeholder, real in places.items():
        if placeholder not in text:
            raise DemoError(f"{POLICY} no longer holds {placeholder}, which the demo replaces.")
        text = text.replace(placeholder, real)
    stage.policy.write_text(text)

"""`interlock publish`: what is sent to the bot, and what is said of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main, publishing
from bot.publish_orders import ActivateOrder, PublishOrder, RetireOrder
from bot.settings import Settings
from tests.bot.catalog import PLAIN
from workflows.errors import DefinitionError


class Bot:
    """Takes orders as the one that serves does, and remembers them."""

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.is_open = False

    def __call__(self, _settings: Settings, order: Any, *, user: int) -> Mapping[str, Any]:  # noqa: ANN401, ARG002 - any order.
        self.orders.append(order)
        if isinstance(order, PublishOrder) and "broken" in order.text:
            raise DefinitionError("broken.yaml:1:1: is broken")
        return {
            "ok": True,
            "workflow": "tidy-up",
            "version": "a" * 64,
            "replaces": None,
            "run": "r1",
            "is_new": not self.is_open,
            "by": "Rita",
            "channel": "ops",
            "not_taken": ["author", "reason"] if self.is_open else [],
            "warnings": ["tidy-up.yaml:2:1: warning: odd"],
            "served": True,
        }


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bot:
    found = Bot()
    monkeypatch.setattr(publishing, "have_done", found)
    monkeypatch.setattr(
        publishing,
        "placed",
        lambda _, told: {**told, "channel": "#ops", "link": "https://a.test/1"},
    )
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "one.yaml").write_text(PLAIN)
    (tmp_path / "policy.yaml").write_text("rules: []\n")
    return found


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, ["publish", *words])


def test_a_name_is_looked_up_among_the_definitions(bot: Bot) -> None:
    told = typed("tidy-up", "--by", "@dora", "--reason", "It is time.")

    assert [(one.file, one.author, one.reason) for one in bot.orders] == [
        ("one.yaml", "@dora", "It is time.")
    ]
    assert told.output == (
        "tidy-up aaaaaaaa is put to people in run r1; it would replace nothing.\n"
        "  Its card in #ops: https://a.test/1\n"
        "  tidy-up.yaml:2:1: warning: odd\n"
    )


def test_what_is_open_says_by_whom_and_where_and_what_was_not_taken(bot: Bot) -> None:
    bot.is_open = True
    told = typed("tidy-up", "--by", "@dora", "--reason", "It is time.")

    assert told.exit_code == 1
    assert told.output.startswith(
        "tidy-up aaaaaaaa is before people already, in run r1 by Rita; it would replace nothing.\n"
        "  Its card in #ops: https://a.test/1\n  --by and --reason changed nothing: people go on"
        " deciding about what was said first. To change it, `interlock cancel r1` and propose it"
        " again.\n"
    )


def test_of_several_files_one_that_is_refused_stops_none_of_the_others(
    bot: Bot, tmp_path: Path
) -> None:
    (tmp_path / "workflows" / "a.yaml").write_text("workflow: broken\n")
    told = typed("--json")

    assert told.exit_code == 1
    assert len(bot.orders) == 2
    assert [one["ok"] for one in json.loads(told.output)["proposed"]] == [False, True]


def test_versions_retirements_and_the_policy_are_orders_of_their_own(bot: Bot) -> None:
    typed("--activate", "tidy-up", "a" * 8)
    typed("--retire", "tidy-up", "--reason", "Nobody tidies.")
    typed("--policy")

    assert bot.orders[:2] == [
        ActivateOrder(workflow="tidy-up", version="a" * 8),
        RetireOrder(workflow="tidy-up", reason="Nobody tidies."),
    ]
    assert bot.orders[2].is_policy


@pytest.mark.parametrize(
    "words",
    [("tidy-up", "--policy"), ("--retire", "tidy-up"), ("no-such-file.yaml",)],
)
def test_what_is_asked_wrongly_is_refused(bot: Bot, words: tuple[str, ...]) -> None:
    assert typed(*words).exit_code == 2
    assert bot.orders == []


def test_too_little_of_a_version_is_asked_wrongly(bot: Bot) -> None:
    told = typed("--activate", "tidy-up", "7a5")

    assert told.exit_code == 2
    assert "version: must have at least 8 characters." in told.output
    assert not bot.orders

"""Every action by its name, ours and those of other packages."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.rows import DatabaseRows
from workflows.actions.base import Call, Effect
from workflows.actions.registry import GROUP, all_actions, foreign_actions, shipped_actions
from workflows.actions.slack import SlackPost, SlackPostAction
from workflows.errors import DefinitionError, NotPerformedError
from workflows.services import Services

ROWS = DatabaseRows(lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))
FOREIGN = """
from pydantic import BaseModel
from workflows.actions.base import Action, Effect

class Nothing(BaseModel):
    pass

class Greet(Action[Nothing, Nothing]):
    name = {name!r}
    effect = Effect.READ
    takes = gives = Nothing

    def perform(self, arguments, call):
        return arguments

class Unfinished(Action[Nothing, Nothing]):
    name = "unfinished"
"""


@pytest.fixture
def a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(name: str, points: str) -> None:
        (tmp_path / "greeting.py").write_text(FOREIGN.format(name=name))
        info = tmp_path / "greeting-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(__import__("sys").modules, "greeting", raising=False)

    return install


def test_every_shipped_action_declares_what_it_does_and_takes() -> None:
    actions = shipped_actions(Services(), ROWS)

    assert {name: one.effect for name, one in actions.items()} == {
        "http.request": Effect.READ,
        "sql.query": Effect.READ,
        "sql.execute": Effect.WRITE,
        "shell.run": Effect.READ,
        "slack.post": Effect.EGRESS,
        "slack.release": Effect.DESTRUCTIVE,
        "interlock.erase": Effect.DESTRUCTIVE,
        "interlock.held": Effect.READ,
        "interlock.access_report": Effect.READ,
        "interlock.access_review": Effect.WRITE,
        "interlock.policy": Effect.WRITE,
        "interlock.publish": Effect.WRITE,
        "interlock.retire": Effect.WRITE,
        "model.ask": Effect.EGRESS,
    }
    for one in actions.values():
        assert one.takes.model_json_schema()["additionalProperties"] is False
        assert one.gives.model_json_schema()["type"] == "object"


def test_an_installed_package_brings_its_actions(a_package: Callable[..., None]) -> None:
    a_package("greet", "greet = greeting:Greet")

    actions = all_actions(Services(), ROWS)

    assert actions["greet"].name == "greet"
    assert "http.request" in actions


def test_a_package_cannot_replace_an_action(a_package: Callable[..., None]) -> None:
    a_package("http.request", "greet = greeting:Greet")

    with pytest.raises(DefinitionError, match=r"two actions named http\.request"):
        all_actions(Services(), ROWS)


@pytest.mark.parametrize(
    "value", ["nowhere:Gone", "builtins:dict", "greeting:Unfinished", "greeting:Missing"]
)
def test_an_entry_point_that_names_no_action_is_told(
    value: str, a_package: Callable[..., None]
) -> None:
    a_package("greet", "")

    with pytest.raises(DefinitionError):
        foreign_actions([EntryPoint(name="broken", value=value, group=GROUP)])


def test_a_message_is_delivered_by_the_outbox_and_never_performed(
    a_call: Callable[..., Call],
) -> None:
    action = SlackPostAction()
    message = SlackPost(channel="#ops", text="All is well.\nNothing to do.")
    plan = action.plan(message, a_call())

    assert action.is_delivered
    assert plan.summary == "Post to #ops: All is well. Nothing to do."
    with pytest.raises(NotPerformedError, match="outbox"):
        action.perform(message, a_call())


@pytest.mark.parametrize(
    "given", [{"text": ""}, {"text": "x" * 3001}, {"text": "x", "channel": "?"}]
)
def test_a_message_that_slack_would_refuse_is_refused_at_the_door(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SlackPost.model_validate(given)

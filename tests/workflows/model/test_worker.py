"""The worker's own process: one question, one answer, and nothing of it left behind."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workflows.model.playing import KEY, Played
from workflows.errors import ActionFailedError, TransientReadError
from workflows.model.port import Question
from workflows.model.protocol import LIMIT, line_of, read_line


def a_question(*, timeout: float = 20) -> Question:
    return Question(system="Answer.", prompt="Which team?", max_tokens=100, timeout=timeout)


def test_an_answer_comes_back_with_what_it_took(played: Played) -> None:
    played.behave("good", "Team blue.")

    reply = played.model.ask(a_question())

    assert reply.text == "Team blue."
    assert (reply.model, reply.tokens_in, reply.tokens_out) == ("stand-in-1", 120, 30)
    asked = json.loads(played.asked)
    assert asked["model"] == "openai/stand-in"
    assert asked["messages"][1] == {"role": "user", "content": "Which team?"}


def test_the_worker_has_nothing_in_its_environment_but_the_key_and_how_to_behave(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-a-token-of-the-bot")
    played.behave("good")
    played.model.ask(a_question())

    found = json.loads((played.model.folder / "environment").read_text())

    # The C library may add its own; of the bot's there is none.
    assert set(found) - {"LC_CTYPE"} == {
        "INTERLOCK_MODEL_KEY",
        "LITELLM_LOCAL_MODEL_COST_MAP",
        "LITELLM_MODE",
    }


@pytest.mark.parametrize("how", ["slow", "dripping"])
def test_a_worker_that_takes_too_long_is_killed_with_all_it_started(
    played: Played, how: str
) -> None:
    played.behave(how)
    began = time.monotonic()

    with pytest.raises(TransientReadError, match=r"within 0\.5 s") as told:
        played.model.ask(a_question(timeout=0.5))

    assert told.value.error_class == "timeout"
    assert time.monotonic() - began < 30  # By itself it would go on for a minute.
    child = played.model.folder / "child"
    assert not child.exists() or _is_gone(int(child.read_text()))


def _is_gone(pid: int) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # It is not there any more, or ended while this was read.
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_garbage_is_refused_and_never_repeated(played: Played) -> None:
    played.behave("garbage", "and more")

    with pytest.raises(TransientReadError) as told:
        played.model.ask(a_question())

    assert told.value.error_class == "model_garbage"
    assert KEY not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, TransientReadError), (503, TransientReadError), (401, ActionFailedError)],
)
def test_what_may_pass_may_be_tried_again_and_a_refusal_may_not(
    played: Played, status: int, error: type[Exception]
) -> None:
    played.behave("failed", str(status))

    with pytest.raises(error, match=f"status {status}"):
        played.model.ask(a_question())


def test_without_an_installed_worker_nothing_is_started(played: Played, tmp_path: Path) -> None:
    bare = replace(played.model, folder=tmp_path / "nowhere")

    with pytest.raises(ActionFailedError, match="interlock model install"):
        bare.ask(a_question())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b'{"text": 1, "model": "m", "tokens_in": 1, "tokens_out": 1, "finish": "stop"}',
        b'{"text": "a", "model": "m", "tokens_in": -1, "tokens_out": 1, "finish": "stop"}',
        b'{"text": "a", "model": "m", "tokens_in": 1, "tokens_out": 1, "finish": "a b"}',
        b'{"error": "It said: sk-123", "status": 401}',
        b'{"text": "' + b"a" * LIMIT,
    ],
)
def test_only_lines_of_the_protocol_are_read(line: bytes) -> None:
    with pytest.raises(TransientReadError, match="no answer"):
        read_line(line)


def test_a_question_is_one_line_whatever_stands_in_it() -> None:
    asked = Question(system="a\nb", prompt='"\n}\u2028', max_tokens=1, timeout=1)

    line = line_of(asked, model="openai/m", base_url="", params={})

    assert line.count(b"\n") == 1
    assert json.loads(line)["messages"][1]["content"] == '"\n}\u2028'

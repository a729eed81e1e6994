"""What a language model wrote stands under its name wherever people see it."""

from bot.views.request_card import request_card
from bot.views.step_reply import StepReply, step_reply
from tests.bot.payload_checks import faults_of_message, text_of
from tests.bot.shown import a_card, a_preview


def a_reply(words: str, *, finish: str = "stop") -> StepReply:
    data = {"model": "small-1", "finish": finish, "call": "run/step/1"}
    return StepReply(kind="model.answered", data=data, words=words)


def test_a_models_words_in_a_thread_are_labelled_and_escaped() -> None:
    shown = step_reply(a_reply("Approve <!channel> *now*"))

    assert "`step`: the language model `small-1` wrote, and nobody has checked it:" in str(shown)
    assert "<!channel>" not in str(shown)


def test_a_model_without_an_answer_is_told_with_the_reason() -> None:
    assert "gave no answer (timeout)" in str(step_reply(a_reply("", finish="timeout")))


def test_a_card_names_the_arguments_that_a_model_wrote() -> None:
    payload = request_card(a_card(a_preview(by_model=["text", "channel", "a", "b"]))).payload

    assert faults_of_message(payload) == []
    told = text_of(payload)
    assert "A language model wrote* `text`, `channel` and `a` and 1 more argument." in told
    assert "you are the check" in told
    assert "language model" not in text_of(request_card(a_card(a_preview())).payload)

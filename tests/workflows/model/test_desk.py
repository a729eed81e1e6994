"""The desk: what leaves is redacted, what is asked is on record, what is spent has an end."""

from datetime import UTC, datetime

import pytest

from tests.workflows.model.playing import KEY, Pages, Played
from workflows.errors import ActionFailedError, TransientReadError
from workflows.model.desk import Budget, ModelDesk, no_desk
from workflows.model.port import Question, Reply
from workflows.model.worker import LiteLlm
from workflows.redaction import Redactor, forms_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "pässwört/+&'<1>"


def a_desk(model: LiteLlm, *, per_day: int = 10**9, spent: int = 0) -> ModelDesk:
    budget = Budget(per_day=per_day, spent=lambda _since: spent, now=lambda: NOON)
    redact = Redactor([SECRET, KEY])
    return ModelDesk(model, budget=budget, redact=redact, new_id=lambda: "ab" * 16)


def ask(desk: ModelDesk, journal: Pages, prompt: str = "Which?", *, timeout: float = 20) -> Reply:
    asked = Question(system="Answer.", prompt=prompt, max_tokens=100, timeout=timeout)
    return desk.ask(asked, journal, purpose="step", template="0" * 64, about="run/step")


def test_a_question_and_its_answer_are_told_with_what_the_registry_wants(played: Played) -> None:
    journal = Pages()
    played.behave("good", "Blue.")

    ask(a_desk(played.model), journal)

    (asked, about, prompt), (answered, found, text) = journal.told
    assert (asked, answered, text) == ("model.asked", "model.answered", "Blue.")
    assert prompt.endswith("Which?")
    assert about["call"] == found["call"] == "run/step/abababab"
    assert about["provider"] == "openai"
    assert about["params"] == {"temperature": "0"}
    assert (found["tokens_in"], found["tokens_out"], found["finish"]) == (120, 30, "stop")
    assert found["cost_micro"] == 120 + 2 * 30


def test_no_held_secret_leaves_in_any_form_that_is_known(played: Played) -> None:
    journal = Pages()
    forms = sorted(forms_of(SECRET))
    played.behave("good", f"You said {SECRET}.")

    reply = ask(a_desk(played.model), journal, "; ".join(forms))

    everything = [played.asked, reply.text, *(words for _, _, words in journal.told)]
    assert len(forms) > 10
    assert not [form for form in forms for text in everything if form in text]


def test_a_key_that_a_model_repeats_is_taken_out(played: Played) -> None:
    journal = Pages()
    played.behave("good", f"Your key is {KEY}.")

    reply = ask(a_desk(played.model), journal)

    assert KEY not in reply.text
    assert KEY not in str(journal.told)


def test_a_question_that_could_cost_more_than_is_left_is_not_asked(played: Played) -> None:
    journal = Pages()
    played.behave("good", "Blue.")

    with pytest.raises(ActionFailedError, match="INTERLOCK_MODEL_BUDGET") as told:
        ask(a_desk(played.model, per_day=1_000, spent=900), journal)

    assert told.value.error_class == "model_budget"
    assert journal.told == []
    assert not played.was_asked


def test_a_question_without_an_answer_is_counted_at_its_most(played: Played) -> None:
    journal = Pages()
    played.behave("slow")

    with pytest.raises(TransientReadError):
        ask(a_desk(played.model), journal, timeout=0.3)

    _, found, text = journal.told[-1]
    assert (found["finish"], text) == ("timeout", "")
    assert found["cost_micro"] == len("Answer.Which?") + 2 * 100


@pytest.mark.parametrize("usage", ['{"tokens_in": 0, "tokens_out": 0}', '{"tokens_out": 0}'])
def test_an_answer_whose_tokens_nobody_counted_is_counted_at_its_most(
    played: Played, usage: str
) -> None:
    journal = Pages()
    played.behave("odd", usage)

    reply = ask(a_desk(played.model), journal)

    _, found, _ = journal.told[-1]
    assert reply.text == "Blue."
    assert found["cost_micro"] == len("Answer.Which?") + 2 * 100


def test_without_a_model_nobody_is_asked_and_nothing_told() -> None:
    journal = Pages()

    with pytest.raises(ActionFailedError, match="No language model"):
        ask(no_desk(), journal)

    assert journal.told == []

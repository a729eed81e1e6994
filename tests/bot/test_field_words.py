"""Programs are told in words what does not fit, and not in those of a library."""

import pytest
from pydantic import ValidationError

from bot.api import CancelAsked, StartAsked
from bot.field_words import field_words
from workflows.entry import Json


@pytest.mark.parametrize(
    ("field", "given", "words"),
    [
        ("workflow", None, "please give a value"),
        ("workflow", 5, "must be text"),
        ("workflow", "", "must be the name of a workflow"),
        ("inputs", [], "must be a JSON object"),
        ("key", "a b", "must be 1 to 200 printable ASCII characters"),
        ("channel", "<!channel>", "such as ops or C0123ABCD"),
        ("inptus", {}, "there is no such field; did you mean 'inputs'?"),
        ("more", 1, "known here: channel, inputs, key, workflow"),
    ],
)
def test_a_field_of_a_start_that_does_not_fit_is_told_what_it_must_be(
    field: str, given: Json, words: str
) -> None:
    asked = {"workflow": "pay", field: given}
    with pytest.raises(ValidationError) as refused:
        StartAsked.model_validate({name: one for name, one in asked.items() if one is not None})

    assert words in field_words(refused.value, StartAsked)[field]


@pytest.mark.parametrize(
    ("reason", "words"), [("  ", "please give a value"), ("x" * 3001, "at most 3000 characters")]
)
def test_a_reason_that_does_not_fit_is_told_what_it_must_be(reason: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CancelAsked.model_validate({"reason": reason})

    assert words in field_words(refused.value, CancelAsked)["reason"]

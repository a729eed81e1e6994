"""The form that changes what is asked: filled with what is asked, and honest about what is not."""

from bot.views.change_form import CHANGE_FORM, change_form, not_shown
from tests.bot.payload_checks import faults_of_view
from workflows.loading import load_definition

ASKS = load_definition("""
workflow: ask
title: Ask for things
owner: "@owners"
deputy: "@deputies"
inputs:
  reason: {type: string, max_length: 100}
  amount: {type: integer, title: Amount}
  urgent: {type: boolean, default: false}
  day: {type: date, required: false}
  sort: {type: enum, choices: [small, large]}
steps: [{id: look, uses: world.read, with: {name: number}}]
""")
VALUES = {"reason": "Broken", "amount": 5, "urgent": True, "day": None, "sort": "large"}


def test_the_form_shows_every_value_and_says_what_sending_it_does() -> None:
    form = change_form(ASKS, VALUES, about="q1.abcd")
    shown = form.to_dict()

    assert faults_of_view(shown) == []
    assert (shown["callback_id"], shown["private_metadata"]) == (CHANGE_FORM, "q1.abcd")
    assert not_shown(form, VALUES) == []
    assert "Approvals given so far will no longer count" in str(shown)


def test_a_value_that_cannot_be_shown_stays_unless_another_is_given() -> None:
    values = {**VALUES, "reason": "two\nlines"}
    form = change_form(ASKS, values, about="q1.abcd")
    field = next(one for one in form.to_dict()["blocks"] if one.get("type") == "input")

    assert not_shown(form, values) == ["reason"]
    assert field["optional"] is True
    assert "Left open, it stays as it is" in field["hint"]["text"]

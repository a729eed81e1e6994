import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import limits
from bot.refusals import from_older_version, gave_up, refusal
from bot.refused_forms import refused_form
from tests.bot.payload_checks import live_faults, units
from workflows import errors
from workflows.errors import (
    InputsError,
    InputsUnreadableError,
    InterlockError,
    NotAllowedError,
    NotEligibleError,
    RequestClosedError,
    StorageUnavailableError,
    UnknownWorkflowError,
)

EVERY = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, InterlockError) and not issubclass(kind, InputsError)
]


def test_a_refusal_says_what_happened_and_what_would_help() -> None:
    told = refusal(UnknownWorkflowError("There is no refnd.", hint="Did you mean refund?"))

    assert told == "⚠️ There is no refnd. Did you mean refund?"


@pytest.mark.parametrize("kind", EVERY)
def test_every_refusal_has_a_reply(kind: type[InterlockError]) -> None:
    assert "It went wrong." in refusal(kind("It went wrong."))


def test_a_refused_click_names_who_may_decide_even_without_a_hint() -> None:
    assert "names who may decide" in refusal(NotEligibleError("You asked for this."))
    assert "what came of it" in refusal(RequestClosedError("Request q_1 expired."))


def test_a_database_that_cannot_write_is_told_as_nothing_recorded() -> None:
    assert "Nothing was recorded" in refusal(StorageUnavailableError("The database is locked."))


def test_whoever_runs_the_bot_can_read_that_people_were_refused_for_the_database(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal(NotAllowedError("You may not."))
    refusal(StorageUnavailableError("The disk is full."))

    assert caplog.messages == ["people were refused, since nothing could be recorded"]


def test_a_form_stays_where_sending_it_again_may_help_and_no_other() -> None:
    body = {"view": {"blocks": [{"type": "section"}, {"type": "input", "block_id": "amount"}]}}
    busy, barred = StorageUnavailableError("It is locked."), NotAllowedError("You may not.")
    kept = refused_form(body, busy)

    assert kept["errors"].keys() == {"amount"}
    assert kept["errors"]["amount"].startswith("It is locked. Nothing was recorded")
    assert refused_form(body, barred)["response_action"] == "update"
    assert refused_form({"view": {"blocks": []}}, busy)["response_action"] == "update"


def test_wrong_values_are_listed_by_field() -> None:
    told = refusal(InputsError({"amount": "must be at least 1", "order": "please give a value"}))

    assert "*amount* must be at least 1" in told
    assert "*order* please give a value" in told


def test_values_that_could_not_be_looked_up_are_told_with_what_helps() -> None:
    told = refusal(InputsUnreadableError({"who": "Slack did not answer"}, hint="Try again."))

    assert "*who* Slack did not answer" in told
    assert "Try again." in told


def test_many_wrong_values_are_counted() -> None:
    told = refusal(InputsError({f"field{number}": "no" for number in range(30)}))

    assert "and 20 more" in told


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_no_refusal_is_too_long_or_alive(message: str, hint: str, fields: dict[str, str]) -> None:
    for error in (InterlockError(message, hint=hint), InputsError(fields)):
        told = refusal(error)

        assert 0 < units(told) <= limits.TEXT
        assert live_faults([told]) == []


def test_late_and_outdated_clicks_are_told_what_to_do() -> None:
    assert "Type it once more" in gave_up()
    assert "thread" in from_older_version()

from typing import Any

from slack_sdk.models.views import View

from bot.views.request_modals import (
    CODE,
    TURN_BACK,
    TURN_PAGE,
    approve_modal,
    code_in,
    loading_modal,
    reason_of,
    refused_modal,
    reject_modal,
    review_modal,
)
from tests.bot.payload_checks import buttons_of, faults_of_view, text_of
from tests.bot.shown import a_preview

VALUE = "q_19c2.1f0a9c3e"
LONG = a_preview(lines=[f"row {number} " + "é" * 150 for number in range(3_000)], lines_total=3_000)


def checked(view: View) -> dict[str, Any]:
    shown: dict[str, Any] = view.to_dict()
    assert faults_of_view(shown) == []
    return shown


def test_a_review_shows_everything_and_has_approve() -> None:
    view = checked(review_modal(a_preview(lines=["x" * 2_000, "last"], lines_total=2)))

    assert "x" * 2_000 in text_of(view)
    assert "Reason: broken" in text_of(view)
    assert view["submit"]["text"] == "Approve"
    assert view["private_metadata"] == VALUE


def test_whoever_types_a_code_sees_once_more_what_it_is_for() -> None:
    short = a_preview(lines=["POST /refunds", "amount: 500"], lines_total=2, step_up="totp")
    told = text_of(checked(approve_modal(short)))

    assert "amount: 500" in told
    assert "What is approved `1f0a9c3e` · asked by <@U0RITA> · until <!date^" in told


def test_what_is_too_long_for_that_is_named_in_a_line() -> None:
    told = text_of(checked(approve_modal(LONG)))

    assert LONG.headline in told
    assert "row 1 " not in told


def test_a_long_plan_is_read_page_by_page_and_approved_on_the_last() -> None:
    pages, page = [], 1
    while True:
        view = checked(review_modal(LONG, page=page))
        pages.append(view)
        turns = buttons_of(view)
        if TURN_PAGE not in turns:
            break
        page += 1
        assert turns[TURN_PAGE] == f"{VALUE}/{page}"
        assert "submit" not in view

    assert len(pages) > 1
    assert pages[-1]["submit"]["text"] == "Approve"
    assert buttons_of(pages[-1])[TURN_BACK] == f"{VALUE}/{len(pages) - 1}"
    told = "\n".join(text_of(view) for view in pages)
    assert all(f"row {number} " in told for number in range(3_000))


def test_a_plan_that_cannot_be_read_whole_cannot_be_approved() -> None:
    view = checked(review_modal(a_preview(lines=["first"], lines_total=900)))

    assert "submit" not in view
    assert "899 lines of the plan cannot be shown" in text_of(view)


def test_with_the_whole_plan_at_hand_it_can_be_approved() -> None:
    whole = [f"line {number}" for number in range(900)]
    view = checked(review_modal(a_preview(lines=["line 0"], lines_total=900), whole))

    assert view["submit"]["text"] == "Approve"
    assert "line 899" in text_of(view)


def test_a_page_that_does_not_exist_becomes_the_nearest() -> None:
    assert checked(review_modal(a_preview(), page=99)) == checked(review_modal(a_preview()))


def test_a_reason_is_asked_for_where_the_policy_wants_one() -> None:
    strict = a_preview(needs_reason=True)

    for view in (checked(approve_modal(strict)), checked(reject_modal(strict))):
        assert view["blocks"][-1]["optional"] is False
    assert checked(review_modal(strict))["blocks"][-1]["type"] == "input"
    assert checked(reject_modal(a_preview()))["blocks"][-1]["optional"] is True
    assert (
        checked(reject_modal(a_preview(), reason_required=True))["blocks"][-1]["optional"] is False
    )


def test_the_wanted_form_of_a_reason_is_said_where_it_is_typed() -> None:
    strict = a_preview(needs_reason=True, reason_hints=["Name the ticket", "Say who checked"])

    for view in (checked(approve_modal(strict)), checked(review_modal(strict))):
        assert view["blocks"][-1]["hint"]["text"].startswith("Name the ticket; Say who checked.")
    assert "ticket" not in checked(reject_modal(strict))["blocks"][-1]["hint"]["text"]


def test_a_code_is_asked_for_with_an_approval_and_not_with_a_rejection() -> None:
    coded = a_preview(step_up="totp")
    for view in (checked(approve_modal(coded)), checked(review_modal(coded))):
        assert view["blocks"][-1]["block_id"] == CODE
        assert not view["blocks"][-1].get("optional")
    both = checked(approve_modal(a_preview(step_up="totp", needs_reason=True)))

    assert [one["block_id"] for one in both["blocks"][-2:]] == ["reason", CODE]
    assert CODE not in [one.get("block_id") for one in checked(reject_modal(coded))["blocks"]]
    assert CODE not in [
        one.get("block_id") for one in checked(approve_modal(a_preview()))["blocks"]
    ]


def test_the_code_comes_back_trimmed() -> None:
    values = {"code": {"code": {"type": "plain_text_input", "value": " 123 456 "}}}

    assert code_in({"state": {"values": values}}) == "123 456"
    assert code_in({}) == ""


def test_the_reason_comes_back_trimmed() -> None:
    values = {"reason": {"reason": {"type": "plain_text_input", "value": "  too much \n"}}}

    assert reason_of({"state": {"values": values}}) == "too much"
    assert reason_of({"state": {"values": {"reason": {"reason": {"value": None}}}}}) == ""
    assert reason_of({}) == ""


def test_a_refused_submission_and_a_slow_one_have_something_to_show() -> None:
    assert "✋ Not you." in text_of(checked(refused_modal("✋ Not you.")))
    assert "Looking" in text_of(checked(loading_modal()))

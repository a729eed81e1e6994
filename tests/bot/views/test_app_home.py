"""The Home tab: all in its order, what to do where there is nothing, more behind a button."""

from dataclasses import replace
from typing import Any

import pytest

from bot.error_words import SoFar
from bot.views.app_home import (
    HOME_BACK,
    HOME_MORE,
    TITLES,
    DelegationLine,
    HomeShown,
    Section,
    delegations,
    home_view,
    read_turn,
    shelf_of,
)
from bot.views.app_home_items import (
    RequestItem,
    Said,
    request_item,
    review_item,
    said_words,
    trouble_item,
)
from bot.views.exception_card import DoneEffect, Standing
from bot.views.pieces import section
from bot.views.request_card import APPROVE, REJECT, REVIEW
from bot.views.review_card import NOT_RIGHT, RIGHT, ReviewCard
from tests.bot.payload_checks import buttons_of, faults_of_view, text_of
from tests.bot.shown import ANA, NOON, RITA, a_preview, a_trouble
from workflows.gate import Outcome, Verdict

EMPTY = HomeShown(at=NOON, command="/ops")


def view_of(shown: HomeShown) -> dict[str, Any]:
    view: dict[str, Any] = home_view(shown).to_dict()
    assert faults_of_view(view) == []
    return view


def lines(count: int, *, start: int = 0, width: int = 20) -> list[list[Any]]:
    return [[section(f"line {at} ".ljust(width, "x"))] for at in range(start, start + count)]


def test_the_sections_stand_in_their_order_and_delegations_only_where_there_are_some() -> None:
    def headers(shown: HomeShown) -> list[str]:
        return [one["text"]["text"] for one in view_of(shown)["blocks"] if one["type"] == "header"]

    told = delegations([DelegationLine(words="Ben decides for you")])

    assert headers(EMPTY) == [TITLES[one] for one in list(Section)[:4]]
    assert headers(replace(EMPTY, delegations=told)) == list(TITLES.values())


def test_where_there_is_nothing_it_says_what_to_do() -> None:
    told = text_of(view_of(EMPTY))

    assert "Nothing waits for you. When somebody needs your approval" in told
    assert "Start one in a channel: `/ops run`" in told
    assert "You answer for no workflow" in told
    assert "Set one in a channel: `/ops schedule WORKFLOW tomorrow 9am`" in told


def test_an_owner_of_whom_nothing_stopped_sees_what_they_answer_for() -> None:
    shown = replace(EMPTY, owns=["Refund a <customer>", *"abcdefghij"])
    told = text_of(view_of(shown))

    assert "Nothing has stopped. You answer for Refund a &lt;customer&gt;, a, b" in told
    assert "and 3 more" in told


def test_somebody_who_never_decides_is_told_why_and_offered_nothing() -> None:
    waiting = shelf_of(Section.WAITING, [request_item(item())], skip=0)
    view = view_of(replace(EMPTY, waiting=waiting, why_never="guests do not decide"))

    assert "guests do not decide" in text_of(view)
    assert APPROVE not in buttons_of(view)


def test_a_page_that_could_not_read_a_group_says_so() -> None:
    assert "Something may be missing" in text_of(view_of(replace(EMPTY, is_partial=True)))


def test_more_than_a_page_is_behind_a_button_that_carries_where_it_goes_on() -> None:
    first = shelf_of(Section.RUNS, lines(7), skip=0)
    second = shelf_of(Section.RUNS, lines(3, start=6), skip=6)

    assert buttons_of(view_of(replace(EMPTY, runs=first)))[HOME_MORE] == "runs 6"
    turned = buttons_of(view_of(replace(EMPTY, runs=second)))
    assert (turned.get(HOME_MORE), turned[HOME_BACK]) == (None, "runs 0")


def test_what_is_too_wide_is_not_cut_but_left_to_the_next_page() -> None:
    shelf = shelf_of(Section.RUNS, lines(6, width=900), skip=6)
    view = view_of(replace(EMPTY, runs=shelf))

    assert text_of(view).count("line ") == 1
    assert buttons_of(view)[HOME_MORE] == "runs 7"


def test_one_thing_is_shown_however_wide_it_is() -> None:
    shelf = shelf_of(Section.RUNS, lines(1, width=2_500), skip=0)

    assert "line 0" in text_of(view_of(replace(EMPTY, runs=shelf)))


@pytest.mark.parametrize("value", ["", "runs", "runs -1", "runs 99999999", "nothing 3", "3 runs"])
def test_a_turn_that_makes_no_sense_turns_nothing(value: str) -> None:
    assert read_turn(value) is None
    assert read_turn("owned 4") == (Section.OWNED, 4)


def test_delegations_turn_pages_too() -> None:
    told = [DelegationLine(words=f"line {number}") for number in range(12)]

    assert [one.at for one in delegations(told, skip=5).items] == [5, 6, 7, 8, 9]
    assert delegations(told, skip=10).more is None
    assert delegations(told, skip=50).skip == 0
    assert not delegations([]).items


def test_a_broken_glass_is_reviewed_before_anything_else_that_waits() -> None:
    card = ReviewCard(
        use="e_1",
        run="r_1",
        step="refund",
        title="Refund a <customer>",
        what="POST shop /refunds",
        by=RITA,
        at=NOON,
        review_by=NOON,
        asked=(ANA,),
        reason="The <!channel> shop is down",
        is_overdue=True,
    )
    waiting = shelf_of(Section.WAITING, [request_item(item())], skip=0)
    reviews = [review_item(card, "https://acme.example/p2")]
    view = view_of(replace(EMPTY, reviews=reviews, waiting=waiting))
    told = text_of(view)

    assert list(buttons_of(view))[1:4] == [RIGHT, NOT_RIGHT, APPROVE]
    assert {buttons_of(view)[one] for one in (RIGHT, NOT_RIGHT)} == {"e_1"}
    assert "<@U0RITA> broke the glass over *<https://acme.example/p2|Refund a &lt;cust" in told
    assert "Was that right? It was due <!date" in told
    assert "The <!channel> shop is down" in told
    alone = text_of(view_of(replace(EMPTY, reviews=reviews)))
    assert "Nothing waits for you" not in alone


# --- requests ---------------------------------------------------------------------------------


def item(**preview: Any) -> RequestItem:  # noqa: ANN401 - whatever a test is about.
    card = "https://acme.example/p1"
    return RequestItem(preview=a_preview(**preview), have=1, need=2, card=card)


def payload_of(one: RequestItem) -> dict[str, Any]:
    return {"blocks": [block.to_dict() for block in request_item(one)]}


def test_a_small_request_is_read_and_approved_where_it_stands() -> None:
    payload = payload_of(item())
    told = text_of(payload)

    assert list(buttons_of(payload)) == [APPROVE, REVIEW, REJECT]
    assert set(buttons_of(payload).values()) == {"q_19c2.1f0a9c3e"}
    for words in (
        "<https://acme.example/p1|Refund a customer>",
        "it cannot be undone",
        "1 of 2 approvals · asked by <@U0RITA>",
        "amount: 12000",
        "The requester typed:\nOrder: ord_8841",
        "`1f0a9c3e`",
    ):
        assert words in told


@pytest.mark.parametrize(
    "long",
    [
        {"lines": ["delete"] * 200, "lines_total": 200},
        {"lines": ["delete"], "lines_total": 2},
        {"inputs": [["Reason", "because " * 100]]},
        {"changed": ["another " * 100]},
    ],
    ids=["plan", "hidden", "inputs", "changes"],
)
def test_what_does_not_fit_is_approved_only_where_all_of_it_can_be_read(
    long: dict[str, Any],
) -> None:
    payload = payload_of(item(**long))

    assert list(buttons_of(payload)) == [REVIEW, REJECT]
    assert "Review all, then approve" in text_of(payload)


def test_what_changed_and_that_a_reason_is_needed_stand_beside_the_buttons() -> None:
    told = text_of(payload_of(item(changed=["amount: 1 → 2"], needs_reason=True)))
    strict = text_of(payload_of(item(reason_hints=["like OPS-123"], hours=["from 9:00 to 17:00"])))

    assert "Changed: amount: 1 → 2" in told
    assert "A reason is asked for." in told
    assert "An approval needs a reason: like OPS-123" in strict
    assert "It can be approved only from 9:00 to 17:00." in strict


def test_what_limits_it_is_read_where_it_is_approved() -> None:
    denied = {
        "by": {"id": "slack:T0ACME:U0BEN", "name": "Ben"},
        "at": "2026-03-01T12:00:00.000Z",
        "reason": "Already replaced.",
        "workflow": "refund-customer",
        "count": 1,
    }
    freeze = {"name": "Christmas", "until": "2026-03-05T06:00:00.000Z"}
    payload = payload_of(item(denied=denied, budgets=["480 of 500 are taken"], freeze=freeze))
    told = text_of(payload)

    assert "Rejected before by Ben on 2026-03-01 12:00 UTC: Already replaced." in told
    assert "480 of 500 are taken" in told
    assert "The freeze “Christmas” holds it back" in told
    assert "This was rejected before" in told  # Approve asks back.


def test_it_says_in_whose_place_one_would_decide_and_that_a_code_is_needed() -> None:
    one = replace(item(step_up="totp"), stands_for=RITA)
    told = text_of(payload_of(one))

    assert "In the place of <@U0RITA> · 1 of 2 approvals" in told
    assert "needs a code from your authenticator app" in told


def test_people_and_moments_among_the_values_are_shown_as_each_reader_knows_them() -> None:
    payload = payload_of(
        item(
            inputs=[["Who", "Ana"], ["Order", "ord_8841"], ["When", "2026-03-02 12:00 UTC"]],
            live=[[0, "user", "U0ANA"], [2, "moment", NOON.isoformat()]],
        )
    )
    told = text_of(payload)

    assert "Who: <@U0ANA>\nWhen: <!date^" in told
    assert "The requester typed:\nOrder: ord_8841" in told
    assert APPROVE in buttons_of(payload)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.OPEN, "waits for others"),
        (Outcome.APPROVED, "It is approved"),
        (Outcome.DENIED, "Rejected; the step does not run"),
        (Outcome.EXPIRED, "Expired; the step does not run"),
    ],
)
def test_what_the_reader_decided_last_says_what_follows(outcome: Outcome, words: str) -> None:
    said = Said(title="Refund", verdict=Verdict.APPROVE, at=NOON, outcome=outcome, is_used=False)

    assert "You approved *Refund*" in said_words(said)
    assert words in said_words(said)


def test_what_stopped_says_what_was_tried_and_what_cannot_be_undone() -> None:
    done = [
        DoneEffect(name=f"pay/{number}", what="", standing=Standing.FINAL) for number in range(7)
    ]
    undoable = DoneEffect(name="give", what="", standing=Standing.UNDOABLE)
    (words, _) = trouble_item(a_trouble(done=(*done, undoable)), "")
    nothing = a_trouble(done=(), tried=()).so_far
    called = DoneEffect(name="close", what="", standing=Standing.CALLED)
    elsewhere = a_trouble(done=(called,), tried=()).so_far

    assert (
        "cannot be undone: pay/0, pay/1, pay/2, pay/3, pay/4, 2 more; can be undone: give"
        in str(words.to_dict())
    )
    assert nothing == "not tried; the run has changed nothing so far"
    assert elsewhere == "not tried; whatever their own runs did stays: close"
    assert SoFar(tries=1, is_known=False).words.endswith("cannot be told here")

"""What limits an effect stands on its card: budgets, a freeze, a denial, and the glass."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.views.glass_modals import break_modal
from bot.views.glass_modals import review_modal as finding_modal
from bot.views.request_card import APPROVE, REJECT, REVIEW, request_card
from bot.views.request_limits import BREAK_GLASS, KNOWN
from bot.views.request_modals import CODE, approve_modal, is_known, review_modal
from bot.views.request_values import GlassBroken, HoldShown, Preview, RequestCard
from bot.views.review_card import NOT_RIGHT, RIGHT, ReviewCard, Reviewed, reminder, review_card
from bot.wording import Who
from tests.bot.payload_checks import buttons_of, faults_of_message, faults_of_view, text_of
from tests.bot.shown import ANA, NOON, RITA, a_card, a_preview
from workflows.gate import Outcome
from workflows.glass import Finding

VALUE = "q_19c2.1f0a9c3e"
GLASS = {"from": ["@on-call"], "by": ["@governors"], "review": "1d"}
FREEZE = {"name": "Christmas", "until": "2026-03-05T06:00:00.000Z"}
DENIED = {
    "by": {"id": "slack:T0ACME:U0ANA", "name": "Ana"},
    "at": "2026-03-01T12:00:00.000Z",
    "reason": "Already <!channel> replaced.",
    "workflow": "refund-customer",
    "count": 2,
}
HELD = HoldShown(words="the freeze", is_frozen=True, until=NOON + timedelta(hours=6))


def checked(card: RequestCard) -> dict[str, Any]:
    payload = request_card(card).payload
    assert faults_of_message(payload) == []
    return payload


def viewed(view: View) -> dict[str, Any]:
    shown: dict[str, Any] = view.to_dict()
    assert faults_of_view(shown) == []
    return shown


def button_of(payload: dict[str, Any], action: str) -> dict[str, Any]:
    rows = [one["elements"] for one in payload["blocks"] if one["type"] == "actions"]
    found: dict[str, Any] = next(one for row in rows for one in row if one["action_id"] == action)
    return found


def test_each_budget_stands_on_the_card_and_those_without_room_are_counted() -> None:
    lines = [f"Budget b{number}: 3,000 of 5,000 used in 24h" for number in range(5)]

    told = text_of(checked(a_card(a_preview(budgets=lines))))

    assert "🧮 Budget b0: 3,000 of 5,000 used in 24h" in told
    assert "b3" not in told
    assert "and 2 further budgets" in told


def test_a_freeze_says_until_when_and_that_people_decide_meanwhile() -> None:
    told = text_of(checked(a_card(a_preview(freeze=FREEZE))))

    assert "The freeze “Christmas” holds it back until <!date^1772690400^" in told
    assert "Decide meanwhile" in told


def test_a_denial_is_named_and_approve_asks_back() -> None:
    payload = checked(a_card(a_preview(denied=DENIED)))
    asked = button_of(payload, APPROVE)["confirm"]

    assert "*Rejected before* by <@U0ANA>" in text_of(payload)
    assert "(2 times lately)" in text_of(payload)
    assert "Ana rejected the same on 2026-03-01 12:00 UTC" in asked["text"]["text"]
    assert "Already <!channel> replaced." in asked["text"]["text"]
    assert asked["text"]["type"] == "plain_text"


def test_without_a_denial_approve_asks_nothing() -> None:
    assert "confirm" not in button_of(checked(a_card()), APPROVE)


@pytest.mark.parametrize("build", [approve_modal, review_modal])
def test_a_modal_asks_for_a_tick_where_the_same_was_denied_before(
    build: Callable[[Preview], View],
) -> None:
    view = viewed(build(a_preview(denied=DENIED)))
    (block,) = [one for one in view["blocks"] if one.get("block_id") == KNOWN]

    assert block["element"]["options"][0]["text"]["text"] == "I know that Ana rejected it"
    assert not block.get("optional")
    assert KNOWN not in [one.get("block_id") for one in viewed(build(a_preview()))["blocks"]]


@pytest.mark.parametrize(("options", "known"), [([], False), ([{"value": KNOWN}], True)])
def test_a_tick_is_read_back(options: list[dict[str, str]], *, known: bool) -> None:
    values = {KNOWN: {KNOWN: {"type": "checkboxes", "selected_options": options}}}

    assert is_known({"state": {"values": values}}) is known
    assert not is_known({"state": {"values": {}}})


def test_the_modal_that_shows_everything_shows_the_limits_too() -> None:
    preview = a_preview(budgets=["Budget b: 1 of 2 used"], freeze=FREEZE, denied=DENIED)

    told = text_of(viewed(review_modal(preview)))

    assert "Budget b: 1 of 2 used" in told
    assert "The freeze “Christmas” holds it back until 2026-03-05 06:00 UTC." in told
    assert "Rejected before by Ana on 2026-03-01 12:00 UTC" in told


def test_the_glass_has_a_dangerous_button_that_asks_back() -> None:
    payload = checked(a_card(a_preview(glass=GLASS)))
    glass = button_of(payload, BREAK_GLASS)

    assert {APPROVE: VALUE, REJECT: VALUE, BREAK_GLASS: VALUE}.items() <= buttons_of(
        payload
    ).items()
    assert glass["style"] == "danger"
    assert "@governors looks at it within 1d" in glass["confirm"]["text"]["text"]
    assert "@on-call can decide alone" in text_of(payload)


def test_a_long_plan_has_the_glass_beside_its_review() -> None:
    long = a_preview(glass=GLASS, lines=["first"], lines_total=900)

    assert {REVIEW, REJECT, BREAK_GLASS} <= set(buttons_of(checked(a_card(long))))


@pytest.mark.parametrize(
    "card",
    [
        a_card(a_preview()),
        a_card(a_preview(glass=GLASS), outcome=Outcome.DENIED, settled_at=NOON),
        a_card(a_preview(glass=GLASS), outcome=Outcome.APPROVED, settled_at=NOON),
        a_card(a_preview(glass=GLASS), outcome=Outcome.APPROVED, settled_at=NOON, is_consumed=True),
    ],
)
def test_where_there_is_nothing_to_break_there_is_no_glass(card: RequestCard) -> None:
    assert BREAK_GLASS not in buttons_of(checked(card))


def test_an_approved_request_that_a_freeze_holds_says_so_and_has_its_glass() -> None:
    card = a_card(a_preview(glass=GLASS), outcome=Outcome.APPROVED, settled_at=NOON, hold=HELD)

    payload = checked(card)

    assert "It waits for a freeze until <!date^" in text_of(payload)
    assert set(buttons_of(payload)) == {BREAK_GLASS}


def test_a_broken_glass_is_no_approval_on_the_card() -> None:
    broken = GlassBroken(who=ANA, at=NOON, reason="the shop *is* down")
    card = a_card(a_preview(glass=GLASS), outcome=Outcome.APPROVED, settled_at=NOON, broken=broken)

    told = text_of(checked(card))

    assert "Decided alone, by breaking the glass" in told
    assert "🧯 <@U0ANA> broke the glass <!date^1772452800^" in told
    assert "✅" not in told


def test_the_reason_is_asked_for_and_required() -> None:
    view = viewed(break_modal(a_preview(glass=GLASS)))
    (field,) = [one for one in view["blocks"] if one["type"] == "input"]

    assert view["private_metadata"] == VALUE
    assert not field.get("optional")


def test_a_code_is_asked_for_where_an_approval_needs_one() -> None:
    plain, coded = (
        viewed(break_modal(a_preview(glass=GLASS, step_up=one))) for one in ("", "totp")
    )

    assert CODE not in [one.get("block_id") for one in plain["blocks"]]
    assert CODE in [one.get("block_id") for one in coded["blocks"]]


@pytest.mark.parametrize(("finding", "required"), list(zip(Finding, [False, True], strict=True)))
def test_a_comment_is_required_where_it_was_not_right(finding: Finding, *, required: bool) -> None:
    view = viewed(finding_modal("e1", finding, what="Step refund"))
    (field,) = [one for one in view["blocks"] if one["type"] == "input"]

    assert view["private_metadata"] == f"e1/{finding.value}"
    assert bool(field.get("optional")) is not required


def a_review(**changes: Any) -> ReviewCard:  # noqa: ANN401 - whatever a test is about.
    known: dict[str, Any] = {
        "use": "e1",
        "run": "r1",
        "step": "refund",
        "title": "Refund a customer",
        "what": "POST shop /refunds",
        "by": ANA,
        "at": NOON,
        "review_by": NOON + timedelta(hours=24),
        "asked": (Who(name="@governors", group="S0GOVERNORS"),),
        "reason": "the shop is down",
        "requester": RITA,
    }
    return ReviewCard(**known | changes)


def told_by(card: ReviewCard) -> tuple[str, dict[str, str]]:
    payload = review_card(card).payload
    assert faults_of_message(payload) == []
    return text_of(payload), buttons_of(payload)


def test_the_card_of_a_review_alerts_people_and_asks_the_reviewers() -> None:
    told, buttons = told_by(a_review())

    assert "<@U0ANA> decided alone" in told
    assert "the shop is down" in told
    assert "<!subteam^S0GOVERNORS>, was that right?" in told
    assert "Overdue" not in told
    assert buttons == {RIGHT: "e1", NOT_RIGHT: "e1"}
    assert review_card(a_review()).text.startswith("🧯 Ana broke the glass: Refund a customer.")


def test_an_overdue_review_says_so() -> None:
    assert "⏰ *Overdue.*" in told_by(a_review(is_overdue=True))[0]


@pytest.mark.parametrize(
    ("finding", "words"),
    [(Finding.RIGHT, "It was right"), (Finding.NOT_RIGHT, "It was not right")],
)
def test_a_review_ends_the_buttons_and_says_what_was_found(finding: Finding, words: str) -> None:
    found = Reviewed(finding=finding, by=RITA, at=NOON, comment="could have waited")

    told, buttons = told_by(a_review(reviewed=found))

    assert f"*{words}*, says <@U0RITA>" in told
    assert "could have waited" in told
    assert buttons == {}


def test_a_reminder_says_what_is_blocked_and_where_the_card_is() -> None:
    payload = reminder(a_review(is_overdue=True), "https://acme.example/p1").payload

    assert faults_of_message(payload) == []
    assert "that group cannot break the glass again" in text_of(payload)
    assert "<https://acme.example/p1|The card>" in text_of(payload)


def test_previews_of_earlier_releases_have_none_of_it() -> None:
    earlier = a_preview()

    assert earlier.budgets == ()
    assert (earlier.freeze, earlier.denied, earlier.glass) == (None, None, None)

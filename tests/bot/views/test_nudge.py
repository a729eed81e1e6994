"""What an approver is told directly: enough to act, and later that there is nothing to do."""

from dataclasses import replace
from typing import Any

import pytest

from bot.views.nudge import Nudge, nudge
from bot.views.pieces import OPEN_LINK
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import ANA, NOON, a_preview
from workflows.gate import Outcome, Verdict

CARD = "https://acme.example/archives/C0/p1"
ASKING = Nudge(preview=a_preview(), is_awaited=True, card=CARD, home="https://slack.com/app?a=1&b")


def payload_of(told: Nudge) -> dict[str, Any]:
    payload = nudge(told).payload
    assert faults_of_message(payload) == []
    return payload


def test_a_phone_shows_what_is_asked_by_whom_and_until_when() -> None:
    text = payload_of(ASKING)["text"]

    assert "Refund a customer: POST shop /refunds" in text
    assert "Rita waits for your decision until 2026-03-02 09:00 UTC" in text


def test_it_leads_to_the_card_and_to_home_and_decides_nothing_itself() -> None:
    payload = payload_of(ASKING)

    assert list(buttons_of(payload)) == [OPEN_LINK]
    assert CARD in str(payload["blocks"])
    assert "<https://slack.com/app?a=1&amp;b|Home tab>" in text_of(payload)


def test_without_addresses_it_has_no_dead_buttons() -> None:
    payload = payload_of(replace(ASKING, card="", home=""))

    assert buttons_of(payload) == {}
    assert "It stands in my Home tab too" in text_of(payload)


def test_a_reminder_shows_on_it() -> None:
    assert "Reminded <!date" in text_of(payload_of(replace(ASKING, reminded_at=NOON)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"own": Verdict.APPROVE}, "You approved it. There is nothing for you to do"),
        ({"own": Verdict.DENY, "outcome": Outcome.DENIED}, "Rejected. You rejected it."),
        ({"outcome": Outcome.APPROVED, "by": [ANA]}, "Approved by Ana. There is nothing"),
        (
            {"outcome": Outcome.APPROVED, "by": [ANA], "is_alone": True},
            "🧯 Decided alone, by breaking the glass, by Ana. There is nothing",
        ),
        ({"outcome": Outcome.EXPIRED}, "Expired. There is nothing"),
        ({"outcome": Outcome.WITHDRAWN}, "Withdrawn. There is nothing"),
    ],
)
def test_once_there_is_nothing_to_do_it_says_so_and_offers_nothing(
    change: dict[str, Any], words: str
) -> None:
    payload = payload_of(replace(ASKING, is_awaited=False, at=NOON, **change))

    assert words in payload["text"]
    assert buttons_of(payload) == {}

"""What people see of one-time codes, within Slack's limits: one modal, one card, one offer."""

import pytest

from bot.views.codes import (
    CODES_CONFIRM,
    CODES_DECLINE,
    CODES_SET_UP,
    ENDS,
    CodesCard,
    SecretShown,
    codes_card,
    number_of,
    secret_modal,
    set_up_offer,
    waiting_modal,
)
from bot.wording import Who
from tests.bot.payload_checks import buttons_of, faults_of_message, faults_of_view, text_of
from tests.bot.shown import ANA, NOON, RITA
from workflows.totp import written

ENROLMENT = "0123456789abcdef0123456789abcdef"
SECRET = written(bytes(range(20)))
LONG = Who(name="*<!channel>* `x` " * 200)
SHOWN = SecretShown(enrolment=ENROLMENT, secret=SECRET, label="Interlock: ana", replaces=False)


def test_the_modal_shows_the_key_once_and_carries_only_the_enrolment() -> None:
    view = secret_modal(SHOWN).to_dict()

    assert faults_of_view(view) == []
    assert text_of(view).count(SECRET) == 1
    assert view["private_metadata"] == ENROLMENT
    assert "image" not in {one["type"] for one in view["blocks"]}


def test_who_has_codes_already_is_told_that_they_go_on_counting() -> None:
    again = SecretShown(enrolment=ENROLMENT, secret=SECRET, label="x", replaces=True)

    assert "go on counting" in text_of(secret_modal(again).to_dict())
    assert "go on counting" not in text_of(secret_modal(SHOWN).to_dict())


def test_the_number_is_the_same_for_the_person_and_the_governor() -> None:
    card = codes_card(CodesCard(enrolment=ENROLMENT, person=ANA, is_for_person=False))
    view = waiting_modal(ENROLMENT).to_dict()

    assert faults_of_view(view) == []
    assert number_of(ENROLMENT) in text_of(view)
    assert number_of(ENROLMENT) in text_of(card.payload)
    assert ENROLMENT not in text_of(card.payload)


def test_only_a_governor_has_buttons_and_only_while_the_codes_wait() -> None:
    waiting = codes_card(CodesCard(enrolment=ENROLMENT, person=ANA, is_for_person=False))
    own = codes_card(CodesCard(enrolment=ENROLMENT, person=ANA, is_for_person=True))
    count = codes_card(
        CodesCard(
            enrolment=ENROLMENT,
            person=ANA,
            is_for_person=False,
            confirmed_at=NOON,
            confirmed_by=RITA,
        )
    )

    assert buttons_of(waiting.payload) == {CODES_CONFIRM: ENROLMENT, CODES_DECLINE: ENROLMENT}
    assert "stolen login" in text_of(waiting.payload)
    assert "If it was not you" in text_of(own.payload)
    assert number_of(ENROLMENT) not in text_of(own.payload)
    assert buttons_of(own.payload) == buttons_of(count.payload) == {}
    assert "Confirmed by <@U0RITA>" in text_of(count.payload)


@pytest.mark.parametrize("how", list(ENDS))
@pytest.mark.parametrize("is_for_person", [True, False])
def test_codes_that_ended_say_how(how: str, *, is_for_person: bool) -> None:
    card = codes_card(
        CodesCard(
            enrolment=ENROLMENT,
            person=LONG,
            is_for_person=is_for_person,
            ended_at=NOON,
            ended_by=LONG,
            ended_how=how,
        )
    )
    told = text_of(card.payload)

    assert faults_of_message(card.payload) == []
    assert ENDS[how] in told
    assert "<!channel>" not in told
    assert buttons_of(card.payload) == {}


def test_who_needs_codes_is_offered_to_set_them_up() -> None:
    offer = set_up_offer("✋ This needs a code.")

    assert faults_of_message(offer.payload) == []
    assert list(buttons_of(offer.payload)) == [CODES_SET_UP]

"""Being away as people see it, within Slack's limits: the question, the list, what others get."""

from datetime import timedelta

import pytest

from bot.delegating import AwayDraft
from bot.local_time import Told
from bot.payloads import UnreadablePayloadError
from bot.schedule_draft import LIFE
from bot.views.delegations import (
    DELEGATION_CONFIRM,
    DELEGATION_DROP,
    DELEGATION_END,
    AwayLine,
    AwayProposal,
    Deserted,
    StandIn,
    away_proposal,
    away_words,
    delegation_list,
    deserted_message,
    stand_in_message,
)
from bot.wording import Who
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import ANA, NOON, RITA
from workflows.errors import DelegationError
from workflows.people import PersonId

LONG = "*<!channel>* `x` " * 200
UNTIL = Told(local="Fri 6 Mar 2026, 18:00 CET (Europe/Berlin)", utc="Fri 6 Mar 2026, 17:00 UTC")
DRAFT = AwayDraft(
    until=int(NOON.timestamp()) + 3_600, made=int(NOON.timestamp()), to=PersonId("slack:T0:U0ANA")
)


def test_the_question_says_until_when_in_both_zones_and_carries_the_draft() -> None:
    text = DRAFT.model_dump_json()
    shown = away_proposal(AwayProposal(until=UNTIL, stand_in=ANA, reason="rest"), draft=text)
    told = text_of(shown.payload)

    assert faults_of_message(shown.payload) == []
    assert UNTIL.local in told
    assert UNTIL.utc in told
    assert "<@U0ANA> would decide in your place" in told
    assert "“rest”" in told
    assert buttons_of(shown.payload) == {DELEGATION_CONFIRM: text, DELEGATION_DROP: "drop"}


def test_without_a_stand_in_it_says_that_nobody_decides() -> None:
    shown = away_proposal(AwayProposal(until=UNTIL, stand_in=None), draft="x")

    assert "Nobody would decide in your place" in text_of(shown.payload)
    assert "Nobody stands in for you" in away_words(UNTIL, None, command="/ops")


def test_only_the_reader_has_a_button_and_stands_first() -> None:
    lines = [
        AwayLine(who=ANA, stand_in=None, until=NOON),
        AwayLine(who=ANA, stand_in=RITA, until=NOON, is_for_reader=True),
        AwayLine(who=RITA, stand_in=ANA, until=NOON, ends="e1"),
    ]
    shown = delegation_list(lines)
    told = text_of(shown.payload)

    assert faults_of_message(shown.payload) == []
    assert told.index("You are away") < told.index("you stand in") < told.index("nobody stands in")
    assert buttons_of(shown.payload) == {DELEGATION_END: "e1"}


def test_nobody_away_says_how_to_say_it() -> None:
    assert "/do delegate @somebody" in text_of(delegation_list([], name="/do").payload)


@pytest.mark.parametrize("is_over", [True, False])
def test_words_of_people_stay_dead_letters(*, is_over: bool) -> None:
    who = Who(name=LONG)
    stand_in = StandIn(giver=who, until=NOON, is_over=is_over, reason=LONG)
    deserted = Deserted(heading=LONG, back_at=NOON, expires=NOON)
    lines = [AwayLine(who=who, stand_in=who, until=NOON)] * 120
    asked = AwayProposal(until=UNTIL, stand_in=who, reason=LONG, warning=LONG)
    for shown in (
        stand_in_message(stand_in),
        deserted_message(deserted),
        delegation_list(lines),
        away_proposal(asked, draft="x" * 2_000),
    ):
        assert faults_of_message(shown.payload) == []
        assert "<!channel>" not in text_of(shown.payload)


def test_a_button_is_judged_by_what_it_carries_and_for_a_quarter_of_an_hour() -> None:
    text = DRAFT.model_dump_json(exclude_defaults=True)

    assert AwayDraft.read(text, now=NOON + LIFE) == DRAFT
    with pytest.raises(DelegationError, match="too old"):
        AwayDraft.read(text, now=NOON + LIFE + timedelta(seconds=1))
    for other in ("", "{}", '{"until": 1, "made": 1, "giver": "slack:T0:U0ANA"}'):
        with pytest.raises(UnreadablePayloadError):
            AwayDraft.read(other, now=NOON)

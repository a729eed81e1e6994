"""The question before a schedule is set, and the list of schedules, within Slack's limits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.local_time import Told
from bot.payloads import UnreadablePayloadError
from bot.schedule_draft import LIFE, ScheduleDraft, schedule_id
from bot.views.paging import PAGE_LATER
from bot.views.schedules import (
    SCHEDULE_CONFIRM,
    SCHEDULE_DELETE,
    SCHEDULE_DROP,
    SCHEDULE_PAUSE,
    SCHEDULE_RESUME,
    Proposal,
    ScheduleLine,
    proposal,
    proposal_modal,
    schedule_item,
    schedule_list,
    set_words,
    told_modal,
)
from tests.bot.payload_checks import buttons_of, faults_of_message, faults_of_view, text_of
from tests.bot.shown import NOON, RITA
from workflows.errors import ScheduleClosedError
from workflows.foreseen import Foreseen
from workflows.people import PersonId
from workflows.triggers import Missed, Once, Trigger

LONG = "*<!channel>* `x` " * 200
MOMENT = Told(local="Thu 24 Dec 2026, 18:30 CET (Europe/Berlin)", utc="Thu 24 Dec 2026, 17:30 UTC")
SHOWN = Proposal(
    title="Delete accounts",
    workflow="purge-stale-accounts",
    rhythm="Once",
    moments=(MOMENT,),
    asks=Foreseen.SURELY,
    makes_up=False,
    values=[("inactive_days", "730")],
)
LINE = ScheduleLine(
    id="purge-stale-accounts/0123456789ab",
    title="Delete accounts",
    workflow="purge-stale-accounts",
    rhythm="At 09:00 every day (Europe/Berlin)",
    next_at=NOON,
    is_paused=False,
    who=RITA,
    may_change=True,
    may_delete=True,
)
DRAFT = ScheduleDraft(
    id="purge-stale-accounts/0123456789ab",
    workflow="purge-stale-accounts",
    version="0" * 64,
    channel="C1",
    made=int(NOON.timestamp()),
    timezone="Europe/Berlin",
    at=int(NOON.timestamp()) + 7200,
    typed="schedule purge-stale-accounts in 2 hours",
    inputs={"inactive_days": "730"},
)


def test_the_question_says_both_zones_values_and_who_will_be_asked() -> None:
    asked = proposal(SHOWN, draft="draft")
    told = text_of(asked.payload)

    assert faults_of_message(asked.payload) == []
    assert "18:30 CET (Europe/Berlin)" in told
    assert "17:30 UTC" in told
    assert "17:30 UTC" in asked.text
    assert "730" in told
    assert "People will be asked when it fires" in told
    assert "is skipped and told" in told
    assert buttons_of(asked.payload) == {SCHEDULE_CONFIRM: "draft", SCHEDULE_DROP: "drop"}


def test_a_rhythm_shows_three_firings_and_what_is_odd_about_one() -> None:
    odd = replace(MOMENT, note="the clocks go back: 02:30 comes twice, this is the first")
    shown = replace(SHOWN, rhythm="At 02:30 every day", moments=(odd, MOMENT, MOMENT))
    told = text_of(proposal(replace(shown, asks=Foreseen.NOT, makes_up=True), draft="x").payload)

    assert told.count("• ") == 3
    assert "comes twice" in told
    assert "People will be asked" not in told
    assert "made up for" in told
    perhaps = replace(shown, asks=Foreseen.PERHAPS)
    assert "People may be asked when it fires" in text_of(proposal(perhaps, draft="x").payload)


def test_hostile_and_long_words_stay_words_and_fit() -> None:
    wild = replace(
        SHOWN,
        title=LONG,
        workflow="w" * 64,
        rhythm=LONG,
        moments=tuple(replace(MOMENT, note=LONG) for _ in range(3)),
        values=[(f"name_{number}", LONG) for number in range(50)],
    )
    asked = proposal(wild, draft="d" * 2_000)

    assert faults_of_message(asked.payload) == []
    assert "<!channel>" not in text_of(asked.payload)
    assert "and 40 more" in text_of(asked.payload)
    assert faults_of_view(proposal_modal(wild, draft="d" * 3_000).to_dict()) == []
    assert (
        faults_of_view(told_modal(set_words(wild, schedule="a/1", command="/ops")).to_dict()) == []
    )


def test_the_list_puts_the_next_first_and_the_paused_last() -> None:
    later = replace(LINE, id="b/2", title="Later", next_at=NOON + timedelta(days=1))
    paused = replace(LINE, id="c/3", title="Resting", is_paused=True, next_at=None)
    shown = schedule_list([paused, later, LINE])
    told = text_of(shown.payload)

    assert faults_of_message(shown.payload) == []
    assert told.index("Delete accounts") < told.index("Later") < told.index("Resting")
    assert "⏸️ paused" in told


@pytest.mark.parametrize(
    ("news", "actions"),
    [
        ({}, [SCHEDULE_PAUSE, SCHEDULE_DELETE]),
        ({"is_paused": True}, [SCHEDULE_RESUME, SCHEDULE_DELETE]),
        ({"may_delete": False, "who": None}, [SCHEDULE_PAUSE]),
        ({"may_change": False}, []),
    ],
)
def test_buttons_are_only_for_those_who_may(news: dict[str, object], actions: list[str]) -> None:
    shown = schedule_list([replace(LINE, **news)])  # type: ignore[arg-type]

    assert list(buttons_of(shown.payload)) == actions


def test_many_schedules_come_in_pages_and_each_button_keeps_its_page() -> None:
    many = [replace(LINE, id=f"purge/{number:012d}") for number in range(120)]
    first, second = schedule_list(many), schedule_list(many, page=2)

    assert faults_of_message(first.payload) == faults_of_message(second.payload) == []
    assert PAGE_LATER in buttons_of(first.payload)
    assert buttons_of(first.payload)[SCHEDULE_PAUSE].startswith("1 ")
    assert buttons_of(second.payload)[SCHEDULE_PAUSE].startswith("2 ")


def test_an_empty_list_says_how_to_set_one() -> None:
    assert "/ops schedule WORKFLOW tomorrow 9am" in text_of(schedule_list([]).payload)


def test_a_draft_comes_back_as_it_was_made() -> None:
    assert ScheduleDraft.read(DRAFT.text) == DRAFT
    assert DRAFT.when() == Once(at=NOON + timedelta(hours=2), timezone="Europe/Berlin")
    rhythm = DRAFT.model_copy(update={"at": None, "cron": "0 9 * * *"})
    assert rhythm.when(Missed.RUN_ONCE) == Trigger(
        cron="0 9 * * *", timezone="Europe/Berlin", missed=Missed.RUN_ONCE
    )
    order = DRAFT.order(PersonId("slack:T0:U1"), missed=Missed.SKIP)
    assert (order.person, order.inputs) == ("slack:T0:U1", {"inactive_days": "730"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "drop",
        "{}",
        '{"id": "a"}',
        DRAFT.text.replace("Europe/Berlin", "Mars/Olympus"),
        DRAFT.text.replace('"at":', '"cron": "0 9 * * *", "at":'),
        DRAFT.text.replace("purge-stale-accounts/", "<!channel>/"),
        DRAFT.model_copy(update={"at": None}).text,
    ],
)
def test_a_draft_that_was_tampered_with_is_refused(text: str) -> None:
    with pytest.raises(UnreadablePayloadError):
        ScheduleDraft.read(text)


def test_a_draft_grows_too_old_to_be_confirmed() -> None:
    DRAFT.refuse_old(NOON + LIFE)
    with pytest.raises(ScheduleClosedError, match="older than 15 minutes"):
        DRAFT.refuse_old(NOON + LIFE + timedelta(seconds=1))


def test_the_id_of_a_schedule_always_fits_an_entry() -> None:
    assert len(schedule_id("w" * 200, "f" * 32)) <= 64


@pytest.mark.parametrize(
    ("what", "words"),
    [("is_retired", "was retired"), ("is_unreadable", "cannot be read here")],
)
def test_a_schedule_that_starts_nothing_promises_no_next_time(what: str, words: str) -> None:
    (line,) = schedule_item(replace(LINE, **{what: True}))[:1]

    assert f"its workflow {words}, so it starts nothing" in str(line.to_dict())
    assert "next" not in str(line.to_dict())

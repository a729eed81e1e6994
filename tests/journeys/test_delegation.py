"""Somebody is away: typed, confirmed, seen on the cards, decided by whoever stands in, ended."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from slack_bolt import BoltRequest

from sandbox.seen import SeenMessage
from storage.delegations import live_delegations
from storage.rebuild import check_projections
from storage.verify import verify_database
from tests.journeys.day import Case, Day, day_at_work


@pytest.fixture(autouse=True)
def everybody_comes_back(day: Day) -> Iterator[None]:
    """Let nobody be away when the next journey begins."""
    yield
    core = day.bot.core
    for word in live_delegations(core.memory.database, now=day.time()):
        person = core.store.person(word.giver)
        assert person is not None
        core.engine.come_back(person, entry=word.entry)


def answer(case: Case, name: str, typed: str) -> SeenMessage:
    person = case.person(name)
    before = len(person.ephemerals)
    person.command(typed, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), f"an answer to {typed}")


def soon(case: Case, **ahead: float) -> str:
    at = case.day.time() + timedelta(**ahead)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def now_shown(case: Case, name: str, message: SeenMessage, words: str) -> SeenMessage:
    def found() -> SeenMessage | None:
        seen = [one for one in case.person(name).ephemerals if one.ts == message.ts]
        return next((one for one in seen if words in one.words), None)

    return case.waits(found, f"{words!r} in its place")


def goes(case: Case, name: str, typed: str) -> SeenMessage:
    """Have somebody say that they are away, and confirm it."""
    asked = answer(case, name, typed)
    case.person(name).click("Confirm", message=asked)
    return now_shown(case, name, asked, "You are away until")


def comes_back(case: Case, name: str) -> None:
    listed = answer(case, name, "/ops delegations")
    case.person(name).click("I am back", message=listed)
    now_shown(case, name, listed, "Who is away")


def until(case: Case, message: SeenMessage, words: str) -> SeenMessage:
    """Return a message once it says `words`."""

    def found() -> SeenMessage | None:
        seen = case.now(message)
        return seen if words in seen.words else None

    return case.waits(found, f"a message that says {words!r}")


def test_a_delegate_decides_and_the_card_says_for_whom(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    goes(case, "ana", f"/ops delegate @dora until {soon(case, hours=30)} because on holiday")
    told = case.person("dora").wait_for_notification("you decide in their place")
    shown = until(case, card, "is away until")
    listed = answer(case, "dora", "/ops approvals")
    case.approves("dora", shown)
    case.ends(root, "done")
    granted = next(one for one in case.entries() if one.kind == "approval.granted")

    assert "on holiday" in told.text
    assert "@dora stands in" in shown.words
    assert "for you" in listed.words
    assert "@dora (for @ana) approved" in until(case, card, "approved").words
    assert granted.data["for"] != granted.actor.ref
    assert case.refunds() == [500]


def test_what_was_typed_is_said_back_in_two_zones_and_counts_once_confirmed(case: Case) -> None:
    at = (case.day.time() + timedelta(days=3)).date()
    asked = answer(case, "ana", f"/ops delegate @ben until {at} 18:00")
    assert f"{at:%a %-d %b %Y}, 18:00" in asked.words
    assert "UTC" in asked.words
    assert "@ben would decide in your place" in asked.words
    assert asked.buttons == ["Confirm", "Cancel"]

    case.person("ana").click("Cancel", message=asked)
    now_shown(case, "ana", asked, "Nothing was recorded.")
    assert live_delegations(case.day.bot.core.memory.database, now=case.day.time()) == []


def test_a_day_alone_means_its_beginning(case: Case) -> None:
    at = (case.day.time() + timedelta(days=3)).date()
    asked = answer(case, "ana", f"/ops away until {at}")

    assert f"{at:%a %-d %b %Y}, 00:00" in asked.words
    assert "Nobody would decide in your place" in asked.words


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("delegate @ana until {}", "yourself"),
        ("delegate @gil until {}", "guests do not decide"),
        ("delegate @connie until {}", "another workspace"),
        ("delegate @governors until {}", "is a group"),
        ("delegate @ben", "until when"),
        ("away", "until when"),
        ("away until 2020-01-01 9:00", "has passed"),
        ("away until 2199-01-01 9:00", "longer than 30 days"),
        ("away until whenever", "no word for a time"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(case: Case, typed: str, why: str) -> None:
    told = answer(case, "ana", f"/ops {typed.format(soon(case, hours=5))}")

    assert why in told.words
    assert told.buttons == []


def test_the_requesters_delegate_is_refused(case: Case) -> None:
    card = case.card(case.asks("rita"))
    goes(case, "rita", f"/ops delegate @ana until {soon(case, hours=5)}")

    assert "You act for somebody who may not" in case.refused("ana", card)
    case.approves("ben", card)


def test_when_everybody_is_away_the_card_says_so_and_the_requester_is_told(case: Case) -> None:
    card = case.card(case.asks("rita"))
    goes(case, "ana", f"/ops away until {soon(case, hours=40)}")
    goes(case, "ben", f"/ops away until {soon(case, hours=20)}")
    shown = until(case, card, "Everybody who could decide is away")
    told = case.person("rita").wait_for_notification("people who are all away")

    assert shown.words.count("is away until") == 2
    assert "Refund a customer" in told.text
    assert "Approve" in " ".join(shown.buttons)

    comes_back(case, "ben")
    case.waits(lambda: "Everybody" not in case.now(card).words or None, "the card to know it")
    case.approves("ben", card)


def test_who_is_back_decides_alone_again(case: Case) -> None:
    card = case.card(case.asks())
    goes(case, "ana", f"/ops delegate @dora until {soon(case, hours=5)}")
    comes_back(case, "ana")

    assert "not among the people" in case.refused("dora", card)
    case.approves("ana", card)


def test_a_button_of_an_older_word_ends_nothing(case: Case) -> None:
    goes(case, "ana", f"/ops delegate @dora until {soon(case, hours=5)}")
    listed = answer(case, "ana", "/ops delegations")
    goes(case, "ana", f"/ops delegate @omar until {soon(case, hours=5)}")
    case.person("ana").click("I am back", message=listed)
    case.person("ana").wait_for_ephemeral("is over already")

    (word,) = live_delegations(case.day.bot.core.memory.database, now=case.day.time())
    assert word.stand_in is not None


def test_a_button_that_another_sends_is_about_the_other(case: Case) -> None:
    """What a client sends proves nothing: whoever sends it is away themselves, nobody else."""
    asked = answer(case, "ana", f"/ops delegate @dora until {soon(case, hours=5)}")
    case.person("ana").click("Confirm", message=asked)
    sent = case.slack.recorder.deliveries("block_actions")[-1].payload
    petra = {**sent["user"], "id": "U0PETRA", "username": "petra", "name": "petra"}
    body = {**sent, "user": petra, "trigger_id": f"petra-{case.order}"}
    case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))
    words = live_delegations(case.day.bot.core.memory.database, now=case.day.time())

    people = [case.day.bot.core.store.person(one.giver) for one in words]
    assert sorted(str(one).rpartition(":")[2] for one in people) == ["U0ANA", "U0PETRA"]


def test_what_all_of_this_left_behind_verifies(case: Case) -> None:
    memory = case.day.bot.core.memory
    report = verify_database(
        case.day.bot.core.settings.database_url, [memory.vkey], now=case.day.time, processes=1
    )
    told = [one for one in report.semantics if one[0] != "run-without-end"]

    assert [str(one) for one in check_projections(memory.database)] == []
    assert (report.failures, told) == ([], [])


def test_a_delegate_decides_on_postgres_too(tmp_path: Path, postgres_url: str) -> None:
    with day_at_work(tmp_path, database=postgres_url) as day:
        case = Case(day)
        root = case.asks()
        card = case.card(root)
        goes(case, "ana", f"/ops delegate @dora until {soon(case, hours=5)}")
        case.approves("dora", until(case, card, "stands in"))
        case.ends(root, "done")

        assert check_projections(day.bot.core.store.database) == []
        assert case.refunds() == [500]

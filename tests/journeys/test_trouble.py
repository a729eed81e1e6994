"""What goes wrong between a person and the bot, and what becomes of it."""

import sqlite3
import time
from typing import Any

import pytest
from slack_bolt import BoltRequest

from bot.app import Bot
from bot.arrival import ARRIVED
from bot.just_typed import typed_before
from sandbox import faults as fault
from sandbox.limits import ACK_SECONDS
from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, Scene, in_three_seconds

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}
TYPED = "run refund-customer order=ord_1001 amount=500 reason=broken"


def refunds(scene: Scene) -> list[int]:
    return [one.amount for one in scene.stage.shop.effects("ord_1001")]


def command(text: str) -> dict[str, str]:
    return {
        "command": "/ops",
        "text": text,
        "team_id": "T0ACME",
        "user_id": "U0RITA",
        "channel_id": "C0OPS",
        "trigger_id": "trigger-1",
        "response_url": "",
        "api_app_id": "A0INTERLOCK",
    }


def unknown_click(scene: Scene, action_id: str) -> dict[str, Any]:
    delivery = next(iter(scene.stage.slack.recorder.deliveries("block_actions")))
    action = {**delivery.payload["actions"][0], "action_id": action_id}
    return {**delivery.payload, "actions": [action]}


@pytest.mark.trap(21)
def test_a_command_that_slack_gave_up_on_starts_nothing(scene: Scene) -> None:
    with scene.serving() as bot:
        waited = {ARRIVED: time.monotonic() - 3}
        request = BoltRequest(mode="socket_mode", body=command(TYPED), context=waited)
        with in_three_seconds():
            answered = bot.app.dispatch(request)

        assert answered.status == 200
        assert "nothing was started" in answered.body
        assert "There are none" in _runs(bot)


def _runs(bot: Bot) -> str:
    request = BoltRequest(mode="socket_mode", body=command("runs"))
    return str(bot.app.dispatch(request).body)


def test_the_same_command_delivered_twice_is_one_run(scene: Scene) -> None:
    with scene.serving() as bot:
        for _ in range(2):
            request = BoltRequest(mode="socket_mode", body=command(TYPED))
            bot.app.dispatch(request)
        scene.card(scene.waits(lambda: next(iter(scene.roots()), None), "a run"))

        assert len(scene.roots()) == 1


def test_the_same_click_delivered_twice_counts_once(scene: Scene) -> None:
    slack = scene.stage.slack
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        slack.faults.next("block_actions", fault.duplicate())
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")

    assert refunds(scene) == [500]


def test_a_locked_database_is_said_and_the_next_click_counts(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ana = scene.person("ana")
        other = sqlite3.connect(scene.stage.home / "interlock.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with in_three_seconds():
            click = ana.click(card.buttons[0], message=card)
        other.execute("ROLLBACK")
        other.close()
        ana.wait_for_ephemeral("Try again in a moment")
        ana.click(card.buttons[0], message=card)
        scene.ends(root, "done")

    assert click.outcome == "acked"
    assert (click.ack_seconds or 0) < ACK_SECONDS
    assert refunds(scene) == [500]


def test_a_form_that_a_locked_database_held_back_keeps_what_was_typed(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run refund-customer", channel="#ops")
        rita.wait_for_view("")
        other = sqlite3.connect(scene.stage.home / "interlock.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with in_three_seconds():
            rita.submit(dict(FORM))
        other.execute("ROLLBACK")
        other.close()
        told = rita.wait_for_view("").errors
        rita.submit()
        card = scene.card(scene.waits(lambda: next(iter(scene.roots()), None), "the run"))

    assert any("Try again in a moment" in words for words in told.values()), told
    assert len(scene.roots()) == 1
    assert FORM["Order"] in card.words


def test_a_command_that_a_busy_database_held_back_starts_once_however_often_it_is_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[sqlite3.Connection] = []

    def then_busy(*asked: Any) -> object:  # noqa: ANN401 - as the real one.
        found = typed_before(*asked)
        file = scene.stage.home / "interlock.db"
        held.append(sqlite3.connect(file, isolation_level=None, check_same_thread=False))
        held[0].execute("BEGIN IMMEDIATE")
        return found

    with scene.serving() as bot:
        rita = scene.person("rita")
        with monkeypatch.context() as busy:
            busy.setattr("bot.starting.typed_before", then_busy)
            with in_three_seconds():
                typed = rita.command(f"/ops {TYPED}", channel="#ops")
            rita.wait_for_ephemeral("Try again in a moment")
        held[0].close()
        rita.command(f"/ops {TYPED}", channel="#ops")
        asked = rita.wait_for_ephemeral("nothing has started from it")
        assert scene.roots() == []
        rita.click("Start it once more", message=asked)
        scene.card(scene.waits(lambda: next(iter(scene.roots()), None), "the run"))
        (click,) = scene.stage.slack.recorder.deliveries("block_actions")
        second = {**click.payload, "trigger_id": "of-a-double-click"}
        bot.app.dispatch(BoltRequest(mode="socket_mode", body=second))
        assert "1 in all" in _runs(bot)

    assert (typed.ack_seconds or 0) < ACK_SECONDS
    assert len(scene.roots()) == 1


@pytest.mark.trap(15)
def test_a_button_that_this_release_does_not_know_is_answered(scene: Scene) -> None:
    with scene.serving() as bot:
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        scene.person("rita").click(card.buttons[0], message=card)
        body = unknown_click(scene, "request.retired_long_ago")
        answered = bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))

        assert answered.status == 200
        scene.person("rita").wait_for_ephemeral("from an older version")


@pytest.mark.trap(18)
def test_a_defect_fails_the_click_under_a_number_that_stands_in_the_log(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_ballot: object) -> None:
        raise RuntimeError("a defect")

    with scene.serving() as bot:
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ana = scene.person("ana")
        with monkeypatch.context() as patch:
            patch.setattr(bot.core.engine, "decide", broken)
            click = ana.click(card.buttons[0], message=card)
        told = ana.wait_for_ephemeral("Something broke").words
        reference = next(one.reference for one in caplog.records if hasattr(one, "reference"))
        ana.click(card.buttons[0], message=card)
        scene.ends(root, "done")

    assert click.outcome != "acked"
    assert reference in told
    assert refunds(scene) == [500]


@pytest.mark.trap(11)
def test_a_group_that_cannot_be_read_decides_nothing(scene: Scene) -> None:
    slack = scene.stage.slack
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        slack.faults.next("usergroups.list", fault.server_error(500), times=100)
        # The event makes the bot forget what it knew of groups.
        slack.workspace.leave_group("ben", "finance-leads")
        ana = scene.person("ana")
        refused = scene.waits(lambda: _refused(scene, card), "a refusal")
        slack.faults.clear()
        ana.click(card.buttons[0], message=card)
        scene.ends(root, "done")

    assert "could not be asked" in refused
    assert refunds(scene) == [500]


def _refused(scene: Scene, card: SeenMessage) -> str | None:
    """Click as somebody who was never asked; say if groups could not be read."""
    dora = scene.person("dora")
    before = len(dora.ephemerals)
    dora.click(card.buttons[0], message=card)
    told = dora.wait_for_ephemeral("").words if len(dora.ephemerals) == before else ""
    words = told or dora.ephemerals[-1].words
    return words if "could not be asked" in words else None


@pytest.mark.trap(14)
def test_a_card_whose_answer_was_lost_is_not_posted_twice(scene: Scene) -> None:
    slack = scene.stage.slack
    with scene.serving():
        slack.faults.next(
            "chat.postMessage", fault.lose_answer(), when=lambda call: bool(call.get("thread_ts"))
        )
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        cards = [one for one in scene.thread(root) if "(it cannot be undone)" in one.words]

    assert len(cards) == 1
    assert refunds(scene) == [500]


def test_a_form_for_a_workflow_that_changed_meanwhile_is_shown_again(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run refund-customer", channel=OPS)
        before = rita.wait_for_view("")
        file = scene.stage.workflows / "refund-customer.yaml"
        file.write_text(file.read_text().replace("Refund a customer", "Refund a client", 1))
    with scene.serving():
        rita.submit(dict(FORM))
        again = rita.wait_for_view("", other_than=before)

        assert "was changed while this form was open. It has version" in again.words
        assert "as its file says. See /ops diff refund-customer" in again.words
        assert scene.roots() == []
        rita.submit({})
        assert scene.waits(lambda: next(iter(scene.roots()), None), "a run")

"""A customer is refunded: from the command in Slack to the entry that an outsider verifies."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.opening import begin_log
from sandbox.seen import SeenMessage
from storage.history import read_run
from storage.listing import Wanted, list_runs
from storage.outside import OwnPast
from tests.journeys.company import Scene, calm_stage

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}


def kinds(scene: Scene) -> list[str]:
    database = scene.bots[-1].core.memory.database
    run = list_runs(database, Wanted())[0].id
    with database.read() as connection:
        return [one.kind for one in read_run(connection, run)]


def refunds(scene: Scene, order: str = "ord_1001") -> list[int]:
    return [one.amount for one in scene.stage.shop.effects(order)]


def approve(scene: Scene, name: str, card: SeenMessage) -> None:
    label = next(one for one in card.buttons if one not in ("Reject", "Review"))
    scene.person(name).click(label, message=card)


def test_money_goes_back_once_after_somebody_from_finance_agreed(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        assert refunds(scene) == []
        approve(scene, "ana", card)
        scene.ends(root, "done")
        settled = scene.closed(card)
        written = kinds(scene)

    assert refunds(scene) == [500]
    assert "Reject" not in settled.buttons
    assert written[0] == "run.started"
    assert written[-1] == "run.finished"
    decided = [one for one in written if one.startswith(("approval.", "action.", "verification."))]
    assert decided == [
        "approval.requested",
        "approval.granted",
        "action.intended",
        "action.executed",
        "verification.passed",
    ]


def test_people_who_may_not_decide_are_told_privately_why(scene: Scene) -> None:
    with scene.serving():
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        for name, why in (
            ("rita", "someone else"),
            ("gil", "guest"),
            ("dora", "not among"),
            ("connie", "another workspace"),
        ):
            approve(scene, name, card)
            told = scene.person(name).wait_for_ephemeral(why)
            assert told.thread_ts == card.thread_ts  # Beside the card, not up in the channel.

        assert scene.now(card).buttons == card.buttons
    assert refunds(scene) == []


def test_a_rejection_carries_its_reason_and_nothing_is_refunded(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        ana = scene.person("ana")
        ana.click("Reject", message=scene.card(root))
        ana.wait_for_view("")
        ana.submit({"reason": "Already replaced."})
        scene.ends(root, "rejected")
        told = scene.person("rita").wait_for_notification("Already replaced.")

    assert refunds(scene) == []
    assert told


def test_wrong_values_come_back_field_by_field_and_start_nothing(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run refund-customer", channel="#ops")
        rita.wait_for_view("")
        rita.submit({**FORM, "Order": "8841"})
        view = rita.wait_for_view("")

        assert any("ord_" in words for words in view.errors.values()), view.errors
        assert scene.roots() == []


def test_values_typed_with_the_command_start_at_once(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command('/ops run refund-customer order=ord_1001 amount=500 reason="came broken"')
        rita.wait_for_ephemeral("has started")
        root = scene.waits(lambda: next(iter(scene.roots()), None), "the run's first message")

        assert "came broken" in scene.card(root).words


def test_an_unknown_workflow_is_answered_with_the_nearest(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run refund-custmer", channel="#ops")

        assert "refund-customer" in rita.wait_for_ephemeral("").words


@pytest.mark.trap(2)
def test_two_approvers_at_once_refund_once(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        clicks = [  # A quick bot takes the button away before the second one.
            scene.person(name).click(label, message=card, stale=True, wait=False)
            for name in ("ana", "ben")
        ]
        scene.ends(root, "done")
        scene.waits(lambda: all(one.settled for one in clicks) or None, "both answers")

    assert refunds(scene) == [500]
    assert {one.outcome for one in clicks} == {"acked"}


@pytest.mark.trap(5)
def test_a_run_that_waits_goes_on_with_the_next_process(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
    with scene.serving():
        approve(scene, "ana", card)
        scene.ends(root, "done")

    assert refunds(scene) == [500]


def test_the_whole_receipt_stands_in_the_metadata_of_a_decided_card(scene: Scene) -> None:
    with scene.serving() as bot:
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        approve(scene, "ana", card)
        # One look at it: the run goes on meanwhile, and a later card names a later head.
        seen = scene.waits(lambda: with_receipt(scene.now(card)), "the receipt")
        told = receipt_of(seen)
        with bot.core.memory.database.read() as connection:
            OwnPast(connection).require(told["size"], told["root"], where="Slack")

    line = f"#{told['entry']} · leaf {told['leaf'][:8]} · head {told['size']}/{told['root'][:8]}"
    assert line in seen.words
    assert (len(told["leaf"]), len(told["root"])) == (64, 64)


def receipt_of(card: SeenMessage) -> dict[str, Any]:
    payload: dict[str, Any] = (card.metadata or {})["event_payload"]
    return payload


def with_receipt(card: SeenMessage) -> SeenMessage | None:
    return card if "leaf" in receipt_of(card) else None


def test_nothing_personal_stands_in_the_metadata_of_messages(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        scene.card(root)
        written = json.dumps([one.metadata for one in (root, *scene.thread(root))])

    assert "rita" not in written.casefold()
    assert "ord_1001" not in written


def test_the_same_journey_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket", database=postgres_url)
        begin_log(scene.settings).database.close()
        with scene.serving():
            root = scene.fills("rita", "refund-customer", FORM)
            approve(scene, "ana", scene.card(root))
            scene.ends(root, "done")
            written = kinds(scene)

    assert refunds(scene) == [500]
    assert written[-1] == "run.finished"

"""A question that nobody can be shown: the step does not run, and people are told why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.undelivered import notice_of
from sandbox import faults as fault
from storage.history import read_entries
from storage.outbox_values import OutboxRow
from tests.journeys.company import Scene, calm_stage
from workflows.entry import Entry, Ref, RunId
from workflows.people import PersonId
from workflows.store import Subject

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with calm_stage(tmp_path) as stage:
        yield Scene(stage=stage, over="socket")


def entries(scene: Scene) -> list[Entry]:
    with scene.bots[-1].core.memory.database.read() as connection:
        return read_entries(connection, 0, 1_000)


def kinds(scene: Scene) -> list[str]:
    return [one.kind for one in entries(scene)]


def test_a_card_that_slack_refuses_stops_its_step_and_people_are_told(scene: Scene) -> None:
    scene.stage.slack.faults.next(
        "chat.postMessage",
        fault.refuse("restricted_action_thread_locked"),
        when=lambda call: "asks @finance-leads" in call["text"],
    )
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        told = scene.person("rita").wait_for_notification("I could not post")
        scene.person("omar").wait_for_notification("I could not post")
        scene.waits(
            lambda: any("how it goes on" in one.words for one in scene.thread(root)) or None,
            "the question how the run goes on",
        )
        written = entries(scene)

    assert scene.stage.shop.effects("ord_1001") == []
    lost = next(one for one in written if one.kind == "outbox.delivery_failed")
    assert lost.data["purpose"] == "request"
    assert lost.data["error_class"] == "restricted_action_thread_locked"
    withdrawn = next(one for one in written if one.kind == "approval.withdrawn")
    assert withdrawn.data["reason"] == "undeliverable"
    assert "restricted_action_thread_locked" in told.text


def test_a_run_whose_channel_is_gone_asks_nobody_and_does_nothing(scene: Scene) -> None:
    scene.stage.slack.faults.next(
        "chat.postMessage",
        fault.refuse("is_archived"),
        times=20,
        when=lambda call: not call["channel"].startswith("D"),
    )
    with scene.serving():
        person = scene.person("rita")
        person.command("/ops run refund-customer", channel="#ops")
        person.wait_for_view("")
        person.submit(dict(FORM))
        told = person.wait_for_notification("The channel is archived")
        scene.waits(lambda: "approval.withdrawn" in kinds(scene) or None, "the request's end")

    assert "I could not post" in told.text
    assert scene.stage.shop.effects("ord_1001") == []


def test_the_log_names_nobody_who_could_not_be_told_of_it_either(scene: Scene) -> None:
    scene.stage.slack.faults.next("chat.postMessage", fault.refuse("is_archived"), times=40)
    with scene.serving():
        person = scene.person("rita")
        person.command("/ops run refund-customer", channel="#ops")
        person.wait_for_view("")
        person.submit(dict(FORM))
        lost = scene.waits(lambda: lost_notices(scene) or None, "what was lost")

    assert [one for one in lost if "slack:" in one or "/s:" not in one] == []


def lost_notices(scene: Scene) -> list[str]:
    """Return what the log calls the private notices that Slack did not take."""
    lost = [one.data for one in entries(scene) if one.kind == "outbox.delivery_failed"]
    return [str(one["message"]) for one in lost if one["purpose"] == "notice"]


def test_whoever_could_not_be_written_to_is_not_named_by_their_account() -> None:
    lost = OutboxRow(
        id=1,
        subject=Subject.REVIEW,
        key="use/ana",
        run=RunId("r1"),
        channel="slack:T0ACME:U0ANA",
        body=None,
        wanted=1,
        done=0,
        attempts=1,
        was_posting=False,
        place=None,
        thread=None,
    )
    omar = PersonId("slack:T0ACME:U0OMAR")
    told = notice_of(lost, "account_inactive", omar, Ref("s:omar"), command="/ops")

    assert "in a direct message" in str(told.body)
    assert "U0ANA" not in str(told)

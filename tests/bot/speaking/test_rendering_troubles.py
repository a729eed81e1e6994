"""The card of a step that stopped, once its run ends by what was said elsewhere."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.directory import Directory
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.settling import card_of
from bot.slack_client import SlackClient
from storage.store import SqlStore
from tests.bot.payload_checks import buttons_of
from tests.workflows.engine.flows import change, destructive, workflow
from tests.workflows.engine.test_chasing import in_doubt, reminders
from tests.workflows.engine.test_giving_up import DONE, given_up
from tests.world import LOST, POLICY, Clock, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import RunId
from workflows.errors import ActionFailedError
from workflows.replay import replay
from workflows.store import Subject
from workflows.trouble import troubles

SIDES = workflow(
    "sides",
    f"steps: [{{id: all, parallel: {{l: [{change('left')}], r: [{change('right')}], "
    f"m: [{destructive('middle')}]}}}}]",
)


def aborted(house: Working, run: RunId) -> None:
    house.engine.settle_exception(run, "left", person=id_of("omar"), answer="abort")


def undone(house: Working, run: RunId) -> None:
    house.engine.settle_exception(run, "left", person=id_of("omar"), answer="undo")


def denied(house: Working, run: RunId) -> None:
    house.deny(run)


def expired(house: Working, _run: RunId) -> None:
    house.clock.at += timedelta(hours=25)


def cancelled(house: Working, run: RunId) -> None:
    house.engine.cancel(run, person=id_of("rita"), reason="enough")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (aborted, "Aborted by omar."),
        (undone, "Aborted, undoing begun by omar."),
        (cancelled, "Cancelled with the run by rita."),
        (denied, "The run ended rejected."),
        (expired, "The run ended expired."),
    ],
)
def test_it_asks_nothing_any_more_and_says_why(
    store: SqlStore, client: SlackClient, clock: Clock, ends: object, told: str
) -> None:
    house = Working(store, clock, definitions=(SIDES,))

    def trouble(place: str) -> None:
        if place in ("before left", "before right"):
            raise ActionFailedError("no", error_class="refused")

    house.world.trouble = trouble
    run = house.start("sides")
    house.settle()
    directory = Directory(client, team="T0ACME")
    reader = RunReader(store, house.shelf, directory, workspace_url="https://acme.slack.com/")
    rendering = Rendering(store, reader, now=clock)
    entries = house.entries(run)
    key = next(
        one.card.key for one in troubles(replay(run, entries), entries) if one.step == "right"
    )
    row = store.outbox.find(Subject.TROUBLE, key)
    assert row is not None
    wanted = row.wanted
    ends(house, run)  # type: ignore[operator]
    house.settle()
    again, shown = store.outbox.find(Subject.TROUBLE, key), rendering.render(row)
    assert again is not None
    assert shown is not None

    assert store.run(run).status.is_end
    assert again.wanted > wanted
    assert not buttons_of({"blocks": list(shown.content.blocks)})
    assert told in shown.content.text


def test_what_stopped_at_its_end_is_said_to_and_can_be_answered(
    store: SqlStore, client: SlackClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Working(store, clock, definitions=(DONE,))
    run = house.start("done", {})
    found = given_up(house, run, monkeypatch)
    directory = Directory(client, team="T0ACME")
    reader = RunReader(store, house.shelf, directory, workspace_url="https://acme.slack.com/")
    row = store.outbox.find(Subject.TROUBLE, found.card.key)
    assert row is not None
    shown = Rendering(store, reader, now=clock).render(row)
    assert shown is not None
    buttons = buttons_of({"blocks": list(shown.content.blocks)})
    about = card_of(buttons["exception.retry"])
    told = json.dumps(shown.content.blocks)

    assert "done stopped at its end: The bot broke down" in shown.content.text
    assert "what is left is to end it" in told
    assert "step `" not in told
    assert "Try again" in told
    assert [*buttons] == ["exception.retry", "exception.abort"]
    assert (about.run, about.step, about.entry) == (run, "", house.entries(run)[-1].id)


def test_a_reminder_that_comes_late_is_not_told_of_what_is_settled(
    store: SqlStore, client: SlackClient, clock: Clock
) -> None:
    house = Working(store, clock)
    run = in_doubt(house)
    clock.at += timedelta(hours=2)
    house.settle()
    (reminder,) = reminders(house, run)
    reader = RunReader(store, house.shelf, Directory(client, team="T0ACME"), workspace_url="")
    rendering = Rendering(store, reader, now=clock)
    row = store.outbox.find(Subject.STEP, reminder.id)
    assert row is not None
    assert rendering.render(row) is not None

    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
    house.settle()
    assert rendering.render(row) is None
    house.world.trouble = failing("before", LOST)
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    assert rendering.render(row) is None  # It was about the doubt before this one.


@pytest.mark.parametrize("ends", [denied, expired, cancelled])
def test_a_reminder_of_approvers_that_comes_late_is_not_told_of_what_is_decided(
    store: SqlStore, client: SlackClient, clock: Clock, ends: Callable[[Working, RunId], None]
) -> None:
    house = Working(
        store, clock, policy=POLICY.replace("approve: 1}]", "approve: 1}]\n    remind: [2h]")
    )
    run = house.start()
    house.settle()
    clock.at += timedelta(hours=2)
    house.settle()
    (reminder,) = [one for one in house.entries(run) if one.kind == "approval.reminded"]
    reader = RunReader(store, house.shelf, Directory(client, team="T0ACME"), workspace_url="")
    rendering = Rendering(store, reader, now=clock)
    row = store.outbox.find(Subject.STEP, reminder.id)
    assert row is not None
    assert rendering.render(row) is not None

    ends(house, run)
    house.settle()
    assert rendering.render(row) is None

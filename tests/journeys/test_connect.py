"""People of another workspace in a shared channel: they count only if the policy says so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.delivery.payloads import _common as common
from sandbox.hub import Hub
from sandbox.records import Json, User
from sandbox.seen import SeenMessage
from storage.journal import utc_now
from tests.journeys.company import Scene, calm_stage
from workflows.delegating import NewDelegation
from workflows.people import Person, PersonId

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}
CONNIE = '"@U0CONNIE"'


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with calm_stage(tmp_path) as stage:
        yield Scene(stage=stage, over="socket")


def asks_connie(scene: Scene, *, connect: str = "") -> None:
    """Let the policy ask Connie of Globex beside the finance leads."""
    text = scene.stage.policy.read_text().replace(
        '["@finance-leads"]', f'["@finance-leads", {CONNIE}]'
    )
    assert CONNIE in text
    scene.stage.policy.write_text(text + (f"\nconnect: [{connect}]\n" if connect else ""))


def click(scene: Scene, name: str) -> None:
    card = scene.card(scene.fills("rita", "refund-customer", FORM))
    approve(scene, name, card)


def approve(scene: Scene, name: str, card: SeenMessage) -> None:
    label = next(one for one in card.buttons if one not in ("Reject", "Review"))
    scene.person(name).click(label, message=card)


def of_globex(hub: Hub, user: User, kind: str) -> Json:
    told = common(hub, user, kind)
    return told | {"user": told["user"] | {"team_id": "T0GLOBEX"}}


@pytest.mark.parametrize("connect", ["", "T0OTHER"])
def test_whoever_is_named_in_a_rule_alone_decides_nothing(scene: Scene, connect: str) -> None:
    asks_connie(scene, connect=connect)
    with scene.serving():
        click(scene, "connie")
        refused = scene.person("connie").wait_for_ephemeral("another workspace")

    assert "cannot count" in refused.words
    assert scene.stage.shop.effects("ord_1001") == []


def test_whoever_is_named_and_whose_workspace_is_admitted_decides(scene: Scene) -> None:
    asks_connie(scene, connect="T0GLOBEX")
    with scene.serving():
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        approve(scene, "connie", card)
        # The definition asks the finance leads too, and nothing loosens that.
        approve(scene, "ana", scene.now(card))
        scene.ends(scene.roots()[0], "done")

    assert len(scene.stage.shop.effects("ord_1001")) == 1


def test_a_workspace_that_is_admitted_lets_nobody_decide_who_was_not_asked(scene: Scene) -> None:
    scene.stage.policy.write_text(scene.stage.policy.read_text() + "\nconnect: [T0GLOBEX]\n")
    with scene.serving():
        click(scene, "connie")
        scene.person("connie").wait_for_ephemeral("not among the people who were asked")

    assert scene.stage.shop.effects("ord_1001") == []


@pytest.mark.parametrize("connect", ["", "T0GLOBEX"])
def test_the_id_of_an_approver_in_another_workspace_is_not_the_approver(
    scene: Scene, connect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connect:
        scene.stage.policy.write_text(scene.stage.policy.read_text() + f"\nconnect: [{connect}]\n")
    with scene.serving():
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        with monkeypatch.context() as patch:
            # A user's id is good in their own workspace, so Globex may have a U0ANA as well.
            patch.setattr("sandbox.delivery.payloads._common", of_globex)
            approve(scene, "ana", card)
        refused = scene.person("ana").wait_for_ephemeral("another workspace")
        untouched = scene.now(card)

    assert "cannot count" in refused.words
    assert "Reject" in untouched.buttons
    assert scene.stage.shop.effects("ord_1001") == []


def test_nobody_who_was_asked_lets_somebody_of_an_admitted_workspace_decide(scene: Scene) -> None:
    scene.stage.policy.write_text(scene.stage.policy.read_text() + "\nconnect: [T0GLOBEX]\n")
    with scene.serving():
        ana = scene.person("ana")
        ana.command("/ops delegate @connie until tomorrow 9am", channel="#ops")
        told = ana.ephemerals[-1]
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        approve(scene, "connie", card)
        scene.person("connie").wait_for_ephemeral("not among the people who were asked")

    assert "cannot stand in for you" in told.words
    assert told.buttons == []
    assert scene.stage.shop.effects("ord_1001") == []


def test_whoever_stood_in_by_an_older_release_decides_nothing_now(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.stage.policy.write_text(scene.stage.policy.read_text() + "\nconnect: [T0GLOBEX]\n")
    with scene.serving() as bot:
        ana, connie = PersonId("slack:T0ACME:U0ANA"), PersonId("slack:T0GLOBEX:U0CONNIE")
        word = NewDelegation(giver=ana, stand_in=connie, until=utc_now() + timedelta(hours=9))
        with monkeypatch.context() as patch:
            patch.setattr(Person, "may_stand_in", property(lambda person: person.counts))
            bot.core.engine.delegate(word)
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        approve(scene, "connie", card)
        scene.person("connie").wait_for_ephemeral("not among the people who were asked")

    assert scene.stage.shop.effects("ord_1001") == []


@pytest.mark.parametrize("shortcut", ["thread.summarise", "message.find_run"])
def test_whoever_is_of_another_workspace_looks_at_no_runs_by_the_menu_of_a_message(
    scene: Scene, shortcut: str
) -> None:
    with scene.serving():
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        connie = scene.person("connie")
        connie.shortcut(shortcut, message=card)
        refused = connie.wait_for_ephemeral("another workspace")

        assert "sees no more of runs here" in refused.words
        assert connie.view is None


def test_whoever_is_of_a_workspace_that_is_admitted_looks_like_everybody(scene: Scene) -> None:
    asks_connie(scene, connect="T0GLOBEX")
    with scene.serving():
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        scene.person("connie").shortcut("message.find_run", message=card)

        assert "asked by @rita" in scene.person("connie").wait_for_ephemeral("Refund").words

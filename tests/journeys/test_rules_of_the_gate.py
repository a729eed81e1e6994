"""The rules of a policy as people meet them in Slack: on the card, in the form, in the thread."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.seen import SeenMessage
from tests.journeys.company import Scene
from tests.journeys.test_conversation import answer

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}
OWN = """    approval:
      stages: [{from: ["@finance-leads"], approve: 1}]
      expires: 24h
"""
REFUNDS = 'stages: [{from: ["@finance-leads"], approve: 1}]\n    remind: [2h, 8h]'


def ruled(scene: Scene, rule: str) -> None:
    """Have refunds be decided under that rule alone."""
    definition = scene.stage.workflows / "refund-customer.yaml"
    for file, words, instead in ((scene.stage.policy, REFUNDS, rule), (definition, OWN, "")):
        text = file.read_text()
        assert words in text
        file.write_text(text.replace(words, instead))


def approve(scene: Scene, name: str, card: SeenMessage) -> None:
    label = next(one for one in scene.now(card).buttons if one not in ("Reject", "Review"))
    scene.person(name).click(label, message=card)


def test_parts_of_one_turn_are_decided_by_whoever_comes_first(scene: Scene) -> None:
    both = '{all: [{from: ["@finance-leads"]}, {from: ["@governors"]}]}'
    ruled(scene, f"stages: [{both}]")
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        first = card.words
        approve(scene, "ivan", card)
        halfway = scene.waits(
            lambda: words if "✅ Stage 1, part 2" in (words := scene.now(card).words) else None,
            "the card after one part has agreed",
        )
        approve(scene, "ana", card)
        scene.ends(root, "done")

    assert "▶️ Stage 1, part 1" in first
    assert "▶️ Stage 1, part 2" in first
    assert "▶️ Stage 1, part 1: *0 of 1 approval*" in halfway


def test_a_reason_of_another_form_comes_back_beside_its_field(scene: Scene) -> None:
    ruled(
        scene,
        'stages: [{from: ["@finance-leads"]}]\n'
        '    reason: {pattern: "FIN-[0-9]+", hint: "Name the ticket, as FIN-12."}',
    )
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ana = scene.person("ana")
        approve(scene, "ana", card)
        asked = ana.wait_for_view("")
        ana.submit({"reason": "looks fine"})
        refused = ana.wait_for_view("")
        ana.submit({"reason": "FIN-12"})
        scene.ends(root, "done")

    assert "Name the ticket, as FIN-12." in asked.words
    assert "Name the ticket, as FIN-12." in refused.errors["reason"]


def test_what_waits_too_long_goes_to_more_people_who_are_told_in_the_thread(scene: Scene) -> None:
    ruled(
        scene,
        'stages: [{from: ["@finance-leads"]}]\n'
        '    escalate: {after: 1s, to: ["@finance-directors"]}',
    )
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        told = scene.waits(
            lambda: next(
                (one for one in scene.thread(root) if "you may decide it too" in one.words), None
            ),
            "the reply about the escalation",
        )
        scene.waits(
            lambda: words if "It waited for long" in (words := scene.now(card).words) else None,
            "the card after the escalation",
        )
        heard = scene.person("dora").wait_for_notification("you may decide it too")
        approve(scene, "dora", card)
        scene.ends(root, "done")

    assert "@dora" in told.words
    assert heard


def test_outside_business_hours_an_approver_is_told_when_to_come_again(scene: Scene) -> None:
    day = 1 + (datetime.now(ZoneInfo("Europe/Berlin")).isoweekday() + 2) % 7  # In three days.
    hours = f'hours: {{weekdays: [{day}], from: "09:00", to: "09:01"}}'
    ruled(scene, f'stages: [{{from: ["@finance-leads"]}}]\n    {hours}\n    expires: 10d')
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        approve(scene, "ana", card)
        said = scene.person("ana").wait_for_ephemeral("can be approved only").words

    assert "Decide again from" in said
    assert "Reject" in scene.now(card).buttons


def test_who_cannot_decide_is_told_so_and_asked_for_no_reason(scene: Scene) -> None:
    ruled(scene, 'stages: [{from: ["@finance-leads"]}]\n    reason: required')
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        rita, ana, ben = (scene.person(one) for one in ("rita", "ana", "ben"))
        approve(scene, "rita", card)
        own = rita.wait_for_ephemeral("someone else").words
        rita.click("Reject", message=card)
        rita.wait_for_ephemeral("someone else")
        approve(scene, "ana", card)
        ana.wait_for_view("")
        ben.click("Reject", message=card)
        ben.wait_for_view("")
        ben.submit({"reason": "not this one"})
        scene.waits(lambda: "not this one" in scene.now(card).words or None, "the rejection")
        ana.submit({"reason": "fine"})
        late = ana.wait_for_view("already rejected").words

    assert "You asked for this" in own
    assert rita.view is None
    assert "ben rejected it" in late.casefold()


def test_whoever_has_decided_already_is_told_so_before_a_reason_is_asked_for(scene: Scene) -> None:
    both = '{from: ["@finance-leads"], approve: 2, deny: 2}'
    ruled(scene, f"stages: [{both}]\n    reason: required")
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ana, ben = scene.person("ana"), scene.person("ben")
        approve(scene, "ana", card)
        ana.wait_for_view("")
        ana.submit({"reason": "checked"})
        scene.waits(lambda: "1 of 2" in scene.now(card).words or None, "the first approval")
        approve(scene, "ana", card)
        told = ana.wait_for_ephemeral("already").words
        listed = answer(scene, "ana", "/ops approvals").words
        ben.click("Reject", message=scene.now(card))
        ben.wait_for_view("")
        ben.submit({"reason": "not this one"})
        scene.waits(lambda: "not this one" in scene.now(card).words or None, "the rejection")
        ben.click("Reject", message=scene.now(card))
        again = ben.wait_for_ephemeral("already").words

    assert "You approved this already" in told
    assert "You rejected this already" in again
    assert (ana.view, ben.view) == (None, None)
    assert "Refund a customer" in listed
    assert "for you" not in listed

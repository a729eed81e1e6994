"""What people type, write and click around a run, and what they are told."""

import pytest

from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, Scene

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}
TYPED = '/ops run refund-customer order=ord_1001 amount=500 reason="came broken"'


def refunds(scene: Scene) -> list[int]:
    return [one.amount for one in scene.stage.shop.effects("ord_1001")]


def answer(scene: Scene, name: str, typed: str) -> SeenMessage:
    person = scene.person(name)
    before = len(person.ephemerals)
    person.command(typed, channel=OPS)
    return scene.waits(
        lambda: next(iter(person.ephemerals[before:]), None), f"an answer to {typed}"
    )


def test_lists_answer_privately_and_say_whose_turn_it_is(scene: Scene) -> None:
    with scene.serving():
        scene.card(scene.fills("rita", "refund-customer", FORM))

        assert "refund-customer" in answer(scene, "rita", "/ops workflows").words
        assert "Refund a customer" in answer(scene, "rita", "/ops runs mine").words
        assert "1 of them waits for you" in answer(scene, "ana", "/ops approvals").words
        assert "for you" not in answer(scene, "rita", "/ops approvals").words
        assert "run [WORKFLOW]" in answer(scene, "gil", "/ops help").words


def test_a_run_tells_its_story_with_the_numbers_of_its_entries(scene: Scene) -> None:
    with scene.serving():
        scene.card(scene.fills("rita", "refund-customer", FORM))
        listed = answer(scene, "rita", "/ops runs").words
        name = next(word.strip("`") for word in listed.split() if len(word.strip("`")) == 32)
        told = answer(scene, "rita", f"/ops show {name}").words

        assert "put to @finance-leads" in told
        assert "Started by form" in told


@pytest.mark.trap(25)
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/ops rnu", "Did you mean “run”"),
        ("/ops rnu refund-customer", "Did you mean “run”"),
        ("/ops runs refnd-customer", "no workflow `refnd-customer` is active"),
        ("/ops show", "Say which run"),
        ("/ops show 0000", "There is no run"),
        ("/ops run refund-customer amount", "FIELD=VALUE"),
        ("/ops cancel abc", "reason"),
    ],
)
def test_what_cannot_be_done_says_what_would_be_right(scene: Scene, typed: str, told: str) -> None:
    with scene.serving():
        assert told in answer(scene, "rita", typed).words


@pytest.mark.parametrize(
    ("typed", "button", "done"),
    [
        ("/ops rnus mine", "/ops runs mine", "There are none"),
        ("/ops 🎉 aprovals", "", "There is no “🎉”"),
        ("/ops aprovals", "/ops approvals", "Nothing waits for a decision"),
        ("/ops schedul", "/ops schedule", "Schedules"),
    ],
)
def test_a_mistyped_command_is_a_button_that_does_what_was_meant(
    scene: Scene, typed: str, button: str, done: str
) -> None:
    with scene.serving():
        told = answer(scene, "rita", typed)
        if button:
            scene.person("rita").click(button, message=told)
        shown = scene.waits(
            lambda: next(
                (one for one in scene.person("rita").ephemerals if done in one.words), None
            ),
            "what was meant",
        )

        assert shown is not None


def test_a_mistyped_workflow_opens_the_form_of_the_one_that_was_meant(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        told = answer(scene, "rita", "/ops run refund-custmer order=8841")
        assert "Did you mean “refund-customer”?" in told.words
        rita.click("/ops run refund-customer order=8841", message=told)

        assert "begin with" in rita.wait_for_view("Refund a customer").words


@pytest.mark.parametrize(("who", "why"), [("ana", "@support may"), ("gil", "guests")])
def test_whoever_may_not_start_a_workflow_is_shown_no_form(
    scene: Scene, who: str, why: str
) -> None:
    with scene.serving():
        told = answer(scene, who, "/ops run refund-customer").words

        assert why in told
        assert scene.person(who).view is None


def test_help_says_what_its_reader_may_start_with_an_example(scene: Scene) -> None:
    with scene.serving():
        ritas, petras = answer(scene, "rita", "/ops help"), answer(scene, "petra", "/ops help")

        assert "/ops run refund-customer order=ord_1042 amount=1" in ritas.words
        assert "roll-back-release" not in ritas.words
        assert "roll-back-release" in petras.words
        assert "refund-customer" not in petras.words
        assert "Nothing; ask one of the operators" in answer(scene, "gil", "/ops help").words


def test_the_list_of_workflows_says_which_one_may_start_and_starts_it(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        told = answer(scene, "rita", "/ops workflows")

        assert "▶️ you may start it" in told.words
        assert "🔒 you may not start it; @platform or @platform-leads may" in told.words
        rita.click("Start", message=told, block_id=block_of(told, "refund-customer"))
        assert "Refund a customer" in rita.wait_for_view("").title


def block_of(message: SeenMessage, words: str) -> str:
    return next(str(one["block_id"]) for one in message.blocks if words in str(one))


def test_a_command_in_a_direct_message_has_its_thread_in_the_common_channel(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        long = "“" + "it\u2019s 🎉 broken\n" * 20 + "”"
        rita.command(
            f"/ops run refund-customer order=ord_1001 amount=500 reason={long}",
            channel="@interlock",
        )
        card = scene.card(scene.waits(lambda: next(iter(scene.roots()), None), "the first message"))

        assert "it's 🎉 broken" in card.words
        assert "Its thread is in #ops" in rita.wait_for_ephemeral("has started").words


def test_whoever_asks_by_form_where_the_bot_is_not_is_told_where_the_thread_is(
    scene: Scene,
) -> None:
    workspace = scene.stage.slack.workspace
    workspace.add_channel("elsewhere", members=["rita"], bot=False)
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run refund-customer", channel="#elsewhere")
        form = rita.wait_for_view("Order")
        rita.submit({"Order": "ord_1001", "Amount in cents": "500", "Reason": "Broken"})
        told = rita.wait_for_view("", other_than=form)
        scene.waits(lambda: next(iter(scene.roots()), None), "the first message")

        assert "Refund a customer has started" in told.words.replace("*", "")
        assert "Its thread is in #ops." in told.words
        assert "I may post in #elsewhere: if I am not in it, invite me" in told.words

        workspace.join("interlock", "elsewhere")
        rita.close_view()
        rita.command("/ops run refund-customer", channel="#elsewhere")
        rita.wait_for_view("Order")
        rita.submit({"Order": "ord_1002", "Amount in cents": "500", "Reason": "Broken"})

        assert rita.view is None


def test_a_command_of_many_thousand_characters_is_read_or_refused_in_words(scene: Scene) -> None:
    with scene.serving():
        longer = answer(scene, "rita", "/ops " + "y" * 13_000)
        rita = scene.person("rita")
        rita.command("/ops run refund-customer reason=" + "x" * 4_000, channel=OPS)

        assert "longer than 12000 characters" in longer.words
        assert "at most 500 characters" in rita.wait_for_view("Refund a customer").words


def test_the_name_of_a_workflow_alone_opens_its_form(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops refund-customer", channel=OPS)

        assert "Refund a customer" in rita.wait_for_view("").title


def test_without_a_name_people_choose_and_then_fill_the_form(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run", channel=OPS)
        first = rita.wait_for_view("")
        rita.submit({"Workflow": "refund-customer"})
        rita.wait_for_view("", other_than=first)
        rita.submit(dict(FORM))
        root = scene.waits(lambda: next(iter(scene.roots()), None), "the run's first message")

        assert "Refund a customer" in root.words


def test_the_same_typed_twice_asks_before_it_starts_a_second_run(scene: Scene) -> None:
    with scene.serving():
        assert "has started" in answer(scene, "rita", TYPED).words
        asked = answer(scene, "rita", TYPED)
        assert "the same way a moment ago" in asked.words
        scene.waits(lambda: scene.roots() or None, "the run's first message")
        scene.person("rita").click("Start it once more", message=asked)
        scene.waits(lambda: len(scene.roots()) == 2 or None, "a second run")


def test_words_in_the_thread_decide_nothing_and_point_to_the_button(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ana = scene.person("ana")
        ana.say("LGTM!", channel=OPS, thread=root)
        told = ana.wait_for_ephemeral("Words in a thread decide nothing")

        assert told.thread_ts == root.ts
        assert scene.now(card).buttons == card.buttons
    assert refunds(scene) == []


def test_what_people_write_in_the_thread_is_part_of_the_story(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        scene.person("sam").say("The parcel came back empty.", channel=OPS, thread=root)
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        found = scene.waits(lambda: _found(scene, "parcel"), "a summary that speaks of the parcel")

    assert "parcel" in found


def _found(scene: Scene, word: str) -> str | None:
    words = answer(scene, "rita", f"/ops find {word}").words
    return words if "Refund a customer" in words else None


def test_a_mention_is_answered_with_what_can_be_asked(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        bot = scene.stage.slack.workspace.bot.id
        rita.say(f"<@{bot}> what can you do?", channel=OPS)

        assert "What you can ask" in rita.wait_for_ephemeral("").words


def test_a_click_on_the_card_of_a_settled_request_is_answered(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        scene.person("ben").click(card.buttons[0], message=card, stale=True)

        assert "already approved" in scene.person("ben").wait_for_ephemeral("").words
    assert refunds(scene) == [500]


def test_cancelling_ends_the_run_and_its_card(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        listed = answer(scene, "rita", "/ops runs").words
        run = next(word.strip("`") for word in listed.split() if len(word.strip("`")) == 32)
        moved = answer(scene, "rita", f"/ops move {run} because it is newer").words
        answer(scene, "rita", f"/ops cancel {run} wrong customer")
        scene.ends(root, "cancelled")

        assert "Reject" not in scene.closed(card).buttons
        assert "Only owner and deputy of the workflow" in moved
    assert refunds(scene) == []


def test_a_guest_may_not_start_and_is_told_who_may(scene: Scene) -> None:
    with scene.serving():
        assert "@support" in answer(scene, "petra", TYPED).words
        assert "guest" in answer(scene, "gil", TYPED).words
        assert scene.roots() == []

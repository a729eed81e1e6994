"""Shortcuts on messages: ask approval for one, sum a thread up, find the run of one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.faults import refuse
from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, SHIPPED, Scene, calm_stage
from tests.sandbox.payload_checks import complaints_about
from workflows.thread_summary import LONGEST_QUOTE

REQUEST, SUMMARISE, FIND = "message.request", "thread.summarise", "message.find_run"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    files = tmp_path / "files"
    shutil.copytree(SHIPPED, files)
    with calm_stage(tmp_path / "home", files) as stage:
        yield Scene(stage=stage, over="socket")
        assert complaints_about(stage.slack.recorder) == []


def said_by(
    scene: Scene, name: str, text: str, *, thread: SeenMessage | None = None
) -> SeenMessage:
    return scene.person(name).say(text, channel=OPS, thread=thread)


def asked_for(scene: Scene, message: SeenMessage, *, by: str = "rita") -> SeenMessage:
    person = scene.person(by)
    person.shortcut(REQUEST, message=message)
    first = person.wait_for_view("Run a workflow")
    person.submit({"Workflow": "refund-customer"})
    person.wait_for_view("Refund a customer", other_than=first)
    person.submit({"Order": "ord_1001", "Amount in cents": "500"})
    return scene.waits(
        lambda: next((one for one in scene.roots() if "Refund a customer" in one.words), None),
        "the run's first message",
    )


def test_approval_is_asked_for_a_message_which_fills_the_form_and_stays_linked(
    scene: Scene,
) -> None:
    with scene.serving():
        words = "@sam order 1001 came broken, see https://shop.example/1001 <3 & more"
        message = said_by(scene, "rita", words)
        root = asked_for(scene, message)
        card = scene.card(root)

        assert "order 1001 came broken, see https://shop.example/1001 <3 & more" in card.words
        assert "@U0SAM order" in card.words
        assert "Asked for by @rita with a shortcut · the message it is about" in root.words
        assert f"/archives/{message.channel}/p{message.ts.replace('.', '')}" in str(root.blocks)


def test_only_workflows_that_somebody_may_start_are_offered(scene: Scene) -> None:
    with scene.serving():
        message = said_by(scene, "rita", "please")
        petra = scene.person("petra")
        petra.shortcut(REQUEST, message=message)
        view = petra.wait_for_view("Run a workflow")

        assert "roll-back-release" in str(view.blocks)
        assert "refund-customer" not in str(view.blocks)
        scene.person("gil").shortcut(REQUEST, message=message)
        assert "no workflow that you may start" in scene.person("gil").wait_for_view("").words


def test_a_message_too_long_to_carry_is_linked_and_not_cut(scene: Scene) -> None:
    with scene.serving():
        message = said_by(scene, "rita", "very long " * 400)
        rita = scene.person("rita")
        rita.shortcut(REQUEST, message=message)
        first = rita.wait_for_view("Run a workflow")
        rita.submit({"Workflow": "refund-customer"})
        view = rita.wait_for_view("Refund a customer", other_than=first)
        reason = next(one for one in view.blocks if one.get("label", {}).get("text") == "Reason")

        assert reason["element"]["initial_value"].endswith(f"/p{message.ts.replace('.', '')}")
        assert "very long" not in reason["element"]["initial_value"]


def test_a_message_finds_the_run_it_started_and_any_message_of_a_thread_its_own(
    scene: Scene,
) -> None:
    with scene.serving():
        rita = scene.person("rita")
        message = said_by(scene, "rita", "order 1001 came broken")
        root = asked_for(scene, message)
        card = scene.card(root)
        reply = said_by(scene, "sam", "why?", thread=root)
        for one in (root, card, reply):
            rita.shortcut(FIND, message=one)
            assert "Run " in rita.wait_for_ephemeral("asked by @rita").words
        rita.shortcut(FIND, message=message)

        assert "Refund a customer" in rita.wait_for_ephemeral("Asked for from this message").words


def test_a_message_of_no_run_finds_the_nearest_by_its_words(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        root = asked_for(scene, said_by(scene, "rita", "the zebra printer of lane nine"))
        scene.person("ana").click(scene.card(root).buttons[0], message=scene.card(root))
        scene.ends(root, "done")
        message = said_by(scene, "sam", "has anybody seen the zebra of lane nine?")

        def found() -> SeenMessage | None:
            rita.shortcut(FIND, message=message)
            last = rita.ephemerals[-1]
            return last if "Refund a customer" in last.words else None

        assert "zebra" in scene.waits(found, "the nearest run").words
        rita.shortcut(FIND, message=said_by(scene, "sam", "qwertz"))
        assert "No run belongs to this message" in rita.ephemerals[-1].words


def conversation(scene: Scene) -> SeenMessage:
    first = said_by(scene, "rita", "The import of order 1001 fails since noon. Any idea?")
    for name, text in (
        ("sam", "ok"),
        ("ana", "The root cause is the new import; we must roll it back."),
        ("ben", "lunch anyone"),
        ("sam", "<!channel> Agreed, *I will* do it by Friday & report."),
    ):
        said_by(scene, name, text, thread=first)
    return first


def test_a_thread_is_summed_up_for_one_reader_and_then_shared(scene: Scene) -> None:
    with scene.serving():
        first = conversation(scene)
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=first)
        view = rita.wait_for_view("Summary")

        assert "5 messages of 4 people" in view.words
        assert "“The import of order 1001 fails since noon.” message" in view.words
        assert "root cause is the new import" in view.words
        assert "<!channel>" not in str(view.blocks)
        assert f"thread_ts={first.ts}" in str(view.blocks)
        assert len(scene.thread(first)) == 5
        rita.submit()
        shared = scene.waits(
            lambda: next((one for one in scene.thread(first) if "Shared by" in one.words), None),
            "the shared summary",
        )
        assert "Shared by @rita" in shared.words
        assert shared.text.endswith("Summary of 5 messages, shared by rita")
        assert "root cause" in shared.words


LIBRARY = """
from types import SimpleNamespace as It

def completion(**asked):
    assert "import of order 1001" in asked["messages"][1]["content"]
    text = "Ana names the new import.\\nDora approved the rollback.\\nIt broke in 1999."
    message = It(content=text)
    return It(
        choices=[It(message=message, finish_reason="stop")],
        usage=It(prompt_tokens=10, completion_tokens=5),
        model="written-by-a-test",
    )
"""


def with_model(scene: Scene) -> None:
    folder = scene.stage.home / "model" / "litellm"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(LIBRARY)
    scene.more |= {"model": "openai/small", "model_price": "1/1", "model_budget": 1_000_000}


def test_a_models_summary_is_checked_labelled_and_shared_as_it_was_seen(scene: Scene) -> None:
    with_model(scene)
    with scene.serving():
        first = conversation(scene)
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=first)
        view = rita.wait_for_view("Summary")

        assert "A language model wrote this" in view.words
        assert "Ana names the new import." in view.words
        assert "Dora" not in view.words
        assert "1999" not in view.words
        assert "Left out: 2 sentences." in view.words
        rita.submit()
        shared = scene.waits(
            lambda: next((one for one in scene.thread(first) if "Shared by" in one.words), None),
            "the shared summary",
        )
        assert "A language model wrote this" in shared.words
        assert "Ana names the new import." in shared.words


def test_a_models_words_are_not_shared_once_a_message_they_came_from_is_gone(
    scene: Scene,
) -> None:
    with_model(scene)
    with scene.serving():
        first = conversation(scene)
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=first)
        view = rita.wait_for_view("Summary")
        [ana] = [one for one in scene.thread(first) if "root cause" in one.words]
        scene.person("ana").delete(ana)
        rita.submit()
        shared = scene.waits(
            lambda: next((one for one in scene.thread(first) if "Shared by" in one.words), None),
            "the shared summary",
        )

        assert "Ana names the new import." in view.words
        assert "Summary of 4 messages" in shared.words
        assert "new import" not in shared.words


def test_no_part_of_a_secret_is_quoted_where_a_message_is_cut(scene: Scene) -> None:
    token = scene.stage.slack.bot_token
    half = len(token) // 2
    with scene.serving():
        words = ("we must note " * 30)[: LONGEST_QUOTE - 1 - half] + token
        first = said_by(scene, "sam", f"{words} and that is all")
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=first)
        view = rita.wait_for_view("Summary")

        assert "we must note" in view.words
        assert token[:half] not in view.words


def test_a_summary_is_shared_once_and_holds_what_was_seen(scene: Scene) -> None:
    with scene.serving():
        first = conversation(scene)
        rita = scene.person("rita")
        for later in ("Nobody should see the blue banana here.", "Nor this."):
            rita.shortcut(SUMMARISE, message=first)
            rita.wait_for_view("Summary")
            said_by(scene, "ben", later, thread=first)
            rita.submit()
            scene.waits(lambda: not rita.view, "the modal to close")
            scene.waits(
                lambda: "Shared by" in "".join(one.words for one in scene.thread(first)), "it"
            )
        shared = [one for one in scene.thread(first) if "Shared by" in one.words]

        assert "blue banana" not in shared[0].words


def test_where_the_bot_is_not_it_says_how_to_let_it_in(scene: Scene) -> None:
    with scene.serving():
        message = scene.person("rita").say("hello", channel="#general")
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=message)

        assert "Invite me here" in rita.wait_for_view("not in this channel").words


def test_slack_that_does_not_answer_is_said_so(scene: Scene) -> None:
    with scene.serving():
        message = said_by(scene, "rita", "hello")
        scene.stage.slack.faults.next("conversations.replies", refuse("fatal_error"))
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=message)

        assert "Try again in a moment" in rita.wait_for_view("could not be asked").words


def test_the_thread_of_a_run_is_told_by_its_entries(scene: Scene) -> None:
    with scene.serving():
        root = asked_for(scene, said_by(scene, "rita", "came broken"))
        scene.card(root)
        said_by(scene, "sam", "Should we not ask the customer first?", thread=root)
        rita = scene.person("rita")
        rita.shortcut(SUMMARISE, message=root)
        view = rita.wait_for_view("Summary")

        assert "rita started “Refund a customer”" in view.words
        assert "Approval was asked of @finance-leads" in view.words
        assert "Should we not ask the customer first?" in view.words
        assert "1 message of 1 person" in view.words

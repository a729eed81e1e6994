"""A Workflow Builder workflow waits for an approval: it goes on, or it stops and says why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import events
from sandbox.faults import lose_answer, rate_limited, refuse, reset
from sandbox.records import Execution
from sandbox.seen import SeenMessage
from storage.listing import Wanted, list_runs
from tests.journeys.company import Scene, calm_stage
from tests.sandbox.payload_checks import complaints_about

STEP = "request_approval"
SUCCESS, ERROR = "functions.completeSuccess", "functions.completeError"


@pytest.fixture(params=["socket", "http"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with calm_stage(tmp_path) as stage:
        yield Scene(stage=stage, over=request.param)
        assert complaints_about(stage.slack.recorder) == []


def comes_to_it(scene: Scene, **others: str) -> Execution:
    given = {"title": "Buy <!channel> *chairs*", "details": "Ten of them", "requester": "U0RITA"}
    return scene.stage.slack.workspace.run_step(STEP, {**given, **others})


def root_of(scene: Scene) -> SeenMessage:
    return scene.waits(
        lambda: next((one for one in scene.roots() if "Approval" in one.words), None),
        "the run's first message",
    )


def settled(scene: Scene, step: Execution) -> Execution:
    scene.waits(lambda: step.state != "running", "the step to be told")
    return step


def decides(scene: Scene, name: str, button: str, card: SeenMessage) -> None:
    person = scene.person(name)
    person.click(button, message=card)
    person.wait_for_view("")
    person.submit({next(iter(person.wait_for_view("").fields)): "We sit on the floor."})


def test_once_it_is_approved_the_workflow_goes_on(scene: Scene) -> None:
    with scene.serving():
        step = comes_to_it(scene)
        root = root_of(scene)
        card = scene.card(root)
        assert "Approve “Buy <!channel>" in card.words
        assert "Details: Ten of them" in card.words
        assert "asked by @rita" in card.words
        assert "Asked for by @rita by a step of Workflow Builder" in root.words
        assert step.state == "running"
        decides(scene, "ivan", card.buttons[0], card)

        assert settled(scene, step).state == "completed"
        assert step.outputs["approved_by"] == "ivan"
        assert step.outputs["link"].endswith(f"/p{root.ts.replace('.', '')}")
        scene.ends(root, "done")
        assert len(scene.stage.slack.recorder.calls(SUCCESS)) == 1


def test_once_it_is_rejected_the_workflow_stops_and_says_why(scene: Scene) -> None:
    with scene.serving():
        step = comes_to_it(scene)
        card = scene.card(root_of(scene))
        decides(scene, "ivan", "Reject", card)

        assert settled(scene, step).state == "failed"
        assert step.error == "Rejected by ivan: We sit on the floor."
        assert scene.stage.slack.recorder.calls(SUCCESS) == []


def test_a_cancelled_run_stops_it_too(scene: Scene) -> None:
    with scene.serving() as bot:
        step = comes_to_it(scene)
        scene.card(root_of(scene))
        (run,) = list_runs(bot.core.store.database, Wanted())
        scene.person("rita").command(f"/ops cancel {run.id} no money", channel="#ops")

        assert settled(scene, step).state == "failed"
        assert step.error.startswith("The run was cancelled by rita: no money")


def test_whoever_asks_by_a_step_never_decides(scene: Scene) -> None:
    with scene.serving():
        step = comes_to_it(scene, requester="U0PETRA")
        card = scene.card(root_of(scene))
        scene.person("petra").click("Reject", message=card)

        assert step.state == "running"
        assert "Reject" in scene.now(card).buttons


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"requester": "U0OMAR"}, "You may not run request-approval."),
        ({"requester": "U0GIL"}, "guests do not decide"),
        ({"title": "x" * 301}, "title: must have at most 300 characters"),
    ],
)
def test_what_cannot_be_asked_stops_the_workflow_at_once(
    scene: Scene, given: dict[str, str], why: str
) -> None:
    with scene.serving():
        step = comes_to_it(scene, **given)

        assert settled(scene, step).state == "failed"
        assert why in step.error
        assert scene.roots() == []


def test_an_answer_that_was_lost_is_not_given_twice(scene: Scene) -> None:
    with scene.serving():
        scene.stage.slack.faults.next(SUCCESS, lose_answer())
        step = comes_to_it(scene)
        root = root_of(scene)
        card = scene.card(root)
        decides(scene, "ivan", card.buttons[0], card)
        scene.ends(root, "done")

        assert settled(scene, step).state == "completed"
        assert sum(one.ok for one in scene.stage.slack.recorder.calls(SUCCESS)) == 1


def test_slack_that_is_away_is_told_later(scene: Scene) -> None:
    with scene.serving():
        for fault in (reset(), rate_limited(1)):
            scene.stage.slack.faults.next(ERROR, fault)
        step = comes_to_it(scene)
        card = scene.card(root_of(scene))
        decides(scene, "ivan", "Reject", card)

        assert settled(scene, step).state == "failed"


def test_a_bot_that_was_away_meanwhile_still_answers(scene: Scene) -> None:
    with scene.serving():
        step = comes_to_it(scene)
        card = scene.card(root_of(scene))
    with scene.serving():
        decides(scene, "ivan", card.buttons[0], card)

        assert settled(scene, step).state == "completed"


def test_a_token_that_has_ended_is_no_obstacle(scene: Scene) -> None:
    with scene.serving():
        step = comes_to_it(scene)
        card = scene.card(root_of(scene))
        step.token_expires = 0.0
        decides(scene, "ivan", card.buttons[0], card)

        assert settled(scene, step).state == "completed"


def test_the_token_of_a_step_is_in_no_column_in_the_clear(scene: Scene) -> None:
    with scene.serving() as bot:
        step = comes_to_it(scene)
        scene.card(root_of(scene))
        files = [one for one in bot.core.settings.home.rglob("*") if one.is_file()]

        assert all(step.token.encode() not in one.read_bytes() for one in files)
        with bot.core.memory.database.read() as connection:
            kept = connection.exec_driver_sql("SELECT count(*) FROM step_token").scalar()
        assert kept == 1


def test_the_same_event_again_starts_nothing_more(scene: Scene) -> None:
    with scene.serving() as bot:
        step = comes_to_it(scene)
        scene.card(root_of(scene))
        (event,) = scene.stage.slack.recorder.deliveries("function_executed")
        events.function_executed(scene.stage.slack.hub, step)
        scene.waits(
            lambda: all(
                one.settled for one in scene.stage.slack.recorder.deliveries("function_executed")
            ),
            "the second delivery",
        )

        assert event.acked
        assert len(list_runs(bot.core.store.database, Wanted())) == 1


def test_a_step_whose_people_cannot_be_read_is_asked_again_and_at_last_refused(
    scene: Scene,
) -> None:
    with scene.serving():
        scene.stage.slack.faults.next("users.info", refuse("fatal_error"), times=100)
        step = comes_to_it(scene)

        assert settled(scene, step).state == "failed"
        assert "could not be asked" in step.error
        assert len(scene.stage.slack.recorder.deliveries("function_executed")) == 4


def test_a_step_is_taken_up_once_slack_can_say_who_asks(scene: Scene) -> None:
    with scene.serving():
        scene.stage.slack.faults.next("users.info", refuse("fatal_error"), times=1)
        comes_to_it(scene)

        assert "Ten of them" in scene.card(root_of(scene)).words

"""A workflow that asks, branches, loops, waits and calls another, from the command to its end."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.seen import SeenMessage
from tests.journeys.company import SHIPPED, Scene, calm_stage

TAKE_STOCK = """
workflow: take-stock
title: Take stock of orders
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
steps:
  - id: which
    title: Which orders
    ask:
      of: ["@finance-leads"]
      question: "How many orders are to be looked at?"
      fields:
        most: {type: integer, minimum: 1, maximum: 3, title: Orders}
      expires: 1h
  - id: sides
    parallel:
      shop:
        - id: each
          foreach: '${{ ["ord_1001", "ord_1002", "ord_1003"] }}'
          as: order
          max_parallel: 2
          steps:
            - id: look
              uses: http.request
              with: {service: shop, path: "/orders/${{ order }}"}
              returns: {body: {paid: integer}}
      clock:
        - {id: breathe, wait: 1s}
  - id: tell
    when: steps.each.output.done >= steps.which.output.most
    workflow: tell-result
    inputs: {count: "${{ steps.each.output.done }}"}
"""
TELL = """
workflow: tell-result
title: Tell the result
owner: "@finance-ops"
deputy: "@support-leads"
inputs:
  count: {type: integer}
steps:
  - id: post
    uses: slack.post
    with: {channel: "#ops", text: "${{ inputs.count }} orders were looked at."}
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    files = tmp_path / "files"
    shutil.copytree(SHIPPED, files)
    (files / "take-stock.yaml").write_text(TAKE_STOCK)
    (files / "tell-result.yaml").write_text(TELL)
    with calm_stage(tmp_path / "home", files) as stage:
        yield Scene(stage=stage, over="socket")


def question(scene: Scene, root: SeenMessage) -> SeenMessage:
    return scene.waits(
        lambda: next((one for one in scene.thread(root) if "Answer" in one.buttons), None),
        "the question",
    )


def started(scene: Scene) -> SeenMessage:
    scene.person("rita").command("/ops run take-stock", channel="#ops")
    return scene.waits(
        lambda: next((one for one in scene.roots() if "Take stock" in one.words), None),
        "the run's first message",
    )


def test_people_answer_a_form_and_the_run_goes_on_with_it_to_its_end(scene: Scene) -> None:
    with scene.serving():
        root = started(scene)
        card = question(scene, root)
        ana = scene.person("ana")
        ana.click("Answer", message=card)
        ana.wait_for_view("How many orders")
        ana.submit({"Orders": "2"})
        ended = scene.ends(root, "done")
        posted = scene.waits(
            lambda: next((one for one in scene.roots() if "3 orders were" in one.words), None),
            "what the called workflow posts",
        )

        answered = scene.closed(card)
        assert "Orders: 2" in answered.words
        assert not answered.buttons
        assert "3 of 3 items" in ended
        assert posted is not None


def test_whoever_was_not_asked_hears_it_at_the_click_and_whoever_is_too_late_who_was_first(
    scene: Scene,
) -> None:
    with scene.serving():
        card = question(scene, started(scene))
        sam, ben, ana = (scene.person(one) for one in ("sam", "ben", "ana"))
        sam.click("Answer", message=card)
        sam.wait_for_ephemeral("not among the people who were asked")
        ben.click("Answer", message=card)
        ben.wait_for_view("How many orders")
        assert sam.view is None
        assert "Answer" in scene.now(card).buttons

        ana.click("Answer", message=card)
        ana.wait_for_view("How many orders")
        ben.submit({"Orders": "2"})
        ana.submit({"Orders": "3"})
        ana.wait_for_view("answered already, by ben")


def test_a_cancelled_run_takes_its_question_back(scene: Scene) -> None:
    with scene.serving():
        root = started(scene)
        card = question(scene, root)
        scene.person("rita").command(f"/ops cancel {run_of(root)} no need", channel="#ops")
        scene.ends(root, "cancelled")
        scene.waits(lambda: None if scene.now(card).buttons else True, "the card's new state")

        assert "not asked any more" in scene.now(card).words


def run_of(root: SeenMessage) -> str:
    return root.words.split("Run ")[1].split()[0].strip("`")

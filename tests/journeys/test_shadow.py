"""A refund in shadow: planned in its thread, done by hand, and said by a person."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.company import SHIPPED, Scene, calm_stage

SHADOW = """
production: {runs: 5, error_budget: {failures: 1, runs: 20}, shadow: [refund-customer]}
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    files = tmp_path / "files"
    shutil.copytree(SHIPPED, files)
    with (files / "demo-policy.yaml").open("a") as policy:
        policy.write(SHADOW)
    with calm_stage(tmp_path / "home", files) as stage:
        yield Scene(stage=stage, over="socket")


def test_what_would_be_done_is_shown_and_what_was_done_is_said_with_a_button(scene: Scene) -> None:
    with scene.serving():
        scene.person("rita").command(
            "/ops run refund-customer order=ord_1001 amount=500 reason=broken", channel="#ops"
        )
        root = scene.waits(lambda: next(iter(scene.roots()), None), "the run's first message")
        card = scene.waits(
            lambda: next((one for one in scene.thread(root) if "Answer" in one.buttons), None),
            "the question",
        )
        assert "In shadow" in scene.now(root).words
        assert "Would have: POST" in card.words
        assert "Would have asked: 1 of @finance-leads" in card.words
        assert not any("Approve" in one.buttons for one in scene.thread(root))

        owner = scene.person("omar")
        owner.click("Answer", message=card)
        owner.wait_for_view("Would have")
        owner.submit({"What was done by hand, held against this": "same"})
        ended = scene.ends(root, "over, in shadow: it changed nothing")

        assert "Approve" not in ended
        owner.command("/ops readiness refund-customer", channel="#ops")
        scene.waits(
            lambda: next(
                (one for one in owner.ephemerals if "as planned in 1 of 1 run" in one.words), None
            ),
            "what is said of shadow runs",
        )

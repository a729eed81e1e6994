"""A disk that is full: the person is told, nothing is lost, and it goes on when there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.opening import begin_log, open_memory
from bot.settings import Settings
from sandbox.demo.stage import Stage
from tests.journeys.company import OPS, Scene, calm_stage
from workflows.errors import StorageUnavailableError

SIZE = 16 * 2**20
FORM = {"Order": "ord_1500", "Amount in cents": "500", "Reason": "Broken"}


@contextmanager
def small_disk(folder: Path, *, size: int = SIZE) -> Iterator[None]:
    """Mount a small disk of memory there; where that is not allowed the test is skipped."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a disk of its own can be mounted only by root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until nothing fits any more."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    home = tmp_path / "disk"
    with small_disk(home), calm_stage(tmp_path / "stage") as stage:
        yield Scene(stage=_at(stage, home), over="socket")


def _at(stage: Stage, home: Path) -> Stage:
    """Return the stage with the bot's own files on the small disk, its targets elsewhere."""
    for name in ("workflows", "policy.yaml"):
        (home / name).symlink_to(stage.home / name)
    return Stage(
        home=home,
        slack=stage.slack,
        shop=stage.shop,
        accounts=stage.accounts,
        releases=stage.releases,
    )


def test_a_full_disk_is_said_and_everything_goes_on_once_there_is_room(scene: Scene) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        ballast = fill(scene.stage.home)
        ana, rita = scene.person("ana"), scene.person("rita")
        ana.click(card.buttons[0], message=card)
        told = ana.wait_for_ephemeral("").words
        rita.command('/ops run refund-customer order=ord_1501 amount=5 reason="x y"', channel=OPS)
        refused = rita.wait_for_ephemeral("").words
        assert scene.stage.shop.effects("ord_1500") == []
        ballast.unlink()
        ana.click(card.buttons[0], message=card)
        scene.ends(root, "done")

    assert "The disk is full" in told
    assert "The disk is full" in refused
    assert [one.amount for one in scene.stage.shop.effects("ord_1500")] == [500]
    assert len(scene.roots()) == 1


def test_a_bot_that_is_started_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk):
        settings = Settings(home=disk / "home")
        begin_log(settings).database.close()
        fill(disk)
        with pytest.raises(StorageUnavailableError, match="disk is full"):
            open_memory(settings)

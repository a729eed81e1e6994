"""The disk of a Postgres server is full: people are told, and it goes on once there is room."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.targets.shop_faults import Fault
from tests.journeys.company import OPS
from tests.journeys.crowd import (
    Crowd,
    core_beside,
    patient_crowd,
    start_paying,
    wait_until,
)
from tests.journeys.test_full_disk import fill, small_disk
from tests.private_postgres import PrivatePostgres, private_postgres

SIZE = 200 * 2**20  # An empty server takes 41.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk that the user may read as whom the server runs.

    It lies apart: another pytest session closes the folder that all of them share to that user.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-disk-") as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent, "disk")
        with small_disk(folder, size=SIZE):
            folder.chmod(0o777)
            yield folder


@pytest.fixture
def server(disk: Path) -> Iterator[PrivatePostgres]:
    with private_postgres(disk) as started:
        yield started


@pytest.fixture
def crowd(tmp_path: Path, server: PrivatePostgres) -> Iterator[Crowd]:
    with patient_crowd(tmp_path / "stage", server.url) as made:
        yield made


def test_what_was_under_way_is_recorded_once_there_is_room(crowd: Crowd, disk: Path) -> None:
    crowd.begin("serve", "--no-worker")
    working = crowd.begin("worker")
    rita = crowd.stage.slack.workspace.person("rita")
    with core_beside(crowd) as core:
        crowd.stage.shop.faults.switch_on(Fault.SLOW, times=2, seconds=3)
        run = start_paying(core, "ord_1301")
        wait_until(lambda: bool(crowd.paid()), "the payment")
    ballast = fill(disk)
    wait_until(lambda: "disk is full" in working.log, "a word of the worker")
    asked = 1400
    while not rita.ephemerals:  # What a page still has room for is recorded.
        asked += 1
        rita.command(f"/ops run pay-back order=ord_{asked}", channel=OPS)
    told = rita.wait_for_ephemeral("disk is full").words
    ballast.unlink()
    wait_until(lambda: set(crowd.statuses().values()) == {"done"}, "the end of the runs")

    assert "Nothing was recorded. Free some space on it" in told
    assert crowd.statuses()[run] == "done"
    assert len(crowd.paid()) == len(set(crowd.paid())) == len(crowd.statuses())
    assert f"ord_{asked}" not in crowd.paid()

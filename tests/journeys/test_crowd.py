"""Real processes on one Postgres: killed, frozen, many at once, each run still once."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.targets.shop_faults import Fault
from tests.journeys.company import calm_stage
from tests.journeys.crowd import (
    PATIENCE,
    PAY_BACK,
    Crowd,
    core_beside,
    crowded,
    start_paying,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def crowd(tmp_path: Path, postgres_url: str) -> Iterator[Crowd]:
    with calm_stage(tmp_path / "stage") as stage:
        stage.slack.hub.rates.scale = None
        with crowded(stage, postgres_url) as made:
            yield made
            made.verifies()


def all_are(crowd: Crowd, status: str, count: int) -> bool:
    return Counter(crowd.statuses().values()) == {status: count}


def kinds(crowd: Crowd, run: str) -> list[str]:
    found = crowd.query("SELECT kind FROM audit_entry WHERE run_id = %s ORDER BY rseq", run)
    return [one[0] for one in found]


def test_the_runs_of_a_killed_worker_are_handed_on_and_each_pays_once(crowd: Crowd) -> None:
    crowd.begin("serve", "--no-worker")
    doomed = crowd.begin("worker", "--concurrency", "3")
    orders = [f"ord_{number}" for number in range(1301, 1307)]
    with core_beside(crowd) as core:
        crowd.stage.shop.faults.switch_on(Fault.SLOW, times=6, seconds=1)
        for order in orders:
            start_paying(core, order)
        wait_until(lambda: bool(crowd.paid()), "the first payment")
    doomed.kill()
    crowd.begin("worker")
    wait_until(lambda: all_are(crowd, "done", len(orders)), "the end of all runs")

    assert sorted(crowd.paid()) == orders


def test_a_worker_frozen_in_an_effect_settles_the_doubt_when_it_wakes(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_frozen = threading.Event()

    def holds() -> None:
        if crowd.paid():  # The money has moved; the answer finds nobody awake.
            is_frozen.wait(PATIENCE)

    monkeypatch.setattr(crowd.stage.shop.faults, "dawdle", holds)
    blind = PAY_BACK.replace(
        "service: shop\n      method: POST", "service: till\n      method: POST"
    )
    file = crowd.stage.workflows / "pay-back.yaml"
    file.write_text(blind.replace("timeout: 2s", "timeout: 5m"))
    crowd.begin("serve", "--no-worker")
    frozen = crowd.begin("worker")
    with core_beside(crowd) as core:
        run = start_paying(core, "ord_1301")
        wait_until(lambda: bool(crowd.paid()), "the payment")
    frozen.freeze()
    is_frozen.set()
    other = crowd.begin("worker")
    wait_until(lambda: crowd.statuses()[run] == "in_doubt", "the doubt")
    assert "a run was taken over from a worker that is gone" in other.log
    frozen.thaw()
    wait_until(lambda: crowd.statuses()[run] == "done", "the end of the run")
    wait_until(lambda: not crowd.query("SELECT 1 FROM procrastinate_jobs"), "an empty queue")

    assert crowd.paid() == ["ord_1301"]
    assert "action.in_doubt" in kinds(crowd, run)
    resolved = crowd.query(
        "SELECT line FROM audit_entry WHERE run_id = %s AND kind = 'action.resolved'", run
    )
    assert [("late_reply" in one[0]) for one in resolved] == [True]


@pytest.mark.trap(22)
def test_two_that_serve_and_two_that_work_do_each_run_of_a_burst_once(crowd: Crowd) -> None:
    crowd.begin("serve")
    crowd.begin("serve")
    crowd.begin("worker")
    crowd.begin("worker")
    orders = [f"ord_{number}" for number in range(1301, 1361)]
    with core_beside(crowd) as core:
        runs = [start_paying(core, order) for order in orders]
    wait_until(lambda: all_are(crowd, "done", len(orders)), "the end of all runs")
    roots = crowd.stage.slack.workspace.messages("#ops")
    marks = Counter(str(one.metadata) for one in roots if one.metadata is not None)

    assert sorted(crowd.paid()) == orders
    assert set(crowd.statuses()) == set(runs)
    assert set(marks.values()) == {1}  # No thread was begun twice.

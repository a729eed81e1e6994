"""A bot whose figures are read while people work."""

from pathlib import Path

import httpx

from sandbox.ports import free_port
from tests.exposition import read
from tests.journeys.company import PATIENCE
from tests.journeys.day import Case, day_at_work


def test_the_figures_of_a_bot_at_work_can_be_read_while_it_works(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with day_at_work(tmp_path, api=lambda _: address) as day:
        case = Case(day)
        root = case.asks()
        case.approves("ana", case.card(root))
        case.ends(root, "done")
        found = read(httpx.get(f"http://{address}/metrics", timeout=PATIENCE).text)
        ready = httpx.get(f"http://{address}/readyz", timeout=PATIENCE).json()

    done = {"workflow": "refund-customer", "outcome": "done"}
    assert ready == {"ready": True, "database": "ok", "head": "ok", "slack": "ok"}
    assert found.value("interlock_ready", part="slack") == 1
    assert found.value("interlock_click_ack_seconds_count") >= 3
    assert found.value("interlock_commit_seconds_count") > 5
    assert found.value("interlock_runs_ended_total", **done) == 1

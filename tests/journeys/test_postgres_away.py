"""Postgres goes away for a while: nothing is lost, the bot says so, and goes on by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.targets.shop_faults import Fault
from tests.journeys.company import OPS
from tests.journeys.crowd import (
    PAY_BACK,
    Crowd,
    core_beside,
    patient_crowd,
    start_paying,
    wait_until,
)
from tests.private_postgres import PrivatePostgres, private_postgres

# Longer than a silent worker is given, and an effect that takes longer than both.
OUTAGE, ANSWER = 40.0, 30.0
WRITTEN = "SELECT (SELECT count(*) FROM audit_entry), (SELECT max(id) FROM outbox)"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    with private_postgres() as started:
        yield started


@pytest.fixture
def crowd(tmp_path: Path, server: PrivatePostgres) -> Iterator[Crowd]:
    with patient_crowd(tmp_path / "stage", server.url) as made:
        yield made


def kinds(crowd: Crowd, run: str) -> set[str]:
    found = crowd.query("SELECT kind FROM audit_entry WHERE run_id = %s", run)
    return {one[0] for one in found}


def listeners(crowd: Crowd) -> int:
    found = crowd.query("SELECT 1 FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')")
    return len(found)


def test_what_was_under_way_is_recorded_and_people_are_told_meanwhile(
    crowd: Crowd, server: PrivatePostgres
) -> None:
    serving = crowd.begin("serve")
    working = crowd.begin("worker")
    rita = crowd.stage.slack.workspace.person("rita")
    with core_beside(crowd) as core:
        crowd.stage.shop.faults.switch_on(Fault.SLOW, times=2, seconds=3)
        run = start_paying(core, "ord_1301")
        wait_until(lambda: bool(crowd.paid()), "the payment")
    server.stop()
    rita.command("/ops runs", channel=OPS)
    rita.wait_for_ephemeral("The database cannot be reached.")
    time.sleep(8)  # The answer of the shop comes in vain meanwhile, and beats are missed.
    assert serving.popen.poll() is None
    assert working.popen.poll() is None
    server.start()
    wait_until(lambda: crowd.statuses()[run] == "done", "the end of the run")

    assert crowd.paid() == ["ord_1301"]
    assert "action.in_doubt" not in kinds(crowd, run)
    assert rita.command("/ops runs", channel=OPS).acked
    rita.command("/ops run pay-back order=ord_1302", channel=OPS)
    wait_until(lambda: "ord_1302" in crowd.paid(), "a payment asked for in Slack")


def test_workers_listen_again_so_that_work_begins_at_once(
    crowd: Crowd, server: PrivatePostgres
) -> None:
    crowd.begin("serve", "--no-worker")
    working = crowd.begin("worker")
    server.stop()
    wait_until(lambda: "the job queue waits for the database" in working.log, "a word of it")
    server.start()
    wait_until(lambda: "the job queue goes on" in working.log, "a word of its end")
    wait_until(lambda: listeners(crowd) > 0, "a worker that listens")
    with core_beside(crowd) as core:
        waits = []
        for number in range(1301, 1306):
            asked = time.monotonic()
            start_paying(core, f"ord_{number}")
            wait_until(lambda name=f"ord_{number}": name in crowd.paid(), "the payment")
            waits.append(time.monotonic() - asked)

    # Without notices each of them would wait until work is looked for, every five seconds.
    assert sum(waits) / len(waits) < 4


def test_after_an_outage_no_worker_takes_another_for_gone(
    crowd: Crowd, server: PrivatePostgres
) -> None:
    file = crowd.stage.workflows / "pay-back.yaml"
    file.write_text(PAY_BACK.replace("timeout: 2s", "timeout: 5m"))
    crowd.begin("serve", "--no-worker")
    workers = [crowd.begin("worker", "--concurrency", "2") for _ in range(2)]
    orders = ["ord_1301", "ord_1302", "ord_1303"]
    with core_beside(crowd) as core:
        # The shop answers every payment only when the server has been back for a while.
        crowd.stage.shop.faults.switch_on(Fault.SLOW, times=6, seconds=ANSWER)
        runs = [start_paying(core, order) for order in orders]
        wait_until(lambda: sorted(crowd.paid()) == orders, "the payments")
    server.stop()
    time.sleep(OUTAGE)
    server.start()
    wait_until(lambda: set(crowd.statuses().values()) == {"done"}, "the end of all runs")

    assert sorted(crowd.paid()) == orders
    assert all("action.in_doubt" not in kinds(crowd, run) for run in runs)
    assert all("taken over" not in one.log for one in workers)


def set_read_only(server: PrivatePostgres, value: str) -> None:
    said = "-c default_transaction_read_only=off"
    with psycopg.connect(server.url, autocommit=True, options=said) as owner:
        (name,) = owner.execute("SELECT quote_ident(current_database())").fetchone() or ("",)
        owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        owner.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = 'interlock'"
        )


def test_nothing_is_written_while_the_database_is_read_only_and_all_goes_on_afterwards(
    crowd: Crowd, server: PrivatePostgres
) -> None:
    serving, working = crowd.begin("serve"), crowd.begin("worker")
    rita = crowd.stage.slack.workspace.person("rita")
    rita.command("/ops run pay-back order=ord_1301", channel=OPS)
    wait_until(lambda: "ord_1301" in crowd.paid(), "a payment")
    wait_until(lambda: set(crowd.statuses().values()) == {"done"}, "the end of the run")
    set_read_only(server, "on")
    before = crowd.query(WRITTEN)
    rita.command("/ops run pay-back order=ord_1302", channel=OPS)
    rita.wait_for_ephemeral("The database takes no changes")
    time.sleep(6)  # What comes due meanwhile waits as well.

    assert crowd.query(WRITTEN) == before
    assert (serving.popen.poll(), working.popen.poll()) == (None, None)

    set_read_only(server, "off")
    rita.command("/ops run pay-back order=ord_1303", channel=OPS)
    wait_until(lambda: "ord_1303" in crowd.paid(), "a payment afterwards")

    assert crowd.paid() == ["ord_1301", "ord_1303"]
    assert '"exception"' not in serving.log + working.log

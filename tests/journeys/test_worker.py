"""`interlock worker` and `serve --no-worker`: where they run, and where they are refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.stage import Stage
from tests.journeys.company import calm_stage
from tests.journeys.crowd import Crowd, core_beside, crowded, start_paying, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with calm_stage(tmp_path / "stage") as made:
        yield made


@pytest.fixture
def crowd(stage: Stage, postgres_url: str) -> Iterator[Crowd]:
    with crowded(stage, postgres_url) as made:
        yield made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("worker",), "A worker needs Postgres"),
        (("serve", "--no-worker"), "On SQLite nobody else can continue the runs."),
    ],
)
def test_on_sqlite_it_is_refused_and_said_why(
    stage: Stage, words: tuple[str, ...], told: str
) -> None:
    done = Crowd(stage=stage, url="").run(stage.home, *words)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_before_anything_was_published_is_refused(crowd: Crowd) -> None:
    done = crowd.run(crowd.home("early"), "worker")

    assert done.returncode == 2
    assert "No policy has been published yet." in done.stderr


def test_a_worker_under_another_policy_than_the_one_in_force_is_refused(crowd: Crowd) -> None:
    crowd.begin("serve", "--no-worker")
    crowd.stage.policy.write_text(crowd.stage.policy.read_text().replace("24h", "23h"))
    done = crowd.run(crowd.home("other"), "worker")

    assert done.returncode == 2
    assert "not the policy in force" in done.stderr


def test_a_worker_on_the_home_of_another_process_is_refused_and_told_which(crowd: Crowd) -> None:
    serving = crowd.begin("serve", "--no-worker")
    done = crowd.run(serving.home, "worker")

    assert done.returncode == 2
    assert f"Process {serving.popen.pid}" in done.stderr


def test_one_that_serves_without_working_leaves_runs_until_a_worker_comes(crowd: Crowd) -> None:
    crowd.begin("serve", "--no-worker")
    with core_beside(crowd) as core:
        run = start_paying(core, "ord_1301")
    held = crowd.query("SELECT lock, status FROM procrastinate_jobs")
    worker = crowd.begin("worker", "--concurrency", "1")
    wait_until(lambda: crowd.statuses()[run] == "done", "the end of the run")
    code = worker.stop()
    starts = crowd.query("SELECT count(*) FROM audit_entry WHERE kind = 'service.started'")

    assert held == [(run, "todo")]
    assert code == 0
    assert starts == [(2,)]
    assert crowd.query("SELECT count(*) FROM procrastinate_workers") == [(0,)]


def test_a_worker_ends_when_another_policy_comes_into_force(crowd: Crowd) -> None:
    serving = crowd.begin("serve", "--no-worker")
    worker = crowd.begin("worker")
    serving.stop()
    crowd.stage.policy.write_text(crowd.stage.policy.read_text().replace("24h", "23h"))
    crowd.begin("serve", "--no-worker")
    wait_until(lambda: worker.popen.poll() is not None, "the end of the worker")

    assert "Another policy is in force by now." in worker.log


def test_a_command_on_a_workers_machine_publishes_nothing(crowd: Crowd) -> None:
    crowd.begin("serve")
    home = crowd.home("bare")
    (home / "workflows").mkdir()
    bare = {**crowd.environment(home), "INTERLOCK_WORKFLOWS": str(home / "workflows")}
    values = ("pay-back", "order=ord_1301", "--channel", "ops", "--json")
    done = crowd.run(home, "run", *values, environment=bare)
    run = json.loads(done.stdout)["run"]
    wait_until(lambda: crowd.statuses()[run] == "done", "the end of the run")
    retired = crowd.query("SELECT count(*) FROM audit_entry WHERE kind = 'workflow.retired'")

    assert done.returncode == 0, done.stderr
    assert retired == [(0,)]

"""`interlock serve` as a process of its own, and commands beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.running import ONE_WISH_SECONDS
from sandbox import faults as fault
from sandbox.demo.stage import Stage
from sandbox.ports import free_port
from tests.forked import Forked
from tests.journeys.company import OPS, Scene, calm_stage
from tests.journeys.terminal import PATIENCE, environment, interlock, serving

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with calm_stage(tmp_path) as made:
        yield made


def test_it_works_from_an_empty_home_with_nothing_but_tokens(tmp_path: Path) -> None:
    with calm_stage(tmp_path / "stage") as stage:
        bare = {
            "PATH": os.environ["PATH"],
            "INTERLOCK_HOME": str(tmp_path / "fresh"),
            "SLACK_API_URL": stage.slack.api_url,
            "SLACK_BOT_TOKEN": stage.slack.bot_token,
            "SLACK_APP_TOKEN": stage.slack.app_token,
        }
        program = Path(sys.executable).with_name("interlock")
        process = subprocess.Popen([program, "serve"], env=bare, stderr=subprocess.PIPE)
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
        rita = stage.slack.workspace.person("rita")
        outcome = rita.command("/ops help", channel=OPS).outcome
        process.terminate()
        process.communicate(timeout=PATIENCE)

    assert outcome == "acked"
    assert (tmp_path / "fresh" / "policy.yaml").exists()


def test_it_stops_within_seconds_of_being_told_to(stage: Stage) -> None:
    with serving(stage) as process:
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=PATIENCE)

    assert code == 0
    assert time.monotonic() - started < 10  # Two seconds on an idle machine.


def test_from_the_signal_on_it_is_not_ready_and_works_on_for_its_grace(stage: Stage) -> None:
    address = f"127.0.0.1:{free_port()}"
    given = {"INTERLOCK_METRICS": address, "INTERLOCK_STOP_GRACE": "60"}
    with serving(stage, **given) as process:
        before = httpx.get(f"http://{address}/readyz", timeout=PATIENCE)
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while (after := httpx.get(f"http://{address}/readyz", timeout=PATIENCE)).is_success:
            assert time.monotonic() < until
        acked = stage.slack.workspace.person("rita").command("/ops help", channel=OPS).outcome
        figures = httpx.get(f"http://{address}/metrics", timeout=PATIENCE).text
        time.sleep(ONE_WISH_SECONDS)
        process.send_signal(signal.SIGTERM)  # A second wish ends the grace.
        code = process.wait(timeout=PATIENCE)

    assert before.status_code == 200
    assert after.status_code == 503
    assert after.json()["process"] == "It is about to stop."
    assert 'interlock_ready{part="process"} 0' in figures
    assert acked == "acked"
    assert code == -signal.SIGTERM


def test_a_second_one_on_the_same_home_is_refused_and_told_who_serves(stage: Stage) -> None:
    with serving(stage) as process:
        second = interlock(stage, "serve")

    assert second.returncode == 2
    assert str(process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_on_postgres_too_a_second_one_on_the_same_home_is_refused(
    stage: Stage, postgres_url: str
) -> None:
    database = {"INTERLOCK_DATABASE_URL": postgres_url}
    begun = interlock(stage, "init", **database)
    with serving(stage, **database) as process:
        second = interlock(stage, "serve", **database)
        beside = interlock(stage, "audit", "head", "--json", **database)

    assert begun.returncode == 0, begun.stderr
    assert second.returncode == 2
    assert f"Process {process.pid}" in second.stderr
    assert beside.returncode == 0, beside.stderr
    assert json.loads(beside.stdout)["served"] is True


def test_a_run_started_beside_it_goes_through_it(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    values = ("order=ord_1001", "amount=500", "reason=broken")
    with serving(stage):
        started = interlock(stage, "run", "refund-customer", *values, "--json")
        assert started.returncode == 0, started.stderr
        told = json.loads(started.stdout)
        root = scene.waits(lambda: next(iter(scene.roots()), None), "the run's first message")
        card = scene.card(root)
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        shown = json.loads(interlock(stage, "show", told["run"], "--json").stdout)

    assert told["served"] is True
    assert shown["status"] == "done"
    assert [one.amount for one in stage.shop.effects("ord_1001")] == [500]


def test_a_run_started_while_nobody_serves_waits_for_the_next_one(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    values = ("order=ord_1001", "amount=500", "reason=broken", "--key", "ticket-7")
    first = json.loads(interlock(stage, "run", "refund-customer", *values, "--json").stdout)
    again = json.loads(interlock(stage, "run", "refund-customer", *values, "--json").stdout)
    with serving(stage):
        root = scene.waits(lambda: next(iter(scene.roots()), None), "the run's first message")
        scene.card(root)

    assert first["is_new"] is True
    assert (again["is_new"], again["run"]) == (False, first["run"])


def test_wrong_values_on_the_command_line_are_named_field_by_field(stage: Stage) -> None:
    with serving(stage):
        refused = interlock(stage, "run", "refund-customer", "order=8841", "--json")
    data = json.loads(refused.stdout)

    assert refused.returncode == 2
    assert set(data["fields"]) == {"order", "amount", "reason"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN: invalid_auth"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "SLACK_APP_TOKEN: invalid_auth"),
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set"),
    ],
)
def test_what_slack_does_not_take_is_said_in_one_sentence(
    stage: Stage, wrong: dict[str, str], told: str
) -> None:
    ended = interlock(stage, "serve", **wrong)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("answering", [False, True], ids=["nobody", "a broken proxy"])
def test_a_slack_that_is_away_is_not_taken_for_a_wrong_token(
    stage: Stage, *, answering: bool
) -> None:
    port = stage.slack.url.rpartition(":")[2] if answering else free_port()
    address = f"http://someone:hidden@127.0.0.1:{port}/nowhere/"
    ended = interlock(stage, "serve", SLACK_API_URL=address)

    assert ended.returncode == 2
    assert "Slack cannot be reached at 127.0.0.1 (" in ended.stderr
    assert "Start it again when Slack answers." in ended.stderr
    assert "SLACK_BOT_TOKEN" not in ended.stderr
    assert not (stage.home / "interlock.db").exists()


def test_a_slack_that_answers_slowly_at_the_start_is_waited_for(
    stage: Stage, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    stage.slack.faults.next("auth.test", fault.slow(3), times=5)
    with serving(stage, log=log):
        stage.slack.faults.clear()

    assert "Traceback" not in log.read_text()


def test_a_slack_that_is_lost_during_the_start_ends_it_in_words(stage: Stage) -> None:
    stage.slack.faults.next("auth.test", fault.slow(0))  # Ours is answered; Bolt asks once more.
    stage.slack.faults.next("auth.test", fault.lose_answer(), times=9)
    ended = interlock(stage, "serve")
    stage.slack.faults.clear()

    assert ended.returncode == 2, ended.stderr
    assert "Slack cannot be reached at 127.0.0.1 (no_answer)." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_head_that_was_given_out_is_checked_later(stage: Stage) -> None:
    with serving(stage):
        head = json.loads(interlock(stage, "audit", "head", "--json").stdout)
        note = stage.home / "head.note"
        note.write_text(head["note"])
    words = ("audit", "verify", "--vkey", head["vkey"], "--checkpoint", str(note), "--json")
    verified = interlock(stage, *words)

    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["ok"] is True


def test_a_broken_policy_stops_it_with_the_place_of_the_fault(stage: Stage) -> None:
    text = stage.policy.read_text()
    stage.policy.write_text(text.replace("approve: 1", "approve: 0", 1))
    ended = interlock(stage, "serve")

    assert ended.returncode == 2
    assert f"{stage.policy}:" in ended.stderr


def restore(database: Path, backup: bytes) -> None:
    """Put a backup in place, as the guide says: nothing of the newer log stays beside it."""
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    database.write_bytes(backup)


def test_a_restored_backup_is_refused_because_slack_remembers_more(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    database = stage.home / "interlock.db"
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", FORM))
        process.terminate()
        process.wait(timeout=PATIENCE)
    backup = database.read_bytes()
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", {**FORM, "Order": "ord_1002"}))
        process.terminate()
        process.wait(timeout=PATIENCE)
    restore(database, backup)
    ended = interlock(stage, "serve")
    typed = interlock(stage, "run", "nightly-check", "inactive_days=365")
    looked = interlock(stage, "doctor", "--json")

    assert [ended.returncode, typed.returncode] == [2, 2]
    assert "older copy" in ended.stderr
    assert "older copy" in typed.stderr
    head = next(one for one in json.loads(looked.stdout)["checks"] if one["check"] == "head")
    assert (head["state"], "older copy" in head["saw"]) == ("fail", True)


def test_a_decision_that_only_slack_remembers_is_noticed_too(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    database = stage.home / "interlock.db"
    with serving(stage) as process:
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        process.terminate()
        process.wait(timeout=PATIENCE)
    backup = database.read_bytes()
    with serving(stage) as process:
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        scene.waits(lambda: "head" in scene.now(card).words or None, "the receipt")
        process.terminate()
        process.wait(timeout=PATIENCE)
    restore(database, backup)
    ended = interlock(stage, "serve")

    assert ended.returncode == 2
    assert "Slack shows a head of" in ended.stderr


def test_a_new_log_in_the_same_channel_is_no_restored_backup(stage: Stage, tmp_path: Path) -> None:
    scene = Scene(stage=stage, over="socket")
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", FORM))
        process.terminate()
        process.wait(timeout=PATIENCE)
    fresh = environment(stage, INTERLOCK_HOME=str(tmp_path / "other"))
    process = Forked(["serve"], env=fresh)
    try:
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()


def test_effects_wait_until_slack_could_be_read_for_the_head(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    with serving(stage) as process:
        card = scene.card(scene.fills("rita", "refund-customer", FORM))
        process.terminate()
        process.wait(timeout=PATIENCE)
    stage.slack.faults.next("conversations.history", fault.server_error(), times=10_000)
    with serving(stage):
        root = scene.roots()[0]
        scene.person("ana").click(card.buttons[0], message=card)
        told = scene.waits(lambda: held(scene), "a word in the channel")
        scene.waits(lambda: "waits for the comparison" in scene.now(root).words or None, "a word")
        shown = json.loads(interlock(stage, "runs", "--json").stdout)["runs"][0]
        moved = stage.shop.effects("ord_1001")
        stage.slack.faults.clear()
        scene.ends(root, "done")
        scene.waits(lambda: "I could compare my log" in str(scene.roots()) or None, "the good end")

    assert "database is the newest" in told
    assert (shown["status"], moved) == ("waiting", [])
    assert len(stage.shop.effects("ord_1001")) == 1


def held(scene: Scene) -> str | None:
    return next((one.words for one in scene.roots() if "without being able" in one.words), None)


def test_a_restored_backup_that_slack_shows_only_later_ends_the_process(stage: Stage) -> None:
    scene = Scene(stage=stage, over="socket")
    database = stage.home / "interlock.db"
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", FORM))
        process.terminate()
        process.wait(timeout=PATIENCE)
    backup = database.read_bytes()
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", {**FORM, "Order": "ord_1002"}))
        process.terminate()
        process.wait(timeout=PATIENCE)
    restore(database, backup)
    stage.slack.faults.next("conversations.history", fault.server_error(), times=10_000)
    with serving(stage) as process:
        stage.slack.faults.clear()
        code = process.wait(timeout=PATIENCE)

    assert code == 2


def test_it_says_that_it_serves_once_a_connection_to_slack_stands(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, log = Scene(stage=stage, over="socket"), tmp_path / "log"
    nowhere = f"ws://127.0.0.1:{free_port()}/link"
    monkeypatch.setattr(stage.slack.hub.sockets, "issue_url", lambda: nowhere)
    process = Forked(["serve"], env=environment(stage), stderr=log)
    try:
        scene.waits(lambda: "Failed to establish" in log.read_text() or None, "a try")
        time.sleep(2.5)  # Whether it stands is looked at each second.
        before = log.read_text()
        monkeypatch.undo()
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
        scene.waits(lambda: '"event": "serving"' in log.read_text() or None, "the word")
    finally:
        process.kill()
        process.wait()

    assert '"event": "serving"' not in before

"""A backup made as the guide says, brought back too late, and the log that takes its place."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.demo.stage import Stage
from tests.forked import Forked
from tests.journeys.company import Scene, calm_stage
from tests.journeys.terminal import PATIENCE, environment, interlock, serving

RECORDING = (
    "audit export --out pack",
    "audit hold set run:r1 --reason court",
    "audit sweep",
    "keys rotate",
)
FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with calm_stage(tmp_path) as made:
        yield made


def _entries(database: Path) -> int:
    with closing(sqlite3.connect(database)) as beside:
        (count,) = beside.execute("SELECT count(*) FROM audit_entry").fetchone()
        return int(count)


def test_an_old_backup_is_refused_until_a_successor_log_names_the_last_head(
    stage: Stage, tmp_path: Path
) -> None:
    scene = Scene(stage=stage, over="socket")
    database, backup = stage.home / "interlock.db", tmp_path / "backup.db"
    with serving(stage) as process:
        scene.card(scene.fills("rita", "refund-customer", FORM))
        with closing(sqlite3.connect(database)) as beside:  # The bot goes on meanwhile.
            beside.execute("VACUUM INTO ?", (str(backup),))
        lost = scene.card(scene.fills("rita", "refund-customer", {**FORM, "Order": "ord_1002"}))
        head = json.loads(interlock(stage, "audit", "head", "--json").stdout)
        process.terminate()
        process.wait(timeout=PATIENCE)
    (note := tmp_path / "head").write_text(head["note"])
    for name in ("interlock.db-wal", "interlock.db-shm"):
        (stage.home / name).unlink(missing_ok=True)
    shutil.copy(backup, database)
    words = ("audit", "verify", "--vkey", head["vkey"], "--checkpoint", str(note), "--json")
    verified = interlock(stage, *words)
    refused = interlock(stage, "serve")
    before = _entries(database)
    recording = [interlock(stage, *typed.split()) for typed in RECORDING]
    printed = interlock(stage, "audit", "head")

    assert verified.returncode == 1
    assert json.loads(verified.stdout)["failures"][0][0] == "truncated"
    assert refused.returncode == 2
    assert "docs/operations says how to begin a successor log" in refused.stderr
    assert [one.returncode for one in recording] == [2, 2, 2, 2]
    assert all(one.stderr == refused.stderr for one in recording)
    assert printed.returncode == 0
    assert _entries(database) == before

    second = {
        "INTERLOCK_HOME": str(tmp_path / "second"),
        "INTERLOCK_ORIGIN": f"{head['origin']}/2",
    }
    begun = interlock(stage, "init", "--after", str(note), "--json", **second)
    process = Forked(["serve"], env=environment(stage, **second))
    try:
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
        root = scene.fills("rita", "refund-customer", {**FORM, "Order": "ord_1003"})
        card = scene.card(root)
        scene.person("ana").click(card.buttons[0], message=card)
        scene.ends(root, "done")
        scene.person("ana").click(lost.buttons[0], message=lost)
        scene.person("ana").wait_for_ephemeral("Its card is of a log before this one")
    finally:
        process.kill()
        process.wait()
    explained = interlock(stage, "audit", "explain", "0", **second).stdout
    key = ("--vkey", json.loads(begun.stdout)["vkey"])
    whole = interlock(stage, "audit", "verify", *key, "--json", **second)

    assert begun.returncode == 0, begun.stderr
    assert f"its head of {head['size']} entries, fingerprint {head['root'][:12]}" in explained
    assert json.loads(whole.stdout)["failures"] == []
    assert len(stage.shop.effects("ord_1003")) == 1
    assert stage.shop.effects("ord_1001") == []

"""A host as a process of its own, killed and started again, and commands beside it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import forked
from tests.forked import Forked
from tests.journeys.campus import ACME, GLOBEX, Campus, campus_at
from tests.journeys.terminal import PATIENCE


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    with campus_at(tmp_path) as opened:
        yield opened


@contextmanager
def process(campus: Campus, *words: str) -> Iterator[Forked]:
    log = Path(campus.environment["INTERLOCK_HOME"]).with_name("host.log")
    running = Forked(["serve", *words], env=env(campus), stderr=log)
    try:
        until_ready(campus, running)
        campus.stage.slack.deliver_over_http(f"{campus.url}/slack/events")
        yield running
    finally:
        running.kill()
        running.wait(PATIENCE)


def home_of_user(campus: Campus) -> Path:
    folder = Path(campus.environment["INTERLOCK_HOME"]).with_name("user")
    folder.mkdir(exist_ok=True)
    return folder


def env(campus: Campus, **others: str) -> dict[str, str]:
    given = {**campus.environment, "HOME": str(home_of_user(campus)), **others}
    return {"PATH": os.environ["PATH"], **{name: one for name, one in given.items() if one}}


def until_ready(campus: Campus, running: Forked) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and running.poll() is None:
        try:
            httpx.get(f"{campus.url}/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the host did not get ready")


def interlock(campus: Campus, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    return forked.interlock(*words, env=env(campus, **others), timeout=PATIENCE)


def data(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_a_host_that_is_killed_goes_on_for_everybody(campus: Campus) -> None:
    with process(campus) as first:
        campus.installs(ACME).raise_for_status()
        campus.installs(GLOBEX).raise_for_status()
        acme, globex = campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()
        root, other = acme.fills(), globex.fills(Order="ord_1002")
        card, second = acme.card(root), globex.card(other)
        first.kill()
        first.wait(PATIENCE)
    with process(campus):
        acme.approve(card)
        globex.approve(second, by="ben")
        acme.ends(root)
        globex.ends(other)

    assert len(campus.stage.shop.effects("ord_1001")) == 1
    assert len(campus.stage.shop.effects("ord_1002")) == 1
    # Bolt would keep files of its own there if it found the app's secret.
    assert list(home_of_user(campus).iterdir()) == []


def test_commands_are_about_the_workspace_that_is_named(campus: Campus) -> None:
    with process(campus):
        campus.installs(ACME).raise_for_status()
        campus.installs(GLOBEX).raise_for_status()
        campus.branch(ACME).joined()
        words = ("run", "refund-customer", "order=ord_1001", "amount=500", "reason=Broken")
        started = interlock(campus, *words, "--json", INTERLOCK_WORKSPACE=ACME)
        mine = data(interlock(campus, "runs", "--json", INTERLOCK_WORKSPACE=ACME))
        theirs = data(interlock(campus, "runs", "--json", INTERLOCK_WORKSPACE=GLOBEX))
        nobodys = interlock(campus, "runs", "--json")
        head = data(interlock(campus, "audit", "head", "--json", INTERLOCK_WORKSPACE=GLOBEX))
        listed = data(interlock(campus, "workspaces", "--json"))

    assert data(started)["served"] is True
    assert len(mine["runs"]) == 1  # type: ignore[arg-type]
    assert theirs["runs"] == []
    assert nobodys.returncode == 2
    assert "INTERLOCK_WORKSPACE" in nobodys.stdout
    assert head["origin"] == f"host.example/audit/{GLOBEX}"
    assert [(one["workspace"], one["state"]) for one in listed["workspaces"]] == [  # type: ignore[attr-defined]
        (ACME, "installed"),
        (GLOBEX, "installed"),
    ]


def test_an_upgrade_reaches_every_database(campus: Campus) -> None:
    with process(campus):
        campus.installs(ACME).raise_for_status()
        campus.installs(GLOBEX).raise_for_status()
    done = interlock(campus, "migrate")

    assert done.stdout == "Of 3 databases 0 were brought up to date.\n"


@pytest.mark.slow
def test_a_worker_elsewhere_continues_the_runs_of_one_workspace(
    tmp_path: Path, postgres_url: str
) -> None:
    with campus_at(tmp_path, database=postgres_url) as campus, process(campus, "--no-worker"):
        campus.installs(ACME).raise_for_status()
        acme = campus.branch(ACME).joined()
        root = acme.fills()
        held = acme.told("/ops runs")
        with worker(campus, tmp_path / "worker"):
            acme.approve(acme.card(root))
            acme.ends(root)

    assert "about to go on" in held
    assert len(campus.stage.shop.effects("ord_1001")) == 1


@contextmanager
def worker(campus: Campus, home: Path) -> Iterator[Forked]:
    """Continue runs of Acme from another machine: its keys, and the key over the register."""
    host = Path(campus.environment["INTERLOCK_HOME"])
    shutil.copytree(campus.home(ACME) / "keys", home / "workspaces" / ACME / "keys")
    given = env(
        campus,
        INTERLOCK_HOME=str(home),
        INTERLOCK_WORKSPACE=ACME,
        INTERLOCK_SECRETS_KEY=(host / "keys" / "secrets.key").read_text().strip(),
    )
    running = Forked(["worker"], env=given)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(PATIENCE)

"""A start happens once, whoever dies or hurries: real processes, killed and at the same moment."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sandbox.demo.stage import Stage
from sandbox.ports import free_port
from tests.journeys.company import calm_stage
from tests.journeys.programs import PATIENT, bearer, write_webhooks
from tests.journeys.terminal import environment, interlock, serving

pytestmark = pytest.mark.slow

VALUES = ("order=ord_1001", "amount=500", "reason=broken")
RUN = ("run", "refund-customer", *VALUES, "--json")
# Commits the start and is gone before it can say so.
DIES = """
import os, signal
from workflows.engine import Engine
start = Engine.start
def start_and_die(engine, order):
    start(engine, order)
    os.kill(os.getpid(), signal.SIGKILL)
Engine.start = start_and_die
from bot.cli import main
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with calm_stage(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Give one home to all commands that are refused, since they change nothing in it."""
    with calm_stage(tmp_path_factory.mktemp("standing")) as made:
        interlock(made, "init")
        yield made


def runs(stage: Stage, **others: str) -> list[str]:
    told = interlock(stage, "runs", "--json", "--most", "100", **others)
    return [one["run"] for one in json.loads(told.stdout)["runs"]]


def dying(stage: Stage, *words: str, **others: str) -> int:
    """Run a command that is killed after its commit; return how it ended."""
    script = f"{DIES}main({list(words)!r})"
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment(stage, **others),
        capture_output=True,
        timeout=PATIENT,
        check=False,
    ).returncode


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_two_commands_at_the_same_moment_start_one_run(
    stage: Stage, database: str, request: pytest.FixtureRequest
) -> None:
    others = {}
    if database == "postgres":
        others = {"INTERLOCK_DATABASE_URL": str(request.getfixturevalue("postgres_url"))}
    assert interlock(stage, "init", **others).returncode == 0
    with ThreadPoolExecutor(3) as pool:
        ended = list(
            pool.map(lambda _: interlock(stage, *RUN, "--key", "ticket-7", **others), range(3))
        )
    told = [json.loads(one.stdout) for one in ended]

    assert [one.returncode for one in ended] == [0, 0, 0]
    assert sorted(one["is_new"] for one in told) == [False, False, True]
    assert {one["run"] for one in told} == {*runs(stage, **others)}


def test_a_command_that_died_after_its_commit_is_not_done_again(stage: Stage) -> None:
    died = dying(stage, *RUN, "--key", "ticket-7")
    again = json.loads(interlock(stage, *RUN, "--key", "ticket-7").stdout)

    assert died == -signal.SIGKILL
    assert again["is_new"] is False
    assert runs(stage) == [again["run"]]


def test_a_command_under_a_used_key_is_refused_with_the_run_beside_a_bot_and_without(
    stage: Stage,
) -> None:
    first = json.loads(interlock(stage, *RUN, "--key", "ticket-7").stdout)
    other = ("run", "refund-customer", "order=ord_1002", *VALUES[1:], "--key", "ticket-7")
    alone = interlock(stage, *other)
    with serving(stage):
        beside = interlock(stage, *other)

    for refused in (alone, beside):
        assert refused.returncode == 2
        assert f"a run with other inputs: {first['run']}" in refused.stderr
    assert runs(stage) == [first["run"]]


def test_a_served_command_that_lost_its_answer_gets_the_same_run(stage: Stage) -> None:
    script = f"{DIES}main(['serve'])"
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=environment(stage), stderr=subprocess.DEVNULL
    )
    try:
        stage.slack.wait_for_connection(1, timeout=PATIENT)
        lost = interlock(stage, *RUN, "--key", "ticket-7")
    finally:
        process.kill()
        process.wait()
    again = json.loads(interlock(stage, *RUN, "--key", "ticket-7").stdout)

    assert lost.returncode == 2
    assert "went away before it answered" in lost.stdout
    assert again["is_new"] is False
    assert runs(stage) == [again["run"]]


def test_programs_that_ask_again_after_a_kill_have_one_run_for_each_key(stage: Stage) -> None:
    address = f"127.0.0.1:{free_port()}"
    interlock(stage, "init")
    made = interlock(stage, "token", "create", "ci", "--owner", "@rita", "--json")
    token = json.loads(made.stdout)["token"]

    def send(number: int) -> str | None:
        """Ask once under the key of that number; None if no answer came."""
        inputs = {"order": f"ord_{2000 + number}", "amount": 5, "reason": "Broken"}
        try:
            answer = httpx.post(
                f"http://{address}/runs",
                json={"workflow": "refund-customer", "inputs": inputs, "key": f"k{number}"},
                headers=bearer(token),
                timeout=PATIENT,
            )
        except httpx.TransportError:
            return None
        return str(answer.json()["run"])

    with serving(stage, INTERLOCK_API=address) as process, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(send, number) for number in range(32)]
        asked[10].result()
        os.kill(process.pid, signal.SIGKILL)
        # All of those may have been answered before this thread came to the kill.
        asked += [pool.submit(send, number) for number in range(32, 40)]
        first = [one.result() for one in asked]
    with serving(stage, INTERLOCK_API=address):
        again = [send(number) for number in range(40)]

    assert None in first
    assert None not in again
    assert len({*again}) == 40
    assert {one for one in first if one is not None} <= {*again}
    assert {*runs(stage)} == {*again}


def test_a_token_is_printed_once_and_never_logged(stage: Stage, tmp_path: Path) -> None:
    address, log = f"127.0.0.1:{free_port()}", tmp_path / "log"
    settings = {"INTERLOCK_API": address, "INTERLOCK_LOG_LEVEL": "DEBUG"}
    with serving(stage, log=log, **settings):
        made = interlock(stage, "token", "create", "ci", "--owner", "@rita", "--json")
        token = json.loads(made.stdout)["token"]
        listed = interlock(stage, "token", "list")
        seen = interlock(stage, "token", "list", "--json")
        url = f"http://{address}/runs"
        body = {"workflow": "refund-customer", "inputs": {}}
        for headers in (bearer(token), bearer(token[:-1]), {"authorization": token}):
            httpx.post(url, json=body, headers=headers, timeout=PATIENT)
            httpx.get(f"{url}/nothing", headers=headers, timeout=PATIENT)
        _send_garbage(address, token)
        revoked = interlock(stage, "token", "revoke", "ci")
        twice = interlock(stage, "token", "revoke", "ci")
        refused = httpx.post(url, json=body, headers=bearer(token), timeout=PATIENT)
    verified = interlock(stage, "token", "list", "--json")
    written = log.read_text() + listed.stdout + seen.stdout + verified.stdout
    database = b"".join(one.read_bytes() for one in stage.home.glob("interlock.db*"))

    assert made.returncode == 0, made.stderr
    assert "serving" in written
    assert token[4:-1] not in written
    assert token.encode() not in database
    assert "ci" in listed.stdout
    assert "never used" in listed.stdout
    assert (revoked.returncode, twice.returncode) == (0, 2)
    assert refused.status_code == 401
    assert json.loads(verified.stdout)["tokens"][0]["state"] == "revoked"
    assert json.loads(verified.stdout)["tokens"][0]["last_used_at"]


def _send_garbage(address: str, token: str) -> None:
    """Send what is no HTTP, with a token in it."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENT) as connection:
        connection.sendall(f"NONSENSE {token}\r\nauthorization: Bearer {token}\r\n\r\n".encode())
        connection.recv(1000)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--owner", "@support"), "a group of 2 people"),
        (("--owner", "@gil"), "nobody who may ask"),
        (("--owner", "@nobody"), "Slack knows no user group or person called @nobody"),
        (("--owner", "@dex"), "accounts that were deactivated count as nobody"),
        (("--owner", "@rita", "--workflow", "refund-custmer"), "Did you mean refund-customer?"),
        (("--owner", "@rita", "--expires", "2y"), "is no length of time"),
        (("--owner", "@rita", "--expires", "400d"), "at most 366d"),
    ],
)
def test_a_token_that_nobody_could_answer_for_is_not_made(
    standing: Stage, words: tuple[str, ...], told: str
) -> None:
    ended = interlock(standing, "token", "create", "ci", *words)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_name_stands_for_one_token_for_ever(stage: Stage) -> None:
    make = ("token", "create", "ci", "--owner", "@rita")
    interlock(stage, "init")
    first = interlock(stage, *make)
    interlock(stage, "token", "revoke", "ci")
    again = interlock(stage, *make)
    unknown = interlock(stage, "token", "revoke", "other")
    wrong = interlock(stage, "token", "create", "CI Server", "--owner", "@rita")

    assert first.returncode == 0
    assert first.stdout.startswith("ilk_")
    assert (again.returncode, unknown.returncode, wrong.returncode) == (2, 2, 2)
    assert "ci-2" in again.stderr


def test_a_webhook_secret_that_is_no_key_stops_the_bot_in_a_sentence(stage: Stage) -> None:
    write_webhooks(stage)
    secret = {"INTERLOCK_SECRET_SHOP_EVENTS": "whsec_too-short"}
    ended = interlock(stage, "serve", INTERLOCK_API=f"127.0.0.1:{free_port()}", **secret)

    assert ended.returncode == 2
    assert "A webhook's secret is whsec_" in ended.stderr
    assert "too-short" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_that_is_taken_stops_the_bot_in_a_sentence(stage: Stage) -> None:
    taken = stage.slack.url.removeprefix("http://")
    ended = interlock(stage, "serve", INTERLOCK_API=taken)

    assert ended.returncode == 2
    assert "INTERLOCK_API names" in ended.stderr
    assert "Traceback" not in ended.stderr

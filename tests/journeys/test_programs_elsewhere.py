"""Programs come in at Slack's own address too, and to a bot on Postgres."""

import hashlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storage.listing import Wanted, list_runs
from tests.journeys.day import Case
from tests.journeys.programs import (
    Outside,
    complaint,
    outside_world,
    signed,
    signed_by_github,
)
from workflows.entry import SYSTEM, Draft, Json

pytestmark = pytest.mark.slow

KINDS: Mapping[str, Mapping[str, Json]] = {
    "workflow.published": {"owner": "@a", "deputy": "@b", "actions": "c" * 64},
    "workflow.activated": {"replaces": None, "level": "trial"},
}


def test_one_address_serves_slack_and_programs(tmp_path: Path) -> None:
    with outside_world(tmp_path, over="http") as outside:
        case = Case(outside.day)
        answer = outside.starts(case, outside.token())
        root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
        case.approves("ana", case.card(root))
        case.ends(root, "done")

        assert outside.url == f"http://{outside.day.bot.core.settings.http}"
        assert outside.day.bot.api is None
        assert answer.status_code == 201
        assert case.refunds() == [500]


def test_on_postgres_too_equal_starts_and_deliveries_are_one_run(
    tmp_path: Path, postgres_url: str
) -> None:
    with outside_world(tmp_path, database=postgres_url) as outside:
        started, delivered = Case(outside.day), Case(outside.day)
        token, body = outside.token(), complaint(delivered)
        headers = signed(body)
        with ThreadPoolExecutor(20) as pool:
            starts = [pool.submit(outside.starts, started, token, key="once") for _ in range(20)]
            hooks = [pool.submit(outside.delivers, "shop-events", body, headers) for _ in range(20)]
            asked, sent = [one.result() for one in starts], [one.result() for one in hooks]

        assert told(asked) == told(sent) == [200] * 19 + [201]
        assert len({one.json()["run"] for one in asked}) == 1
        assert len({one.json()["runs"][0]["run"] for one in sent}) == 1
        assert_waits(outside, started, token, asked[0].json()["run"])


def test_a_character_that_postgres_cannot_keep_is_refused_in_words(
    tmp_path: Path, postgres_url: str
) -> None:
    with outside_world(tmp_path, database=postgres_url) as outside:
        token = outside.token("@rita")
        answer = outside.post("/runs", token, {"workflow": "refund\0customer"})
        rita = outside.day.stage.slack.workspace.person("rita")
        words = ("show", "audit", "history", "diff", "change", "runs", "find", "readiness")
        typed = [rita.command(f"/ops {one} a\0b", channel="#ops").outcome for one in words]

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/workflow"
    assert typed == ["acked"] * len(words)


def test_a_delivery_is_not_taken_where_a_workflow_that_listens_cannot_be_read(
    tmp_path: Path,
) -> None:
    with outside_world(tmp_path) as outside:
        core = outside.day.bot.core
        written = core.library.active("hand-over").canonical.replace(b'"inputs"', b'"newer"')
        version = hashlib.sha256(written).hexdigest()
        named: dict[str, Json] = {"workflow": "of-a-newer-release", "version": version}
        with core.store.begin() as unit:
            for kind, more in KINDS.items():
                unit.append(Draft(kind=kind, actor=SYSTEM, data={**named, **more}))
            unit.add_definition(version, written.decode())
        core.library.follow()
        body = json.dumps({"tasks": ["a"], "login": "ana", "at": "2027-03-02T09:00:00Z"}).encode()
        answer = outside.delivers("people", body, signed(body))
        other = outside.delivers("repository", body, signed_by_github(body, event="x", ident="1"))
        started = [one.workflow for one in list_runs(core.store.database, Wanted())]

    assert (answer.status_code, other.status_code) == (503, 200)
    assert "cannot be read here" in answer.json()["detail"]
    assert started == ["hand-over"]  # The other one that listens.


def test_a_bot_that_stops_answers_those_who_wait(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with outside_world(tmp_path) as outside:
            case, token = Case(outside.day), outside.token()
            run = outside.starts(case, token).json()["run"]
            case.card(case.waits(lambda: next(iter(case.roots()), None), "the first message"))
            before = outside.get(f"/runs/{run}", token).json()
            path = f"/runs/{run}?wait=60&after={before['revision']}"
            waiting = pool.submit(outside.get, path, token, timeout=90)
            outside.wait_for_polls(1)
            stopping = time.monotonic()
        took = time.monotonic() - stopping

        assert waiting.result().json() == before
        assert took < 40  # Its time is not waited for.


def told(answers: list[httpx.Response]) -> list[int]:
    return sorted(one.status_code for one in answers)


def assert_waits(outside: Outside, case: Case, token: str, run: str) -> None:
    """Let a program wait for the run's next state while somebody decides."""
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.card(root)
    before = outside.get(f"/runs/{run}", token).json()
    with ThreadPoolExecutor(1) as pool:
        path = f"/runs/{run}?wait=60&after={before['revision']}"
        waiting = pool.submit(outside.get, path, token, timeout=90)
        case.approves("ana", card)

        assert waiting.result().json()["revision"] > before["revision"]

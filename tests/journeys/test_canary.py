"""A planted value passes through everything the bot does, and stands nowhere afterwards.

A service repeats it in every form that services write, in answers and in errors; people write it
at every door of Slack. Then every table, file, message and line of the log is searched.
"""

import base64
import html
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from bot.export_orders import ExportOrder
from bot.holder import RefusedThereError, hand_over
from bot.logs import configure_logs
from bot.orders import CancelOrder, DigestOrder
from bot.secret_orders import ListSecretsOrder, SetSecretOrder
from sandbox.demo.stage import Stage
from storage.history import read_run
from storage.listing import ListedRun, Wanted, list_runs
from storage.verify import verify_database
from tests.bot.anchors.answering import Asked, Said, answering
from tests.journeys.day import Case, Day, day_at_work
from tests.journeys.test_secrets_of_codes import everything_in
from workflows.entry import Entry

CANARY = 'kanary"<s3&cr\\t>+/4711=x'
NEWER = "kanary-of-tomorrow-0815"
PREFIX = "Bearer "
WORKFLOW = """
workflow: leak-it
title: Leak it
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
secrets: [leaky_token]
inputs: {why: {type: string, max_length: 100, title: Why}}
steps:
  - {id: look, uses: http.request, with: {service: leaky, path: /look}}
  - id: pay
    uses: http.request
    with: {service: leaky, method: POST, path: /pay, json: {why: "${{ inputs.why }}"}}
    undo: none
  - id: fail
    uses: http.request
    with: {service: leaky, method: POST, path: /fail}
    undo: none
"""
SERVICE = """services:
  leaky:
    base_url: {url}
    private: true
    secret_header: {{secret: leaky_token, prefix: "Bearer "}}
"""


def forms(value: str) -> list[str]:
    """Return the value as texts hold it; written apart from what takes it out of them."""
    whole = base64.b64encode(f"{PREFIX}{value}".encode()).decode()
    return [
        value,
        value[: len(value) // 2] + "\n" + value[len(value) // 2 :],
        base64.b64encode(value.encode()).decode(),
        base64.urlsafe_b64encode(value.encode()).decode(),
        "\r\n".join(whole[at : at + 11] for at in range(0, len(whole), 11)),
        value.encode().hex(),
        value.encode().hex().upper(),
        quote(value, safe=""),
        quote(value),
        html.escape(value),
        json.dumps(value)[1:-1],
        json.dumps(json.dumps(value))[1:-1],
        repr(value)[1:-1],
    ]


def repeats(asked: Asked) -> Said:
    """Answer with the secret that came along, in each of its forms."""
    value = asked.headers["authorization"].removeprefix(PREFIX)
    said = "\n\n".join(forms(value))
    if asked.path == "/fail":
        return Said(422, f"refused: {said}".encode(), "text/plain")
    return Said(200, json.dumps({"you sent": said, value: [said]}).encode(), "application/json")


@pytest.fixture(scope="module")
def logged() -> Iterator[io.StringIO]:
    """Log as the bot does when it is told to log the most; give what was written."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in logging.Logger.manager.loggerDict}
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, logged: io.StringIO) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("canary")
    with answering(repeats) as url:

        def prepare(stage: Stage) -> None:
            text = stage.policy.read_text()
            stage.policy.write_text(text.replace("services:\n", SERVICE.format(url=url), 1))

        with day_at_work(home, workflow=WORKFLOW, prepare=prepare) as open_day:
            configure_logs("DEBUG", open_day.bot.core.redact, stream=logged)
            yield open_day


def gives(day: Day, value: str) -> None:
    """Hand a value to the bot that serves, as the command line does."""
    answer = hand_over(day.stage.home, SetSecretOrder(name="leaky_token", value=SecretStr(value)))
    assert answer is not None
    assert answer["ok"]


def leaks(case: Case, why: str) -> ListedRun:
    """Have the workflow run until people are asked what to do about its failure."""
    known = {one.ts for one in case.roots()}
    case.person("rita").command(f"/ops run leak-it why={why}", channel=case.channel)
    root = case.waits(
        lambda: next((one for one in case.roots() if one.ts not in known), None), "the run"
    )
    asks = "Abort"
    case.waits(
        lambda: next((one for one in case.thread(root) if asks in str(one.buttons)), None),
        "the card of the failure",
    )
    return list_runs(case.day.bot.core.memory.database, Wanted(workflow="leak-it"))[0]


def entries(day: Day, run: ListedRun) -> list[Entry]:
    with day.bot.core.memory.database.read() as connection:
        return list(read_run(connection, run.id))


def writes_it_everywhere(case: Case) -> None:
    """Write the value at each door of Slack."""
    rita = case.person("rita")
    for typed in (
        f"run leak-it why={CANARY}",
        f"find {CANARY}",
        f"cancel 0123 {CANARY}",
        f"nonsense {CANARY}",
    ):
        before = len(rita.ephemerals)
        rita.command(f"/ops {typed}", channel=case.channel)
        told = case.waits(lambda at=before: next(iter(rita.ephemerals[at:]), None), "an answer")  # type: ignore[misc]
        assert "Have it changed" in told.words
    rita.command("/ops run leak-it", channel=case.channel)
    rita.wait_for_view("Leak it")
    rita.submit({"Why": CANARY})
    assert "Have it changed" in str(rita.wait_for_view("Leak it").errors)
    rita.close_view(everything=True)
    root = case.roots()[0]
    rita.say(f"It was {CANARY}, I think.", thread=root)
    rita.wait_for_ephemeral("have it changed, then delete")


def _listed(told: Any) -> tuple[object, ...]:  # noqa: ANN401 - JSON of an answer.
    """Return what the list says of the one secret: its source, its version, who uses it."""
    (one,) = told["secrets"]
    return one["source"], one["version"], one["used_by"], one["last_used_at"] is not None


def traces(said: str) -> list[str]:
    """Return the forms of either value that stand in a text, however it is broken or escaped."""
    flat = re.sub(r"(\\+[rn]|\s)+", "", said)
    return [
        form
        for value in (CANARY, NEWER)
        for form in forms(value)
        if form in said or re.sub(r"\s", "", form) in flat
    ]


def test_a_planted_value_stands_nowhere_afterwards(
    day: Day, logged: io.StringIO, tmp_path: Path
) -> None:
    case, home = Case(day), day.stage.home
    recorder = day.stage.slack.recorder
    gives(day, CANARY)
    first = leaks(case, "first")
    gives(day, NEWER)
    second = leaks(case, "second")
    writes_it_everywhere(case)
    logging.getLogger("test").error("it broke", exc_info=ValueError(f"near {CANARY}"))
    answers = [
        hand_over(home, ExportOrder(out=str(tmp_path / "pack"))),
        hand_over(home, DigestOrder(post=True)),
        listed := hand_over(home, ListSecretsOrder()),
    ]
    with pytest.raises(RefusedThereError) as refused:
        hand_over(home, CancelOrder(run=first.id, reason=f"because of {CANARY}"))
    case.waits(lambda: "the digest" if recorder.calls("chat.postMessage") else None, "a post")
    report = verify_database(str(home / "interlock.db"), [day.bot.core.memory.vkey])
    sent = json.dumps([(one.method, one.arguments) for one in recorder.calls()], default=str)
    used = [dict(one.data) for one in entries(day, second) if one.kind == "secret.used"]
    files = [one for one in (*home.rglob("*"), *tmp_path.rglob("*")) if one.is_file()]

    assert [(one["step"], one["secret"], one["version"]) for one in used] == [
        (step, "leaky_token", 2) for step in ("look", "pay", "fail")
    ]
    assert _listed(listed) == ("built in", 2, ["leak-it"], True)
    assert traces(sent) == []
    assert traces(json.dumps(answers, default=str) + str(refused.value)) == []
    assert "Have it changed" in str(refused.value)
    assert traces(everything_in(day.bot.core.memory.database)) == []
    assert [str(one) for one in files if traces(one.read_bytes().decode("latin-1"))] == []
    assert traces(logged.getvalue()) == []
    assert "it broke" in logged.getvalue()
    assert report.exit in (0, 3)


def test_each_trace_would_be_found(day: Day) -> None:
    """The search itself finds what is planted, in every form."""
    for form in forms(CANARY):
        assert form in traces(f"x {form} y")
    with day.bot.core.memory.database.begin() as tx:
        tx.run("INSERT INTO secret_use VALUES (?, '2026-03-02 12:00:00')", (CANARY,))

    assert CANARY in traces(everything_in(day.bot.core.memory.database))

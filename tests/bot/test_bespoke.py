"""Bespoke copies that only use shows are told to owners, in lists, and in the digest."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from bot.bespoke import bespoke
from bot.cli import main
from bot.clock_parts import catalog_watch_of
from bot.drift import What
from bot.orders import RunOrder, carry_out
from tests.bot.catalog import POLICY, Office
from tests.world import id_of
from workflows.people import PersonId

ASKS = """
workflow: ask-for-it
title: Approval
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
run_by: ["@rita", "@ben"]
inputs: {title: {type: string}}
steps:
  - id: release
    uses: slack.release
    with: {title: "${{ inputs.title }}"}
    undo: none
"""
REFUND = """
workflow: refund
title: Refund
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
run_by: ["@rita", "@ben"]
inputs: {what: {type: string}}
steps:
  - id: pay
    uses: slack.release
    with: {title: "Refund order ${{ inputs.what }}"}
    undo: none
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give a bot with a workflow that takes any title, one for refunds, and their use."""
    found = Office(tmp_path_factory.mktemp("office"), POLICY)
    found.write("files/ask-for-it.yaml", ASKS)
    found.write("files/refund.yaml", REFUND)
    found.restart()
    for number, who in enumerate(("rita", "rita", "ben")):
        ask(found, "ask-for-it", who, title=f"Rename host web-{number}")
    for number in range(2):
        ask(found, "ask-for-it", "rita", title=f"Refund order {number}")
    for number, who in enumerate(("rita", "ben", "ben")):
        ask(found, "refund", who, what=str(number))
    yield found
    found.core.memory.database.close()


def ask(office: Office, workflow: str, by: str, **inputs: str) -> None:
    order = RunOrder(workflow=workflow, inputs=inputs)
    office.settle(str(carry_out(office.core, order, person=PersonId(f"os:{by}"))["run"]))


def test_what_is_asked_for_again_and_again_and_what_goes_under_two_names_is_found(
    office: Office,
) -> None:
    definitions = office.core.library.definitions()
    found = bespoke(office.core.memory.database, definitions, now=office.core.means.clock())

    assert [(one.workflow, one.what) for one in found] == [
        ("ask-for-it", What.ONE_OFF),
        ("ask-for-it", What.USE),
    ]
    once, copied = found
    assert once.words.startswith("3 runs (")
    assert "by 2 people asked for the same" in once.words
    assert "web" not in once.words.casefold()  # People's words stay where they are.
    assert copied.words.startswith("2 runs (")
    assert "did what runs of refund do, under another name" in copied.words


def test_the_owner_is_told_once_and_the_digest_says_so(office: Office) -> None:
    watch = catalog_watch_of(office.core, office.town)
    watch.look()
    office.core.digests.tells_of_catalog(watch.findings)
    told = [one for one in office.notices() if "asked for the same" in str(one.body)]
    watch.look()
    again = [one for one in office.notices() if "asked for the same" in str(one.body)]
    exceptions = office.core.digests.look().figures["exceptions"]

    assert {one.channel for one in told} == {id_of("omar"), id_of("olga")}
    assert again == []
    assert any("interlock new" in str(one) for one in exceptions)
    assert {one.what for one in watch.found} >= {What.ONE_OFF, What.USE}


def test_the_list_of_workflows_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("home", "policy", "workflows", "channel"):
        monkeypatch.setenv(f"INTERLOCK_{name.upper()}", str(getattr(office.settings, name)))
    listed = CliRunner().invoke(main, ["workflows", "--long", "--json"])
    drift = CliRunner().invoke(main, ["check", "--drift"])
    found = {one["workflow"]: one["drift"] for one in json.loads(listed.output)["workflows"]}

    assert len(found["ask-for-it"]) == 2
    assert found["refund"] == []
    assert drift.exit_code == 0  # It is as people agreed to it; only its use says more.

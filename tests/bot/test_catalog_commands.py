"""The catalog on the command line: what is active, its story, differences and drift."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.catalog_pages import diff_page
from bot.cli import main
from bot.orders import MoveRunOrder, RunOrder, carry_out
from tests.bot.catalog import GATED, LOWERED, PLAIN, Office
from workflows.errors import NotAllowedError, UnknownWorkflowError
from workflows.gate import Verdict
from workflows.people import PersonId


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give a bot whose one workflow was published, changed, and then went wrong in its file."""
    found = Office(tmp_path_factory.mktemp("office"))
    found.write("files/tidy-up.yaml", PLAIN)
    found.agree(found.propose(PLAIN, by="ben").run, "olga", "gina")
    found.agree(found.propose(LOWERED, by="omar", author="@dora").run, "olga", "gina")
    yield found
    found.core.memory.database.close()


@pytest.fixture
def typed(office: Office, monkeypatch: pytest.MonkeyPatch) -> "Typed":
    for name in ("home", "policy", "workflows", "channel"):
        monkeypatch.setenv(f"INTERLOCK_{name.upper()}", str(getattr(office.settings, name)))
    return Typed()


class Typed:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    def data(self, *words: str) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = json.loads(self(*words, "--json").output)
        return found


def test_history_says_who_proposed_who_agreed_when_why_and_what_was_replaced(
    typed: Typed,
) -> None:
    newest, _, first, _ = typed.data("history", "tidy-up")["changes"][-4:]
    told = typed("history", "tidy-up").output

    assert (newest["what"], newest["replaces"]) == ("active", first["version"])
    assert (newest["by"], newest["why"]) == ("omar", "It is time.")
    assert newest["agreed"] == [
        {"who": "olga", "said": "seen"},
        {"who": "gina", "said": "seen"},
    ]
    assert "proposed by ben; agreed: olga (seen), gina (seen); why: It is time." in told


def test_history_tells_of_a_proposal_that_was_rejected_and_of_one_that_waits(
    office: Office, typed: Typed
) -> None:
    bad = office.propose(LOWERED.replace("approve: 1", "approve: 1, deny: 2"), by="omar")
    office.settle(bad.run)
    office.vote(bad.run, "gina", Verdict.DENY)
    office.settle(bad.run)
    office.settle(office.propose(LOWERED.replace("Tidied", "Hid")).run)
    waiting, rejected, *_ = typed.data("history", "tidy-up")["changes"][:4:2]
    told = typed("history", "tidy-up").output

    assert waiting["what"] == "proposed, not decided yet"
    assert (rejected["what"], rejected["refused"]) == ("denied", [{"who": "gina", "said": "seen"}])
    assert "rejected: gina (seen)" in told
    assert f"{rejected['version'][:8]} rejected" in told


def test_diff_says_in_words_what_a_version_changes(typed: Typed) -> None:
    changes = typed.data("history", "tidy-up")["changes"]
    between = typed("diff", "tidy-up", str(changes[-2]["version"])[:8]).output
    of_file = typed("diff", "tidy-up").output

    assert "its gate is LOWERED: 2 of @deciders → 1 of @deciders" in between
    assert "step say: asks: 1 of @deciders → 2 of @deciders" in of_file
    assert "LOWERED" not in of_file


def test_drift_is_named_and_the_exit_code_says_so(typed: Typed) -> None:
    found = typed("check", "--drift")
    listed = typed.data("workflows", "--long")["workflows"]

    assert found.exit_code == 1
    assert "tidy-up: the file says" in found.output
    assert [(one["workflow"], one["level"], one["success"]) for one in listed] == [
        ("tidy-up", "trial", None)
    ]
    assert listed[0]["drift"]


def test_a_run_says_that_a_newer_version_is_active(office: Office, typed: Typed) -> None:
    order = RunOrder(workflow="tidy-up", inputs={"what": "all"})
    run = str(carry_out(office.core, order, person=PersonId("os:omar"))["run"])
    before = typed("show", run).output
    before_that = typed("workflows", "--long").output
    swept = PLAIN.replace("Tidied", "Swept").replace("inputs:", "mode: best_effort\ninputs:")
    put = office.propose(swept)
    office.agree(put.run, "olga", "gina")
    after = typed("show", run).output
    (listed,) = typed.data("workflows", "--long")["workflows"]
    told = typed("workflows", "--long").output

    assert "newer version" not in before
    assert f"A newer version is active: {put.version[:8]}." in after
    assert listed["version"] == put.version
    assert "@owners, trial, in 30 days" in before_that
    assert "@owners, trial, best effort, in 30 days" in told
    ((version, asked),) = [(one["version"], one["asked_by"]) for one in listed["going"]]  # type: ignore[attr-defined]
    assert asked == ["omar"]
    assert f"going on: 1 run by {version[:8]}, not the active version, asked for by omar" in told


def test_an_owner_puts_a_waiting_run_on_a_version_that_people_agreed_to(
    office: Office, typed: Typed
) -> None:
    order = RunOrder(workflow="tidy-up", inputs={"what": "all"})
    run = str(carry_out(office.core, order, person=PersonId("os:omar"))["run"])
    office.settle(run)
    put = office.propose(PLAIN.replace("Tidied", "Wiped"))
    order = MoveRunOrder(run=run, to=put.version[:8], reason="It says what is done.")
    with pytest.raises(NotAllowedError, match="never active"):
        carry_out(office.core, order, person=PersonId("os:omar"))
    office.agree(put.run, "olga", "gina")
    with pytest.raises(NotAllowedError, match="Only owner and deputy"):
        carry_out(office.core, order, person=PersonId("os:ben"))
    asked = order.model_copy(update={"reason": ""})
    could = carry_out(office.core, asked, person=PersonId("os:omar"))
    assert f"can go on by version {put.version[:8]} instead of" in str(could["words"])
    assert typed("move-run", run, "--check", "--reason", "both").exit_code == 2
    moved = carry_out(office.core, order, person=PersonId("os:omar"))
    office.settle(run)

    assert moved["version"] == put.version
    assert f"goes on by version {put.version[:8]} instead of" in str(moved["words"])
    assert f"Put on version {put.version[:8]} instead of" in typed("show", run).output
    assert "omar: Put on version" in typed("show", run, "--timeline").output
    assert "Wiped all" in "".join(office.card(run))


def test_a_name_that_nobody_knows_is_put_right(typed: Typed) -> None:
    found = typed("history", "tidy-upp")

    assert found.exit_code == 2
    assert "Did you mean tidy-up?" in found.output


def test_what_is_read_beside_a_bot_goes_by_the_policy_that_people_agreed_to(
    office: Office, typed: Typed
) -> None:
    budget = "budgets: [{name: posts, limit: 3, window: 1d, when: 'true', amount: '1'}]\n"
    office.write("policy.yaml", GATED + budget)

    assert "The policy has no budgets." in typed("policy", "budgets").output


def test_two_versions_of_a_retired_workflow_are_still_compared(
    office: Office, typed: Typed
) -> None:
    before = office.propose(PLAIN.replace("Tidied", "Raked"))
    office.agree(before.run, "olga", "gina")
    after = office.propose(PLAIN.replace("Tidied", "Mopped"))
    office.agree(after.run, "olga", "gina")
    office.agree(office.proposing("rita").retire("tidy-up", reason="Done.").run, "olga", "gina")
    desk: Any = SimpleNamespace(store=office.core.store, library=office.core.library)
    page = diff_page(desk, "tidy-up", [before.version[:8], after.version[:8]], page=1)

    assert "Raked" in str(page.blocks)
    assert "Mopped" in typed("diff", "tidy-up", before.version[:8], after.version[:8]).output
    with pytest.raises(UnknownWorkflowError):
        diff_page(desk, "tidy-up", [before.version[:8]], page=1)

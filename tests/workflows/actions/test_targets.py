"""The shipped actions on the targets of the demo: what they say is what really happened."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.targets import accounts, releases
from sandbox.targets.shop import ShopServer
from sandbox.targets.shop_faults import Fault
from storage.rows import DatabaseRows
from workflows.actions.base import Action, Call, Effect, Happened
from workflows.actions.registry import shipped_actions
from workflows.errors import InDoubtError, NotPerformedError
from workflows.services import Services

Calls = Callable[..., Call]
REFUND = {
    "service": "shop",
    "method": "POST",
    "path": "/refunds",
    "json": {"order": "ord_1001", "amount": 500},
}
PURGE = {
    "database": "crm",
    "statement": "DELETE FROM account WHERE last_seen < :since AND on_hold = 0 AND balance = 0",
    "parameters": {"since": "2024-01-01"},
}
LOOK = ("log", "-1", "--format=format:%H")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with ShopServer(tmp_path) as server:
        yield server


@pytest.fixture
def actions(tmp_path: Path, shop: ShopServer) -> dict[str, Action[Any, Any]]:
    repository = releases.seed(tmp_path)
    services = Services.model_validate(
        {
            "services": {
                "shop": {"base_url": shop.url, "private": True, "probe": "/refunds/{key}"}
            },
            "databases": {"crm": {"url": accounts.address(accounts.seed(tmp_path))}},
            "programs": {
                "git": {
                    "path": releases.git_path(),
                    "folders": {"releases": str(repository)},
                    "arguments": [
                        r"log -1 --format=format:%H refs/\S+",
                        r"update-ref -m \S.* refs/heads/deployed [0-9a-f]{40} [0-9a-f]{40}",
                    ],
                    "reads": [r"log -1 --format=format:%H refs/\S+"],
                }
            },
        }
    )
    return shipped_actions(services, DatabaseRows(lambda: datetime(2026, 3, 2, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (Fault.BEFORE, Happened.NO),
        (Fault.DURING, Happened.NO),
        (Fault.AFTER, Happened.YES),
        (Fault.AFTER_500, Happened.YES),
        (Fault.SLOW, Happened.YES),
    ],
)
def test_a_refund_in_doubt_is_settled_by_asking_the_shop(
    fault: Fault,
    happened: Happened,
    shop: ShopServer,
    actions: dict[str, Action[Any, Any]],
    a_call: Calls,
) -> None:
    refund = actions["http.request"]
    asked = refund.takes.model_validate(REFUND)
    shop.faults.switch_on(fault, seconds=3.0)

    with pytest.raises(InDoubtError):
        refund.perform(asked, a_call(timeout=2.0))  # Enough for the shop to pay it back.
    shop.faults.clear()

    assert refund.probe(asked, a_call()) is happened
    assert len(shop.effects("ord_1001")) == (happened is Happened.YES)


def test_a_refund_happens_once_however_often_it_is_sent(
    shop: ShopServer, actions: dict[str, Action[Any, Any]], a_call: Calls
) -> None:
    refund = actions["http.request"]
    asked = refund.takes.model_validate(REFUND)

    answers = [refund.perform(asked, a_call()).body for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert [(one.key, one.amount) for one in shop.effects()] == [("run-1/refund", 500)]


def test_the_accounts_that_were_shown_are_the_ones_that_are_gone(
    tmp_path: Path, actions: dict[str, Action[Any, Any]], a_call: Calls
) -> None:
    purge = actions["sql.execute"]
    asked = purge.takes.model_validate(PURGE)
    path = tmp_path / "accounts.db"

    plan = purge.plan(asked, a_call())
    assert accounts.effects(path) == []
    done = purge.perform(asked, a_call(approved=plan.data))

    gone = accounts.effects(path)
    assert plan.summary == f"Delete {done.rows} rows in crm"
    assert len(gone) == done.rows == accounts.ACCOUNTS - accounts.count(path) > 100
    assert f"id={gone[0].account}," in plan.lines[2]


def test_an_account_that_comes_back_in_time_keeps_all_of_them(
    tmp_path: Path, actions: dict[str, Action[Any, Any]], a_call: Calls
) -> None:
    purge = actions["sql.execute"]
    asked = purge.takes.model_validate(PURGE)
    plan = purge.plan(asked, a_call())
    visit = purge.takes.model_validate(
        {
            "database": "crm",
            "statement": "UPDATE account SET last_seen = :today WHERE id = :id",
            "parameters": {"today": "2026-03-02", "id": plan.lines[2].split(",")[0][3:]},
        }
    )
    assert purge.perform(visit, a_call(key="somebody/else")).rows == 1

    with pytest.raises(NotPerformedError, match="were approved"):
        purge.perform(asked, a_call(approved=plan.data))
    assert accounts.count(tmp_path / "accounts.db") == accounts.ACCOUNTS


def test_a_release_is_rolled_back_and_git_knows_by_whom(
    tmp_path: Path, actions: dict[str, Action[Any, Any]], a_call: Calls
) -> None:
    git = actions["shell.run"]

    def run(*args: str) -> str:
        asked = {"program": "git", "folder": "releases", "args": list(args)}
        return str(git.perform(git.takes.model_validate(asked), a_call()).stdout)

    now = run(*LOOK, "refs/heads/deployed")
    wanted = run(*LOOK, "refs/tags/v1.5")
    run("update-ref", "-m", "interlock run-7", "refs/heads/deployed", wanted, now)

    repository = tmp_path / "releases"
    assert releases.deployed(repository) == "v1.5"
    assert [one.why for one in releases.effects(repository)] == ["interlock run-7"]


def test_looking_at_a_release_is_a_read_and_moving_it_is_not(
    actions: dict[str, Action[Any, Any]],
) -> None:
    git = actions["shell.run"]
    named = {"program": "git", "folder": "releases"}

    assert git.effect_of({**named, "args": [*LOOK, "refs/tags/${{ inputs.r }}"]}) is Effect.READ
    assert git.effect_of({**named, "args": ["update-ref", "refs/heads/x"]}) is Effect.WRITE
    assert git.effect_of({**named, "args": [*LOOK, "--output=x"]}) is Effect.WRITE

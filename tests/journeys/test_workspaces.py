"""Two companies on one host: each installs the app by itself, and sees nothing of the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from bot.workspaces.host import Host
from storage.listing import Wanted, list_runs
from storage.rebuild import check_projections
from tests.journeys.campus import ACME, GLOBEX, ORIGIN, Branch, Campus, campus_at
from tests.journeys.company import PATIENCE
from tests.sandbox.payload_checks import complaints_about
from workflows.entry import RunId


@pytest.fixture(params=["sqlite", "postgres"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Campus]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with campus_at(tmp_path, database=database) as opened:
        yield opened
        for workspace in opened.stage.slack.workspaces.values():
            assert complaints_about(workspace.recorder) == []


@contextmanager
def both(campus: Campus) -> Iterator[tuple[Host, Branch, Branch]]:
    with campus.serving() as host:
        for ident in (ACME, GLOBEX):
            campus.installs(ident).raise_for_status()
        yield host, campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()


def runs_of(host: Host, ident: str) -> list[RunId]:
    with host.tenants.entered(ident) as door:
        return [one.id for one in list_runs(door.bot.core.memory.database, Wanted())]


def test_each_company_installs_the_app_and_refunds_by_itself(campus: Campus) -> None:
    with both(campus) as (host, acme, globex):
        root, other = acme.fills(Order="ord_1001"), globex.fills(Order="ord_1002")
        acme.approve(acme.card(root))
        acme.ends(root)
        globex.approve(globex.card(other), by="ben")
        globex.ends(other)
        origins = {}
        for ident in (ACME, GLOBEX):
            with host.tenants.entered(ident) as door:
                origins[ident] = door.bot.core.memory.journal.origin
                database = door.bot.core.memory.database
                assert check_projections(database) == []

    assert len(campus.stage.shop.effects("ord_1001")) == 1
    assert len(campus.stage.shop.effects("ord_1002")) == 1
    assert origins == {ACME: f"{ORIGIN}/{ACME}", GLOBEX: f"{ORIGIN}/{GLOBEX}"}


def test_a_run_of_one_company_is_shown_to_the_other_in_no_way(campus: Campus) -> None:
    with both(campus) as (host, acme, globex):
        root = acme.fills(Order="ord_1001", Reason="The teapot broke")
        card = acme.card(root)
        (run,) = runs_of(host, ACME)
        answers = {
            typed: globex.told(typed)
            for typed in (
                "/ops runs",
                "/ops approvals",
                "/ops find teapot",
                f"/ops show {run}",
                f"/ops cancel {run} because we can",
            )
        }
        acme.approve(card)
        acme.ends(root)
        found = acme.waits(
            lambda: told if run in (told := acme.told("/ops find teapot")) else None, "its story"
        )
        still = globex.told("/ops find teapot")

    assert not [typed for typed, said in answers.items() if "ord_1001" in said or "Rita" in said]
    assert "no run" in answers[f"/ops show {run}"]
    assert "no run" in answers[f"/ops cancel {run} because we can"]
    assert found
    assert run not in still
    assert globex.roots() == []


def test_a_click_that_names_the_request_of_another_company_decides_nothing(campus: Campus) -> None:
    with both(campus) as (host, acme, globex):
        card, other = acme.card(acme.fills()), globex.card(globex.fills(Order="ord_1002"))
        (mine,) = [one for one in other.blocks if one["type"] == "actions"]
        (theirs,) = [one for one in card.blocks if one["type"] == "actions"]
        # A client may send whatever value it likes with a click.
        for ours, foreign in zip(mine["elements"], theirs["elements"], strict=True):
            ours["value"] = foreign["value"]
        label = next(one for one in other.buttons if one not in ("Reject", "Review"))
        globex.person("ana").click(label, message=other, stale=True)
        refused = globex.person("ana").wait_for_ephemeral("")
        untouched = acme.now(card)
        with host.tenants.entered(ACME) as door, door.bot.core.memory.database.read() as opened:
            decisions = opened.execute(text("SELECT count(*) FROM decision")).scalar_one()

    assert "no request" in refused.words
    assert "Reject" in untouched.buttons
    assert decisions == 0
    assert campus.stage.shop.effects("ord_1001") == []


def test_a_token_of_one_company_opens_nothing_of_the_other(campus: Campus) -> None:
    with both(campus) as (host, _, _):
        run = campus.starts(host, ACME)
        globex_run = campus.starts(host, GLOBEX)
        token = campus.token(host, ACME, "second")
        headers = {"Authorization": f"Bearer {token}"}

        def look(ident: str, wanted: str) -> int:
            address = f"{campus.url}/workspaces/{ident}/runs/{wanted}"
            return httpx.get(address, headers=headers, timeout=PATIENCE).status_code

        answers = {
            "own": look(ACME, run),
            "own token, run of the other": look(ACME, globex_run),
            "at the address of the other": look(GLOBEX, globex_run),
            "own run at the address of the other": look(GLOBEX, run),
            "at no workspace": look("T0NOBODY", run),
            "without one": httpx.get(
                f"{campus.url}/runs/{run}", headers=headers, timeout=PATIENCE
            ).status_code,
        }

    assert answers == {
        "own": 200,
        "own token, run of the other": 404,
        "at the address of the other": 401,
        "own run at the address of the other": 401,
        "at no workspace": 401,
        "without one": 404,
    }

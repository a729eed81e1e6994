"""Each workspace by itself: its own policy, its own secrets, its own troubles."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from bot.commands import Commands
from bot.core import read_redactor
from bot.logs import configure_logs
from bot.outbox import Outbox
from bot.workspaces.ground import Ground, settings_of
from sandbox.ports import free_port
from storage.installations import Installation, Installations, Tokens
from tests.exposition import read
from tests.journeys.campus import ACME, GLOBEX, Campus, campus_at
from tests.journeys.company import PATIENCE
from workflows.errors import StorageUnavailableError


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    with campus_at(tmp_path) as opened:
        yield opened


def test_a_policy_in_the_home_of_a_workspace_is_its_own(campus: Campus) -> None:
    own = campus.home(GLOBEX) / "policy.yaml"
    own.parent.mkdir(parents=True)
    shared = Path(campus.environment["INTERLOCK_POLICY"]).read_text()
    own.write_text(shared.replace("@finance-leads", "@finance-directors"))
    with campus.serving():
        campus.installs(ACME)
        campus.installs(GLOBEX)
        acme, globex = campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()
        mine, theirs = acme.card(acme.fills()), globex.card(globex.fills())

    assert "directors" not in mine.words
    assert "@finance-directors" in theirs.words


def test_a_secret_that_is_for_one_workspace_is_held_by_no_other(campus: Campus) -> None:
    campus.environment |= {
        "INTERLOCK_SECRET_SHOP_TOKEN": "shared-among-all",
        "INTERLOCK_SECRET_SHOP_TOKEN__T0GLOBEX": "of-globex-alone",
        "INTERLOCK_SECRET_CRM_ADDRESS__T0ACME": "of-acme-alone",
    }
    with campus.serving() as host:
        campus.installs(ACME)
        campus.installs(GLOBEX)
        held = {}
        for ident in (ACME, GLOBEX):
            with host.tenants.entered(ident) as door:
                secrets = door.bot.core.secrets
                held[ident] = {name: secrets.reveal(name) for name in sorted(secrets.names())}

    assert held == {
        ACME: {"crm_address": "of-acme-alone", "shop_token": "shared-among-all"},
        GLOBEX: {"shop_token": "of-globex-alone"},
    }


def test_a_workspace_that_breaks_down_begins_again_and_the_other_does_not_notice(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workspaces.tenants.AGAIN_SECONDS", 0.0)
    # Nor does it begin by itself in between.
    monkeypatch.setattr("bot.workspaces.tenants.LOOK_SECONDS", PATIENCE)
    with campus.serving() as host:
        campus.installs(ACME)
        campus.installs(GLOBEX)
        acme, globex = campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()
        card = acme.card(acme.fills())
        broken, sound = host.tenants.all[ACME], host.tenants.all[GLOBEX]
        with host.tenants.entered(ACME) as door:
            door.bot.core.dispatcher.stop()  # Nothing continues its runs any more.
        acme.waits(lambda: broken.is_over or None, "the end of what broke")
        while_down = acme.told("/ops runs")
        host.tenants.look()
        host.tenants.all[ACME].wait(60)
        acme.approve(card)
        acme.ends(acme.roots()[0])

        assert host.tenants.all[ACME] is not broken
        assert host.tenants.all[GLOBEX] is sound
        assert sound.is_open
        assert "run" in globex.told("/ops help")
    assert "dispatcher has ended" in broken.why
    assert "not at work" in while_down


def test_a_token_of_another_workspace_serves_nobody(campus: Campus) -> None:
    with campus.serving():
        campus.installs(ACME)
        campus.installs(GLOBEX)
        installations = campus.registers[-1].installations
        acme, globex = installations.find(ACME), installations.find(GLOBEX)
        assert acme is not None
        assert globex is not None
        assert globex.tokens is not None
        installations.save(replace(acme, tokens=Tokens(bot=globex.tokens.bot)))
    with campus.serving() as host:
        refused = host.tenants.all[ACME]

        assert not refused.is_open
        assert f"stored for {ACME} is that of {GLOBEX}" in refused.why
        assert host.tenants.all[GLOBEX].is_open


def test_a_stranger_at_the_door_for_programs_holds_up_no_company(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked, answered = Installations.find, threading.Event(), threading.Event()

    def slow(self: Installations, ident: str) -> Installation | None:
        if ident == "T0NOBODY":
            asked.set()
            assert answered.wait(PATIENCE)  # As long as a database takes that is away.
            raise StorageUnavailableError("The database cannot be reached.")
        return real(self, ident)

    monkeypatch.setattr(Installations, "find", slow)
    with campus.serving(), ThreadPoolExecutor(1) as pool:
        campus.installs(ACME)
        look = pool.submit(httpx.get, f"{campus.url}/workspaces/T0NOBODY/runs/1", timeout=PATIENCE)
        assert asked.wait(PATIENCE)
        try:
            alive = httpx.get(f"{campus.url}/healthz", timeout=PATIENCE / 3).status_code
        finally:
            answered.set()
        stranger = look.result()

    assert alive == 200
    assert stranger.status_code == 503
    assert stranger.headers["content-type"] == "application/problem+json"


def test_a_workspace_that_is_listed_no_more_is_served_no_more(campus: Campus) -> None:
    with campus.serving():
        campus.installs(ACME)
        campus.installs(GLOBEX)
    campus.environment["INTERLOCK_WORKSPACES"] = GLOBEX
    with campus.serving() as host:
        acme = campus.branch(ACME).joined()

        assert list(host.tenants.all) == [GLOBEX]
        assert "not installed" in acme.told("/ops help")


def test_no_line_of_the_log_holds_what_a_workspace_holds(campus: Campus) -> None:
    campus.environment["INTERLOCK_SECRET_SHOP_TOKEN__T0ACME"] = "of-acme-alone"
    with campus.serving() as host:
        campus.installs(ACME)
        ground: Ground = host.ground
        token = campus.stage.slack.workspaces[ACME].token
        line = ground.secrets(f"Authorization: Bearer {token} of-acme-alone")
        found = ground.register.installations.find(ACME)
        assert found is not None
        redact = read_redactor(settings_of(ground, found), ground.means)

    assert token not in line
    assert "of-acme-alone" not in line
    assert redact.holds(token)


def test_each_line_of_the_log_says_which_workspace_it_is_about(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError

    with written_log() as lines, campus.serving():
        for ident in (ACME, GLOBEX):
            campus.installs(ident)
            branch = campus.branch(ident).joined()
            with monkeypatch.context() as patch:
                patch.setattr(Commands, "reply", defect)
                branch.person("rita").command("/ops runs", channel="#ops")
            with monkeypatch.context() as patch:
                patch.setattr(Outbox, "_deliver", defect)
                branch.told("/ops run refund-customer order=ord_1002 amount=500 reason=Broken")
                told = partial(told_of, lines, "message not delivered", ident)
                branch.waits(told, "a line of the outbox")
    about = {str(line["event"]): told_of(lines, str(line["event"])) for line in lines()}

    assert {one for one, named in about.items() if "" in (named or ())} == set()
    assert about["a listener failed"] == {ACME, GLOBEX}
    assert about["a new log has begun; keep its key outside"] == {ACME, GLOBEX}


Lines: TypeAlias = Callable[[], list[dict[str, object]]]


@contextmanager
def written_log() -> Iterator[Lines]:
    """Write the log as a process does; yield what reads it."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure_logs("INFO", str, form="json", stream=stream)
    try:
        yield lambda: [json.loads(one) for one in stream.getvalue().splitlines()]
    finally:
        root.handlers, root.level = handlers, level


def told_of(lines: Lines, event: str, ident: str = "") -> set[object] | None:
    """Return the workspaces that lines of a kind name, None where none is of `ident`."""
    named = {line.get("workspace", "") for line in lines() if line["event"] == event}
    return None if ident and ident not in named else named


def test_each_workspace_shows_figures_of_its_own_under_its_id(campus: Campus) -> None:
    address = f"127.0.0.1:{free_port()}"
    campus.environment["INTERLOCK_METRICS"] = address
    with campus.serving():
        campus.installs(ACME)
        campus.installs(GLOBEX)
        branch = campus.branch(ACME).joined()
        branch.card(branch.fills())
        acme, globex = (
            read(httpx.get(f"http://{address}/workspaces/{one}/metrics", timeout=PATIENCE).text)
            for one in (ACME, GLOBEX)
        )
        shown = f"http://{address}/workspaces"
        ready = httpx.get(f"{shown}/{ACME}/readyz", timeout=PATIENCE).json()
        stranger = httpx.get(f"{shown}/T0NOBODY/metrics", timeout=PATIENCE)
        elsewhere = httpx.get(f"{campus.url}/workspaces/{ACME}/metrics", timeout=PATIENCE)

    waiting = [one.value("interlock_approval_requests_open") for one in (acme, globex)]
    clicks = [one.value("interlock_click_ack_seconds_count") for one in (acme, globex)]
    assert waiting == [1, 0]
    assert clicks[0] >= 2
    assert clicks[1] == 0
    assert ready["ready"] is True
    assert (stranger.status_code, elsewhere.status_code) == (401, 404)

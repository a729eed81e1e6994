"""A company removes the app while something is open, and perhaps lets it in again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.workspaces.departing import FAREWELLS
from bot.workspaces.host import Host
from sandbox import events, faults
from sandbox.errors import NotPossibleError
from storage.verify import verify_database
from tests.journeys.campus import ACME, GLOBEX, Campus, campus_at

BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try messages that met a token that is gone again at once, not after a minute."""
    monkeypatch.setattr("bot.delivery.SETTINGS_SECONDS", 0.5)


@pytest.fixture
def campus(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Iterator[Campus]:
    database = request.getfixturevalue("postgres_url") if kind == "postgres" else ""
    with campus_at(tmp_path, database=database) as opened:
        yield opened


def gone(campus: Campus, host: Host, ident: str) -> None:
    """Wait until the host serves a workspace no more."""
    campus.branch(ident).waits(lambda: ident not in host.tenants.all or None, "the end")


def farewell(campus: Campus, ident: str, kind: str) -> None:
    """Have Slack tell of an end that may have been long ago."""
    hub = next(
        one for one in campus.stage.slack.hub.cluster.hubs if one.settings.installed_as == ident
    )
    told = events.emit(hub, {"type": kind, "event_ts": hub.state.next_ts()})
    assert told is not None
    campus.branch(ident).waits(lambda: told.settled or None, "an answer")
    assert told.acked, told.failure


@BOTH
def test_a_company_that_removes_the_app_is_served_no_more_and_the_other_is(
    campus: Campus,
) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        campus.installs(GLOBEX)
        acme, globex = campus.branch(ACME).joined(), campus.branch(GLOBEX).joined()
        card = acme.card(acme.fills())
        acme.workspace.uninstall()
        gone(campus, host, ACME)
        (kept,) = [one for one in campus.registers[-1].installations.all() if one.id == ACME]
        with pytest.raises(NotPossibleError):
            acme.approve(card)
        root = globex.fills(Order="ord_1002")
        globex.approve(globex.card(root))
        globex.ends(root)

    assert kept.tokens is None
    assert kept.removed_at is not None
    assert campus.stage.shop.effects("ord_1001") == []
    assert len(campus.stage.shop.effects("ord_1002")) == 1


@BOTH
@pytest.mark.trap(33)
def test_an_open_request_stays_open_and_goes_on_once_the_app_is_back(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        root = acme.fills()
        card = acme.card(root)
        acme.workspace.uninstall()
        gone(campus, host, ACME)
        campus.installs(ACME).raise_for_status()
        acme.joined()
        waiting = acme.told("/ops approvals")
        acme.approve(card)
        acme.ends(root)

    assert "0 of 1 approval" in waiting
    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_a_request_whose_time_was_over_meanwhile_expires_when_the_app_is_back(
    campus: Campus,
) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        root = acme.fills()
        card = acme.card(root)
        acme.workspace.uninstall()
        gone(campus, host, ACME)
        campus.time.ahead += timedelta(days=3)
        campus.installs(ACME).raise_for_status()
        acme.joined()
        acme.ends(root, "expired without a decision")
        settled = acme.waits(
            lambda: one if "Reject" not in (one := acme.now(card)).buttons else None, "no buttons"
        )

    assert "xpired" in settled.words
    assert campus.stage.shop.effects("ord_1001") == []


@BOTH
def test_its_data_stays_and_verifies(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        acme.card(acme.fills())
        with host.tenants.entered(ACME) as door:
            url, vkey = door.bot.core.settings.database_url, door.bot.core.memory.vkey
        acme.workspace.uninstall()
        gone(campus, host, ACME)
    report = verify_database(url, [vkey])

    assert (report.failures, int(report.counts["subjects"]) > 0) == ([], True)


@pytest.mark.parametrize("told", ["app_uninstalled", "tokens_revoked"])
def test_a_farewell_that_comes_late_ends_no_new_installation(campus: Campus, told: str) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        farewell(campus, ACME, told)
        root = acme.fills()
        acme.approve(acme.card(root))
        acme.ends(root)

        assert list(host.tenants.all) == [ACME]


def test_while_slack_cannot_say_it_nothing_is_forgotten(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME)
        # Whoever still begins asks Slack the same, and would take the faults that are meant below.
        acme.waits(lambda: host.tenants.all[ACME].is_open or None, "a workspace that is served")
        acme.workspace.faults.next("auth.test", faults.server_error(), times=2)
        acme.workspace.uninstall()
        # Slack tells it again after a second, and once more five seconds later.
        gone(campus, host, ACME)
        told = acme.workspace.recorder.deliveries()
        # Which of the two farewells meets the faults, or whether one meets both, is chance.
        failures = {one.failure for one in told if one.type in FAREWELLS and one.failure}

    assert failures == {"HTTP 503"}


def test_a_farewell_that_cannot_be_recorded_is_told_again(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME)
        acme.waits(lambda: host.tenants.all[ACME].is_open or None, "a workspace that is served")
        with campus.register_held():
            acme.workspace.uninstall()
            told = acme.workspace.recorder.deliveries
            first = acme.waits(lambda: next(iter(told("app_uninstalled")), None), "the farewell")
            acme.waits(lambda: first.settled or None, "an answer to it")
        gone(campus, host, ACME)

    assert first.failure == "HTTP 503"


def test_what_comes_for_a_company_that_left_is_answered_clearly(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        acme.workspace.uninstall()
        gone(campus, host, ACME)
        # Slack still delivers what was under way.
        acme.workspace._hub.state.installed = True  # noqa: SLF001
        typed = acme.told("/ops help")

    assert "not installed in this workspace" in typed

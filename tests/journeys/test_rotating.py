"""Tokens that expire, are renewed, or are taken back in the middle of a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.workspaces.host import Host
from bot.workspaces.renewing import Renewing
from sandbox import events, faults
from sandbox.delivery.envelope import Delivery
from sandbox.recorder import Call
from storage.installations import Installation, Installations
from tests.journeys.campus import ACME, GLOBEX, Branch, Campus, campus_at
from tests.journeys.company import PATIENCE
from workflows.errors import StorageError

HOURS = timedelta(hours=10, minutes=1)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try messages that met a token that is gone again at once, not after a minute."""
    monkeypatch.setattr("bot.delivery.SETTINGS_SECONDS", 0.5)


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    with campus_at(tmp_path, rotates=True) as opened:
        yield opened


@contextmanager
def at_work(campus: Campus) -> Iterator[tuple[Host, Branch]]:
    with campus.serving() as host:
        campus.installs(ACME).raise_for_status()
        yield host, campus.branch(ACME).joined()


def refreshes(acme: Branch, *, ok: bool | None = None) -> list[Call]:
    calls = acme.workspace.recorder.calls("oauth.v2.access", ok=ok)
    return [one for one in calls if one.arguments.get("grant_type") == "refresh_token"]


def trouble_of(campus: Campus) -> str:
    found = campus.registers[-1].installations.find(ACME)
    return found.trouble if found is not None else ""


def stored(campus: Campus) -> str:
    return bot_token(campus.registers[-1].installations.find(ACME))


def bot_token(found: Installation | None) -> str:
    assert found is not None
    assert found.tokens is not None
    return found.tokens.bot


def test_a_token_is_renewed_when_two_hours_are_left_and_no_run_notices(campus: Campus) -> None:
    with at_work(campus) as (host, acme):
        first = acme.workspace.token
        card = acme.card(acme.fills())
        host.tenants.look()
        early = refreshes(acme)
        campus.time.ahead += HOURS
        host.tenants.look()
        host.tenants.look()
        acme.workspace._hub.state.grants[first].expires = 0.0  # noqa: SLF001 - its time is over.
        acme.approve(card)
        acme.ends(acme.roots()[0])
        kept = stored(campus)

    assert early == []
    assert len(refreshes(acme, ok=True)) == 1
    assert kept == acme.workspace.token != first
    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_a_token_that_the_register_cannot_take_yet_is_used_and_stored_later(
    campus: Campus,
) -> None:
    with at_work(campus) as (host, acme):
        first = stored(campus)
        campus.time.ahead += HOURS
        acme.workspace.faults.next("oauth.v2.access", faults.slow(1.0))
        looking = threading.Thread(target=host.tenants.look)
        looking.start()
        acme.waits(lambda: refreshes(acme) or None, "the renewal to be asked for")
        with campus.register_held():
            looking.join()
        meanwhile = stored(campus)
        acme.workspace._hub.state.grants[first].expires = 0.0  # noqa: SLF001 - its time is over.
        root = acme.fills()
        host.tenants.look()
        kept = stored(campus)

    assert root
    assert meanwhile == first
    assert kept == acme.workspace.token != first
    assert len(refreshes(acme)) == 1


@pytest.mark.trap(32)
def test_two_hosts_at_one_register_renew_once(campus: Campus) -> None:
    with at_work(campus) as (host, acme):
        campus.time.ahead += HOURS
        acme.workspace.faults.next("oauth.v2.access", faults.slow(0.5))
        installations = campus.registers[-1].installations
        found = installations.find(ACME)
        assert found is not None
        right = installations.take_renewal(ACME)  # As the other host does first.
        host.tenants.look()
        assert right is not None
        installations.give_back(right)
        host.tenants.look()

    assert len(refreshes(acme)) == 1


@pytest.mark.trap(32)
def test_a_token_that_expires_in_the_middle_of_a_run_is_renewed_and_nothing_is_lost(
    campus: Campus,
) -> None:
    with at_work(campus) as (_, acme):
        card = acme.card(acme.fills())
        campus.time.ahead += timedelta(hours=12)
        acme.workspace.expire_token()
        # The next message meets the dead token, and that is noticed at once.
        acme.told("/ops run refund-customer order=ord_1002 amount=500 reason=Broken")
        acme.waits(lambda: refreshes(acme, ok=True) or None, "a renewal")
        acme.waits(lambda: len(acme.roots()) == 2 or None, "the message that waited")
        acme.approve(card)
        acme.ends(acme.roots()[0])

    assert len(campus.stage.shop.effects("ord_1001")) == 1


@pytest.mark.parametrize("fault", [KeyError("access_token"), StorageError("The disk is full.")])
def test_what_comes_of_one_renewal_keeps_no_other_company_from_its_bot(
    campus: Campus, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    with campus.serving():
        campus.installs(ACME).raise_for_status()
        campus.installs(GLOBEX).raise_for_status()
    campus.time.ahead += HOURS
    real = Renewing.fresh

    def fresh(self: Renewing, found: Installation) -> Installation:
        if found.id == ACME:
            raise fault
        return real(self, found)

    monkeypatch.setattr(Renewing, "fresh", fresh)
    with campus.serving() as host:
        acme, globex = host.tenants.all[ACME], host.tenants.all[GLOBEX]
        refreshed = refreshes(campus.branch(GLOBEX), ok=True)

        assert (acme.is_open, globex.is_open) == (True, True)  # Two hours are left of the token.
    assert len(refreshed) == 1


def test_a_host_that_was_away_for_days_renews_before_it_starts(campus: Campus) -> None:
    with at_work(campus) as (_, acme):
        card = acme.card(acme.fills())
    campus.time.ahead += timedelta(hours=20)
    acme.workspace.expire_token()
    with campus.serving():
        acme.approve(card)
        acme.ends(acme.roots()[0])

    assert len(refreshes(acme, ok=True)) == 1


def test_a_token_that_was_got_by_a_clock_that_ran_ahead_is_renewed_once_it_is_right(
    campus: Campus,
) -> None:
    with at_work(campus) as (host, acme):
        campus.time.ahead += timedelta(days=365)
        host.tenants.look()
        campus.time.ahead -= timedelta(days=365)
        host.tenants.look()
        host.tenants.look()

    assert len(refreshes(acme, ok=True)) == 2


def test_a_token_that_slack_calls_expired_is_renewed_whatever_the_clock_says(
    campus: Campus,
) -> None:
    with at_work(campus) as (_, acme):
        acme.workspace.expire_token()
        acme.told("/ops run refund-customer order=ord_1002 amount=500 reason=Broken")
        acme.waits(lambda: refreshes(acme, ok=True) or None, "a renewal")
        acme.waits(lambda: stored(campus) == acme.workspace.token or None, "its token to be kept")
        card = acme.card(acme.fills())

    assert card
    assert len(refreshes(acme)) == 1


def test_an_expired_token_is_renewed_although_the_register_could_not_be_told(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only what a workspace tells of its token has it renewed here, the clock does not.
    monkeypatch.setattr("bot.workspaces.tenants.LOOK_SECONDS", PATIENCE)
    real, refused = Installations.note_trouble, threading.Event()

    def full(self: Installations, ident: str, trouble: str) -> None:
        if refused.is_set():
            real(self, ident, trouble)
            return
        refused.set()
        raise StorageError("The disk is full.")

    monkeypatch.setattr(Installations, "note_trouble", full)
    with at_work(campus) as (_, acme):
        acme.workspace.expire_token()
        acme.told("/ops run refund-customer order=ord_1002 amount=500 reason=Broken")
        acme.waits(lambda: refreshes(acme, ok=True) or None, "a renewal")

    assert refused.is_set()


def test_the_operator_is_told_when_a_token_cannot_be_renewed(
    campus: Campus, caplog: pytest.LogCaptureFixture
) -> None:
    with at_work(campus) as (host, acme):
        campus.time.ahead += HOURS
        for grant in acme.workspace._hub.state.grants.values():  # noqa: SLF001
            grant.refresh = ""  # Slack gave it away, and the answer was lost.
        host.tenants.look()
        host.tenants.look()
        told = campus.registers[-1].installations.find(ACME)
        still = acme.told("/ops runs")
    lines = [one for one in caplog.records if one.getMessage() == "a token is not renewed"]

    assert told is not None
    assert told.trouble == "its token could not be renewed (invalid_refresh_token)"
    assert len(lines) == 1
    assert still  # The token at hand is good for two hours more.


def farewell(acme: Branch) -> Delivery:
    """Have Slack say that tokens were revoked: those of a person who left, perhaps."""
    hub = acme.workspace._hub  # noqa: SLF001 - there is no gesture for it.
    told = events.emit(hub, {"type": "tokens_revoked", "event_ts": hub.state.next_ts()})
    assert told is not None
    acme.waits(lambda: told.settled or None, "an answer")
    return told


@pytest.mark.trap(32)
def test_a_farewell_that_finds_the_token_expired_takes_no_company_away(campus: Campus) -> None:
    with at_work(campus) as (host, acme):
        acme.workspace.expire_token()
        told = farewell(acme)
        kept = stored(campus)
        in_use = host.tenants.all[ACME]
        acme.waits(lambda: bot_token(in_use.installation) == kept or None, "the new token in use")
        root = acme.fills()

    assert told.acked, told.failure
    assert kept == acme.workspace.token
    assert len(refreshes(acme, ok=True)) == 1
    assert root


@pytest.mark.parametrize(
    "fault", [faults.server_error(), faults.refuse("bad_client_secret"), faults.rate_limited()]
)
def test_a_farewell_forgets_no_refresh_token_while_slack_renews_nothing(
    campus: Campus, fault: faults.Fault
) -> None:
    with at_work(campus) as (_, acme):
        acme.workspace.faults.next("oauth.v2.access", fault, times=1_000)
        acme.workspace.expire_token()
        told = farewell(acme)
        meanwhile = stored(campus)
        acme.workspace.faults.clear()
        # Where the host's own renewal is just under way, it is refused once more, and comes again.
        taken = any(farewell(acme).acked for _ in range(100))
        kept = stored(campus)

    assert told.failure == "HTTP 503"
    assert meanwhile
    assert taken
    assert kept == acme.workspace.token != meanwhile


def test_a_farewell_waits_for_whoever_renews_the_token_just_now(campus: Campus) -> None:
    with at_work(campus) as (_, acme):
        acme.workspace.expire_token()
        installations = campus.registers[-1].installations
        right = installations.take_renewal(ACME, expired=stored(campus))
        assert right is not None
        told = farewell(acme)
        kept = stored(campus)
        installations.give_back(right)

    assert told.failure == "HTTP 503"
    assert kept


def test_a_farewell_that_finds_nothing_to_renew_with_ends_it(campus: Campus) -> None:
    with at_work(campus) as (host, acme):
        for grant in acme.workspace._hub.state.grants.values():  # noqa: SLF001
            grant.refresh = ""
        acme.workspace.expire_token()
        farewell(acme)
        acme.waits(lambda: ACME not in host.tenants.all or None, "the end")
        found = campus.registers[-1].installations.find(ACME)

    assert found is not None
    assert found.tokens is None


@pytest.mark.trap(32)
def test_messages_wait_for_a_token_that_was_taken_back(
    campus: Campus, caplog: pytest.LogCaptureFixture
) -> None:
    with at_work(campus) as (_, acme):
        revoked = faults.refuse("token_revoked")
        acme.workspace.faults.next("chat.postMessage", revoked, times=1_000)
        acme.told("/ops run refund-customer order=ord_1001 amount=500 reason=Broken")
        trouble = acme.waits(lambda: trouble_of(campus) or None, "a word to the operator")
        waiting = acme.roots()
        acme.workspace.faults.clear()
        campus.installs(ACME).raise_for_status()
        root = acme.waits(lambda: next(iter(acme.roots()), None), "the message that waited")
        acme.approve(acme.card(root))
        acme.ends(root)
        mended = campus.registers[-1].installations.find(ACME)

    assert waiting == []
    assert trouble == "Slack refuses its bot (token_revoked)"
    assert "Slack refuses a workspace's bot" in caplog.text
    assert mended is not None
    assert mended.trouble == ""
    assert len(campus.stage.shop.effects("ord_1001")) == 1

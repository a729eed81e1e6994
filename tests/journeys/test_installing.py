"""How the app comes into a workspace: what people see, what is kept, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from sandbox import faults
from tests.journeys.campus import ACME, GLOBEX, Campus, campus_at
from tests.journeys.company import PATIENCE

BROKEN = "rules: nonsense\n"
LACKING = ("usergroups:read", "files:write")


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    with campus_at(tmp_path) as opened:
        yield opened


def installed(campus: Campus) -> list[str]:
    return [one.id for one in campus.registers[-1].installations.all() if one.tokens]


def test_the_page_leads_to_slack_with_what_the_manifest_asks_for(campus: Campus) -> None:
    with campus.serving():
        page = httpx.get(f"{campus.url}/slack/install", timeout=PATIENCE)
        link, cookie = campus.begin()
    asked = dict(httpx.URL(link).params)

    assert "Add to Slack" in page.text
    assert "HttpOnly" in page.headers["set-cookie"]
    assert "Secure" in page.headers["set-cookie"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert asked["state"] in cookie
    assert asked["redirect_uri"] == f"{campus.url}/slack/oauth_redirect"
    assert "usergroups:read" in asked["scope"]


def test_what_stands_in_our_address_adds_nothing_to_slacks(campus: Campus) -> None:
    with campus.serving():
        address = f"{campus.url}/slack/install?team=T0ACME"
        page = httpx.get(f"{address}%26scope%3Dadmin%22%3E", timeout=PATIENCE)
        plain = httpx.get(address, timeout=PATIENCE)

    assert "admin" not in page.text
    assert "team=T0ACME" in plain.text


def test_whoever_installed_it_is_told_what_to_do_next(campus: Campus) -> None:
    with campus.serving():
        done = campus.installs(ACME)

    assert done.status_code == 200
    assert "/invite @interlock" in done.text
    assert "/ops help" in done.text
    assert done.headers["referrer-policy"] == "no-referrer"
    assert "slack-app-oauth-state=deleted" in done.headers["set-cookie"]


def test_a_token_stands_in_no_file_of_the_host(campus: Campus) -> None:
    with campus.serving():
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        acme.card(acme.fills())
        token = campus.stage.slack.workspaces[ACME].token
    home = Path(campus.environment["INTERLOCK_HOME"])
    files = [one for one in home.rglob("*") if one.is_file()]
    holding = [one.name for one in files if token.encode() in one.read_bytes()]

    assert token
    assert (home / "installations.db") in files
    assert (campus.home(ACME) / "interlock.db") in files
    assert holding == []


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("cancelled", 200, "Slack was told not to."),
        ("another browser", 400, "This browser did not begin"),
        ("no cookie", 400, "This browser did not begin"),
        ("twice", 401, "was done before"),
        ("too late", 401, "longer than ten minutes"),
        ("no code", 401, "Slack sent no code."),
        ("wrong code", 401, "did not take the code"),
    ],
)
def test_an_installation_that_comes_to_nothing_says_why(
    campus: Campus, how: str, status: int, words: str
) -> None:
    with campus.serving():
        link, cookie = campus.begin()
        answer = "cancel" if how == "cancelled" else "allow"
        address = campus.agree(link, ACME, answer=answer)
        if how == "another browser":
            _, cookie = campus.begin()
        if how == "no cookie":
            cookie = "other=1"
        if how == "twice":
            campus.finish(address, cookie).raise_for_status()
        if how == "too late":
            campus.time.ahead += timedelta(seconds=601)
        if how == "no code":
            address = str(httpx.URL(address).copy_remove_param("code"))
        if how == "wrong code":
            address = str(httpx.URL(address).copy_set_param("code", "1.2.nonsense"))
        done = campus.finish(address, cookie)
        kept = installed(campus)

    assert done.status_code == status
    assert words in done.text
    assert kept == ([ACME] if how == "twice" else [])


def test_an_installation_without_a_bot_takes_no_place_of_the_one_there_is(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME).raise_for_status()
        first = host.tenants.all[ACME]
        link, cookie = campus.begin()
        # Whoever begins may write into Slack's address what they like.
        asked = httpx.URL(link).copy_merge_params({"scope": "", "user_scope": "users:read"})
        done = campus.finish(campus.agree(str(asked), ACME), cookie)
        host.tenants.look()
        acme = campus.branch(ACME).joined()
        root = acme.fills()

        assert host.tenants.all[ACME] is first
    assert done.status_code == 400
    assert "without a bot" in done.text
    assert installed(campus) == [ACME]
    assert root


def test_an_installation_that_lacks_scopes_says_which(campus: Campus) -> None:
    with campus.serving():
        link, cookie = campus.begin()
        url = httpx.URL(link)
        fewer = ",".join(one for one in url.params["scope"].split(",") if one not in LACKING)
        done = campus.finish(campus.agree(str(url.copy_set_param("scope", fewer)), ACME), cookie)
        found = campus.registers[-1].installations.find(ACME)

    assert "usergroups:read" in done.text
    assert "files:write" not in done.text  # The bot works without.
    assert found is not None
    assert found.trouble == "it was installed without usergroups:read"


def test_slack_being_away_is_no_defect(campus: Campus) -> None:
    with campus.serving():
        link, cookie = campus.begin()
        address = campus.agree(link, ACME)
        campus.stage.slack.workspaces[ACME].faults.next("oauth.v2.access", faults.reset())
        done = campus.finish(address, cookie)
        kept = installed(campus)

    assert done.status_code == 502
    assert "Slack did not answer in time." in done.text
    assert kept == []


def test_a_register_that_can_record_nothing_is_said_on_both_pages(campus: Campus) -> None:
    with campus.serving():
        link, cookie = campus.begin()
        agreed = campus.agree(link, ACME)
        with campus.register_held():
            first = httpx.get(f"{campus.url}/slack/install", timeout=PATIENCE)
            second = campus.finish(agreed, cookie)
        again = campus.installs(ACME)

    assert (first.status_code, second.status_code, again.status_code) == (503, 503, 200)
    for page in (first, second):
        assert "Interlock was not installed" in page.text
        assert "The database is locked." in page.text
        assert "Try again in a moment." in page.text


def test_a_workspace_that_is_not_served_leaves_nothing_behind(campus: Campus) -> None:
    campus.environment["INTERLOCK_WORKSPACES"] = ACME
    with campus.serving() as host:
        done = campus.installs(GLOBEX)
        served, kept = list(host.tenants.all), installed(campus)
    globex = campus.stage.slack.workspaces[GLOBEX]

    assert done.status_code == 403
    assert "T0GLOBEX" in done.text
    assert kept == served == []
    assert globex.recorder.calls("auth.revoke", ok=True)
    assert not campus.home(GLOBEX).exists()


def test_a_name_with_markup_in_it_stays_a_name(campus: Campus) -> None:
    hub = campus.stage.slack.hub
    hub.state.settings = replace(hub.state.settings, team_name="<script>alert(1)</script>")
    with campus.serving():
        done = campus.installs(ACME)

    assert "<script>" not in done.text
    assert "&lt;script&gt;" in done.text


def test_installed_again_it_goes_on_with_the_new_token(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        first = host.tenants.all[ACME]
        campus.stage.slack.workspaces[ACME].uninstall(tells=False)
        campus.installs(ACME).raise_for_status()
        acme.joined()
        root = acme.fills()
        acme.approve(acme.card(root))
        acme.ends(root)

        assert host.tenants.all[ACME] is first
    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_a_workspace_that_cannot_begin_is_told_so_and_begins_later(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workspaces.tenants.AGAIN_SECONDS", 0.0)
    # Nor does it begin by itself in between.
    monkeypatch.setattr("bot.workspaces.tenants.LOOK_SECONDS", PATIENCE)
    policy = Path(campus.environment["INTERLOCK_POLICY"])
    sound = policy.read_text()
    policy.write_text(BROKEN)
    with campus.serving() as host:
        done = campus.installs(ACME)
        refused = host.tenants.all[ACME].why
        policy.write_text(sound)
        acme = campus.branch(ACME).joined()
        not_yet = acme.told("/ops help")
        host.tenants.look()
        host.tenants.all[ACME].wait(60)
        then = acme.told("/ops runs")

    assert "not at work yet" in done.text
    assert "policy" in refused
    assert "not at work for this workspace" in not_yet
    assert "run" in then


def test_a_host_that_starts_again_serves_whom_it_served(campus: Campus) -> None:
    with campus.serving():
        campus.installs(ACME)
        acme = campus.branch(ACME).joined()
        card = acme.card(acme.fills())
    with campus.serving():
        acme.approve(card)
        acme.ends(acme.roots()[0])

    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_a_run_that_begins_before_anybody_invited_the_bot_waits_for_that(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.INVITATION_SECONDS", 0.2)
    with campus.serving() as host:
        campus.installs(ACME)
        campus.starts(host, ACME)
        acme = campus.branch(ACME)
        calls = acme.workspace.recorder.calls
        acme.waits(lambda: calls("chat.postMessage", ok=False) or None, "a refused post")
        acme.joined()
        root = acme.waits(lambda: next(iter(acme.roots()), None), "the thread")
        acme.approve(acme.card(root))
        acme.ends(root)

    assert len(campus.stage.shop.effects("ord_1001")) == 1


def test_an_hour_later_a_channel_without_the_bot_stops_the_run_as_ever(campus: Campus) -> None:
    with campus.serving() as host:
        campus.installs(ACME)
        campus.time.ahead += timedelta(hours=1)
        run = campus.starts(host, ACME)
        acme = campus.branch(ACME)
        acme.waits(lambda: "stopped" in acme.told("/ops runs") or None, "a run that stopped")
        told = acme.person("rita").wait_for_notification("I could not post about run")

    assert run in told.text
    assert campus.stage.shop.effects("ord_1001") == []

"""Several workspaces behind one address: the token says which, and the app has to be installed."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.errors import NotPossibleError
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import BOT_EVENTS, AppSettings, Organisation, SandboxSettings
from tests.sandbox.hand_clock import Clock

REDIRECT = "https://ops.example.com/slack/oauth_redirect"
GONE = frozenset({"app_uninstalled", "tokens_revoked"})
ORG = Organisation(id="E0ORG", name="Northwind", teams={"T0NORTH": "North", "T0SOUTH": "South"})


@pytest.fixture
def rotates() -> bool:
    return False


@pytest.fixture
def server(clock: Clock, *, rotates: bool) -> Iterator[SandboxServer]:
    app = AppSettings(redirect_urls=(REDIRECT,), rotates=rotates, events=BOT_EVENTS | GONE)
    acme = SandboxSettings(app=app, clock=clock, rate_scale=None, retry_delays=())
    globex = acme.neighbour(team="T0GLOBEX", team_name="Globex", installed=False)
    north = acme.neighbour(
        team="T0NORTH", team_name="North", domain="north", installed=False, organisation=ORG
    )
    with SandboxServer(acme, others=[globex, north]) as running:
        for ident in ("T0ACME", "T0GLOBEX"):
            seed(running.workspaces[ident])
        yield running


def slack(server: SandboxServer, token: str | None = None) -> WebClient:
    return WebClient(token=token, base_url=server.api_url, retry_handlers=[], timeout=10)


def agreed(server: SandboxServer, team: str, *, answer: str = "allow", **asked: str) -> httpx.URL:
    """Send the form of the page; return where it leads."""
    said = {
        "client_id": server.settings.app.client_id,
        "scope": "chat:write,commands",
        "state": "from-the-app",
        "redirect_uri": REDIRECT,
        **asked,
    }
    page = httpx.get(f"{server.url}/oauth/v2/authorize", params=said)
    page.raise_for_status()
    sent = httpx.post(
        f"{server.url}/oauth/v2/authorize", data={**said, "team": team, "answer": answer}
    )
    return httpx.URL(sent.headers["location"])


def exchanged(server: SandboxServer, team: str, **changed: str) -> dict[str, object]:
    app = server.settings.app
    said = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "code": agreed(server, team).params["code"],
        "redirect_uri": REDIRECT,
        **changed,
    }
    return dict(slack(server).oauth_v2_access(**said).data)  # type: ignore[arg-type]


def refused(call) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(SlackApiError) as error:
        call()
    return str(error.value.response["error"])


def test_the_token_says_which_workspace_is_meant(server: SandboxServer) -> None:
    token = str(exchanged(server, "T0GLOBEX")["access_token"])
    server.workspaces["T0GLOBEX"].join("interlock", "ops")
    slack(server, token).chat_postMessage(channel="C0OPS", text="Hello Globex")

    assert slack(server, server.bot_token).auth_test()["team_id"] == "T0ACME"
    assert slack(server, token).auth_test()["team_id"] == "T0GLOBEX"
    assert server.workspaces["T0ACME"].messages("#ops") == []
    assert [one.text for one in server.workspaces["T0GLOBEX"].messages("#ops")] == ["Hello Globex"]
    assert not server.workspaces["T0ACME"].recorder.calls("chat.postMessage")


def test_a_workspace_without_the_app_knows_neither_its_command_nor_its_token(
    server: SandboxServer,
) -> None:
    globex = server.workspaces["T0GLOBEX"]
    token = server.settings.neighbour(team="T0GLOBEX", team_name="Globex").app.bot_token
    with pytest.raises(NotPossibleError, match="not installed"):
        globex.person("rita").command("/ops help")
    globex.person("rita").say("hello")

    assert refused(lambda: slack(server, token).auth_test()) == "invalid_auth"
    assert globex.recorder.deliveries() == []


def test_whoever_agrees_comes_back_with_a_code_and_the_state(server: SandboxServer) -> None:
    came = agreed(server, "T0GLOBEX")
    gone = agreed(server, "T0GLOBEX", answer="cancel")

    assert str(came).startswith(f"{REDIRECT}?")
    assert came.params["state"] == "from-the-app"
    assert parse_qs(urlsplit(str(gone)).query) == {
        "error": ["access_denied"],
        "state": ["from-the-app"],
    }


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"client_id": "9.9"}, "invalid_client_id"),
        ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
        ({"scope": "chat:write,admin"}, "invalid_scope: admin"),
    ],
)
def test_the_page_refuses_what_the_app_is_not_set_up_for(
    server: SandboxServer, asked: dict[str, str], problem: str
) -> None:
    said = {"client_id": server.settings.app.client_id, "scope": "chat:write", **asked}
    page = httpx.get(f"{server.url}/oauth/v2/authorize", params=said)

    assert page.status_code == 400
    assert problem in page.text


def test_a_code_is_good_once_and_for_ten_minutes(server: SandboxServer, clock: Clock) -> None:
    used = agreed(server, "T0GLOBEX").params["code"]
    old = agreed(server, "T0GLOBEX").params["code"]
    exchanged(server, "T0GLOBEX", code=used)

    assert refused(lambda: exchanged(server, "T0GLOBEX", code=used)) == "code_already_used"
    assert refused(lambda: exchanged(server, "T0GLOBEX", code="nonsense")) == "invalid_code"
    clock.at += 600
    assert refused(lambda: exchanged(server, "T0GLOBEX", code=old)) == "invalid_code"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "9.9"}, "invalid_client_id"),
        ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
    ],
)
def test_a_code_is_exchanged_by_the_app_alone(
    server: SandboxServer, changed: dict[str, str], error: str
) -> None:
    assert refused(lambda: exchanged(server, "T0GLOBEX", **changed)) == error


def test_the_bot_can_do_what_was_agreed_to_and_no_more(server: SandboxServer) -> None:
    token = str(exchanged(server, "T0GLOBEX")["access_token"])

    assert refused(lambda: slack(server, token).users_info(user="U0RITA")) == "missing_scope"
    assert slack(server, server.bot_token).users_info(user="U0RITA")["ok"]


def test_installed_again_without_rotation_it_has_the_same_token(server: SandboxServer) -> None:
    first = exchanged(server, "T0GLOBEX")

    assert "refresh_token" not in first
    assert exchanged(server, "T0GLOBEX")["access_token"] == first["access_token"]


@pytest.mark.parametrize("rotates", [True])
def test_with_rotation_a_token_lasts_twelve_hours_and_is_renewed_once(
    server: SandboxServer, clock: Clock
) -> None:
    app = server.settings.app
    first = exchanged(server, "T0GLOBEX")
    refresh = {"grant_type": "refresh_token", "refresh_token": str(first["refresh_token"])}
    asked = {"client_id": app.client_id, "client_secret": app.client_secret, **refresh}
    second = slack(server).oauth_v2_access(**asked)  # type: ignore[arg-type]
    old, new = str(first["access_token"]), str(second["access_token"])

    assert first["expires_in"] == second["expires_in"] == 43_200
    assert slack(server, old).auth_test()["ok"]  # Until its time is over.
    assert slack(server, new).auth_test()["ok"]
    again = refused(lambda: slack(server).oauth_v2_access(**asked))  # type: ignore[arg-type]
    assert again == "invalid_refresh_token"
    clock.at += 43_200
    assert refused(lambda: slack(server, old).auth_test()) == "token_expired"


@pytest.mark.parametrize("ends", ["uninstall", "revoke"])
def test_an_installation_that_ends_takes_its_token_and_its_places_along(
    server: SandboxServer, ends: str
) -> None:
    acme = server.workspaces["T0ACME"]
    if ends == "uninstall":
        acme.uninstall()
    else:
        slack(server, server.bot_token).auth_revoke()
    told = [one.type for one in acme.recorder.deliveries("events_api")]

    assert told == ["tokens_revoked", "app_uninstalled"]
    assert refused(lambda: slack(server, server.bot_token).auth_test()) in {
        "account_inactive",
        "token_revoked",
    }
    assert acme.bot.id not in acme.channel("ops").members


def test_an_organisation_is_one_installation_of_many_workspaces(server: SandboxServer) -> None:
    north = server.workspaces["E0ORG"]
    north.add_person("nora", teams=["T0NORTH", "T0SOUTH"], admin=True)
    north.add_channel("ops", members=["nora"], team="T0NORTH", bot=False)
    north.add_group("leads", members=["nora"], team="T0SOUTH")
    told = exchanged(server, "E0ORG")
    client = slack(server, str(told["access_token"]))

    assert told["team"] is None
    assert told["enterprise"] == {"id": "E0ORG", "name": "Northwind"}
    assert told["is_enterprise_install"] is True
    assert client.auth_test()["enterprise_id"] == "E0ORG"
    teams = client.api_call("auth.teams.list")["teams"]
    assert [one["id"] for one in teams] == ["T0NORTH", "T0SOUTH"]


def test_a_list_of_an_organisation_says_of_which_workspace(server: SandboxServer) -> None:
    north = server.workspaces["E0ORG"]
    north.add_person("nora", teams=["T0NORTH", "T0SOUTH"])
    north.add_person("sven", teams=["T0SOUTH"])
    north.add_group("leads", members=["sven"], team="T0SOUTH")
    exchanged(server, "E0ORG", code=agreed_all(server, "E0ORG"))
    client = slack(server, north.token)

    def people(team: str) -> list[str]:
        listed = client.users_list(team_id=team)["members"]
        return [one["id"] for one in listed if not one["is_bot"]]

    assert refused(client.users_list) == "missing_argument"
    assert refused(client.usergroups_list) == "missing_argument"
    assert people("T0NORTH") == ["W0NORA"]
    assert people("T0SOUTH") == ["W0NORA", "W0SVEN"]
    assert client.usergroups_list(team_id="T0NORTH")["usergroups"] == []
    assert client.users_info(user="W0SVEN")["user"]["enterprise_user"]["teams"] == ["T0SOUTH"]


def agreed_all(server: SandboxServer, team: str) -> str:
    scopes = ",".join(sorted(server.settings.app.scopes))
    return str(agreed(server, team, scope=scopes).params["code"])


def test_what_people_of_an_organisation_do_names_no_workspace_but_their_own(
    server: SandboxServer,
) -> None:
    north = server.workspaces["E0ORG"]
    nora = north.add_person("nora", teams=["T0NORTH", "T0SOUTH"])
    exchanged(server, "E0ORG")
    north.add_channel("ops", members=["nora"])
    nora.goes_to("T0SOUTH")
    nora.command("/ops help")
    nora.shortcut("anything")
    typed, used = (one.payload for one in north.recorder.deliveries()[-2:])

    assert (typed["team_id"], typed["enterprise_id"]) == ("T0SOUTH", "E0ORG")
    assert typed["is_enterprise_install"] == "true"
    assert used["team"] is None
    assert used["enterprise"]["id"] == "E0ORG"
    assert used["user"] == {
        "id": "W0NORA",
        "username": "nora",
        "name": "nora",
        "team_id": "T0SOUTH",
    }

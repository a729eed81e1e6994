"""Whom a signed request is for, and what is said when nobody is there to take it."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest, BoltResponse

from bot.views.pieces import Rendered
from bot.workspaces.door import closed
from bot.workspaces.reception import Reception, installation_in
from bot.workspaces.tenants import UnknownWorkspaceError

SECRET = "8f742231b10e8888"
FORM = "application/x-www-form-urlencoded"


@dataclass
class App:
    """Bolt's app of one workspace, as far as the reception knows it."""

    ident: str

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        assert request.body
        return BoltResponse(status=200, body={"text": self.ident})


@dataclass
class Door:
    app: App


@dataclass
class Tenants:
    """Acme is at work, Globex is starting, nobody else has the app."""

    asked: list[str] = field(default_factory=list)

    @contextmanager
    def entered(self, ident: str) -> Iterator[Door]:
        self.asked.append(ident)
        if ident == "T0GLOBEX":
            raise closed()
        if ident not in ("T0ACME", "E0ORG"):
            raise UnknownWorkspaceError("I am not installed in this workspace.")
        yield Door(App(ident))


@dataclass
class Departing:
    considered: list[str] = field(default_factory=list)

    def consider(self, ident: str) -> None:
        self.considered.append(ident)


@dataclass
class Voice:
    said: list[tuple[str, str]] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)

    def answer(self, url: str, shown: Rendered, *, replace: bool = False, thread: str = "") -> None:
        assert not replace
        self.said.append((url, shown.text))
        self.threads.append(thread)


@dataclass
class Desk:
    tenants: Tenants = field(default_factory=Tenants)
    departing: Departing = field(default_factory=Departing)
    voice: Voice = field(default_factory=Voice)

    def takes(
        self, body: Mapping[str, Any], *, secret: str = SECRET, at: float = 0.0
    ) -> BoltResponse:
        reception = Reception(
            self.tenants,  # type: ignore[arg-type]
            self.departing,  # type: ignore[arg-type]
            signing_secret=SECRET,
            voice=self.voice,  # type: ignore[arg-type]
        )
        return reception.dispatch(signed(body, secret=secret, at=at or time.time()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def written(body: Mapping[str, Any]) -> tuple[str, str]:
    if "command" in body or "ssl_check" in body:
        return FORM, urlencode(body)
    if body.get("type") in ("event_callback", "url_verification"):
        return "application/json", json.dumps(body)
    return FORM, urlencode({"payload": json.dumps(body)})


def signed(body: Mapping[str, Any], *, secret: str, at: float) -> BoltRequest:
    kind, text = written(body)
    stamp = str(int(at))
    base = f"v0:{stamp}:{text}".encode()
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    headers = {
        "content-type": kind,
        "x-slack-signature": signature,
        "x-slack-request-timestamp": stamp,
    }
    return BoltRequest(body=text, headers=headers)


def command(team: str, **more: str) -> dict[str, str]:
    return {"command": "/ops", "text": "runs", "team_id": team, "user_id": "U0RITA", **more}


def click(team: str | None, **more: object) -> dict[str, object]:
    return {
        "type": "block_actions",
        "team": None if team is None else {"id": team},
        "user": {"id": "U0RITA", "team_id": team or "T0NORTH"},
        "actions": [{"action_id": "request.approve"}],
        "response_url": "https://hooks.slack.example/actions/1",
        **more,
    }


def event(team: str, kind: str = "app_mention", **more: object) -> dict[str, object]:
    return {"type": "event_callback", "team_id": team, "event": {"type": kind}, **more}


ORG = {"enterprise": {"id": "E0ORG"}, "is_enterprise_install": True}
OF_ORG = {"enterprise_id": "E0ORG", "team_id": "T0NORTH", "is_enterprise_install": True}


@pytest.mark.parametrize(
    ("body", "ident"),
    [
        (command("T0ACME"), "T0ACME"),
        (click("T0ACME"), "T0ACME"),
        (event("T0ACME"), "T0ACME"),
        # What somebody of Globex does in a shared channel of Acme's.
        (click("T0ACME", user={"id": "U0CONNIE", "team_id": "T0GLOBEX"}), "T0ACME"),
        (
            event("T0GLOBEX", authorizations=[{"team_id": "T0ACME", "enterprise_id": None}]),
            "T0ACME",
        ),
        # A modal of Acme's app, opened from another workspace.
        (
            {
                "type": "view_submission",
                "team": {"id": "T0GLOBEX"},
                "user": {"id": "U0CONNIE", "team_id": "T0GLOBEX"},
                "view": {"id": "V1", "app_installed_team_id": "T0ACME"},
            },
            "T0ACME",
        ),
        (
            {
                "type": "view_submission",
                "team": None,
                "user": {"id": "W0NORA", "team_id": "T0NORTH"},
                "view": {"id": "V1", "app_installed_team_id": "E0ORG"},
            },
            "E0ORG",
        ),
        # An organisation: no team, or the one in which a person just is.
        (click(None, **ORG), "E0ORG"),
        (command("T0NORTH", enterprise_id="E0ORG", is_enterprise_install="true"), "E0ORG"),
        (event("T0NORTH", authorizations=[OF_ORG]), "E0ORG"),
        # A workspace of an organisation that installed the app for itself alone.
        (command("T0ACME", enterprise_id="E0ORG", is_enterprise_install="false"), "T0ACME"),
    ],
)
def test_a_request_goes_to_the_installation_that_slack_names(
    desk: Desk, body: dict[str, object], ident: str
) -> None:
    answer = desk.takes(body)

    assert desk.tenants.asked == [ident]
    assert json.loads(answer.body) == {"text": ident}


def test_a_value_that_a_client_sends_names_no_workspace(desk: Desk) -> None:
    forged = click(
        "T0ACME", actions=[{"action_id": "x", "value": "T0GLOBEX", "team_id": "T0GLOBEX"}]
    )
    forged["state"] = {"values": {"team": {"team_id": "T0GLOBEX"}}}
    desk.takes(forged)

    assert desk.tenants.asked == ["T0ACME"]


@pytest.mark.parametrize("wrong", ["secret", "old", "unsigned"])
def test_what_is_not_signed_by_slack_reaches_nobody(desk: Desk, wrong: str) -> None:
    if wrong == "unsigned":
        request = BoltRequest(body="team_id=T0ACME&command=/ops", headers={"content-type": FORM})
        answer = reception_of(desk).dispatch(request)
    elif wrong == "old":
        answer = desk.takes(command("T0ACME"), at=time.time() - 301)
    else:
        answer = desk.takes(command("T0ACME"), secret="another-secret")

    assert answer.status == 401
    assert desk.tenants.asked == []


def reception_of(desk: Desk) -> Reception:
    return Reception(
        desk.tenants,  # type: ignore[arg-type]
        desk.departing,  # type: ignore[arg-type]
        signing_secret=SECRET,
        voice=desk.voice,  # type: ignore[arg-type]
    )


def test_the_address_answers_slacks_challenge_before_anybody_installed_it(desk: Desk) -> None:
    answer = desk.takes({"type": "url_verification", "challenge": "3eZbrw1aB1"})

    assert json.loads(answer.body) == {"challenge": "3eZbrw1aB1"}
    assert desk.takes({"type": "url_verification", "challenge": "x"}, secret="wrong").status == 401


def test_slacks_look_at_the_certificate_is_answered_unsigned(desk: Desk) -> None:
    assert desk.takes({"ssl_check": "1", "token": "x"}, secret="none at all").status == 200
    assert desk.tenants.asked == []


@pytest.mark.parametrize(
    ("team", "words"), [("T0NOBODY", "not installed"), ("T0GLOBEX", "not at work")]
)
def test_whoever_types_or_clicks_is_told_why_nothing_happens(
    desk: Desk, team: str, words: str
) -> None:
    typed = json.loads(desk.takes(command(team)).body)
    desk.takes(click(team))
    sent = json.loads(
        desk.takes(
            {
                "type": "view_submission",
                "team": {"id": team},
                "user": {"id": "U0RITA", "team_id": team},
                "view": {"id": "V1"},
            }
        ).body
    )

    assert typed["response_type"] == "ephemeral"
    assert words in typed["text"]
    assert [words in text for _, text in desk.voice.said] == [True]
    assert desk.voice.threads == [""]
    assert sent["response_action"] == "update"
    assert words in json.dumps(sent["view"])


@pytest.mark.parametrize(("own", "thread"), [("2.0", "1.0"), ("1.0", "")])
def test_whoever_clicks_in_a_thread_is_told_there(desk: Desk, own: str, thread: str) -> None:
    place = {"type": "message", "message_ts": own, "thread_ts": "1.0"}
    desk.takes(click("T0NOBODY", container=place))

    assert desk.voice.threads == [thread]


def test_an_event_is_delivered_again_only_where_somebody_will_take_it(desk: Desk) -> None:
    assert desk.takes(event("T0GLOBEX")).status == 503
    assert desk.takes(event("T0NOBODY")).status == 200


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
def test_a_farewell_is_looked_into_for_the_workspace_and_for_its_organisation(
    desk: Desk, kind: str
) -> None:
    answer = desk.takes(event("T0NORTH", kind, enterprise_id="E0ORG"))

    assert answer.status == 200
    assert desk.departing.considered == ["T0NORTH", "E0ORG"]
    assert desk.tenants.asked == []


def test_a_request_that_names_no_workspace_is_for_nobody() -> None:
    assert installation_in(BoltRequest(body="{}", headers={})) == ""

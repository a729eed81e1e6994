"""Companies side by side on one host: Slack with several workspaces, and who installs what."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from bot.core import Means
from bot.orders import carry_out
from bot.settings import Settings, read_settings
from bot.token_orders import TokenOrder
from bot.workspaces.ground import Ground
from bot.workspaces.host import Host, build_host
from bot.workspaces.register import FILE, Register, opened_register
from sandbox.demo.stage import Stage, fresh_settings, staged
from sandbox.limits import ACK_SECONDS
from sandbox.person import Person
from sandbox.ports import free_port
from sandbox.seen import SeenMessage
from sandbox.settings import Organisation, SandboxSettings
from sandbox.workspace import Workspace
from tests.journeys.company import CALM, PATIENCE, SHIPPED, patient
from tests.journeys.day import Time
from workflows.people import PersonId

ACME, GLOBEX, ORG = "T0ACME", "T0GLOBEX", "E0ORG"
ORIGIN = "host.example/audit"
OPS = "#ops"
NORTHWIND = Organisation(id=ORG, name="Northwind", teams={"T0NORTH": "North", "T0SOUTH": "South"})
FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}

T = TypeVar("T")


@dataclass
class Branch:
    """One workspace: what people do there, and what they look for."""

    workspace: Workspace

    def person(self, name: str) -> Person:
        return self.workspace.person(name)

    def joined(self) -> "Branch":
        """Invite the bot where runs should have their threads."""
        self.workspace.join("interlock", "ops")
        return self

    def fills(self, name: str = "rita", *, channel: str = OPS, **fields: str) -> SeenMessage:
        """Have somebody start a refund; return the thread's first message."""
        known = {one.ts for one in self.roots(channel)}
        typed = self.person(name).command("/ops run refund-customer", channel=channel)
        assert typed.acked, typed.failure
        self.person(name).wait_for_view("")
        sent = self.person(name).submit(FORM | fields)
        assert sent.acked, sent.failure
        return self.waits(
            lambda: next((one for one in self.roots(channel) if one.ts not in known), None),
            "a thread",
        )

    def roots(self, channel: str = OPS) -> list[SeenMessage]:
        return self.workspace.messages(channel)

    def card(self, root: SeenMessage, *, channel: str = OPS) -> SeenMessage:
        def look() -> SeenMessage | None:
            thread = self.workspace.messages(channel, thread=root)
            return next((one for one in thread if "Reject" in one.buttons), None)

        return self.waits(look, "an approval card")

    def approve(self, card: SeenMessage, by: str = "ana") -> None:
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        self.person(by).click(label, message=card)

    def ends(self, root: SeenMessage, how: str = "done") -> None:
        self.waits(lambda: f" is {how} (" in self.now(root).words or None, f"a run that is {how}")

    def now(self, message: SeenMessage) -> SeenMessage:
        found = self.workspace.now(message)
        assert found is not None
        return found

    def told(self, typed: str, by: str = "rita", *, channel: str = OPS) -> str:
        """Return the private answer to a command."""
        person = self.person(by)
        before = len(person.ephemerals)
        person.command(typed, channel=channel)
        return person.ephemerals[before:][-1].words

    def waits(self, look: Callable[[], T | None], what: str) -> T:
        return self.workspace.wait_for(look, timeout=PATIENCE, what=what)


@dataclass(kw_only=True)
class Campus:
    """The host and its workspaces. `time` is the host's; Slack has the real one."""

    stage: Stage
    environment: dict[str, str]
    time: Time = field(default_factory=Time)
    registers: list[Register] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    @property
    def url(self) -> str:
        return f"http://{self.environment['INTERLOCK_HTTP']}"

    def branch(self, ident: str) -> Branch:
        return Branch(self.stage.slack.workspaces[ident])

    def home(self, ident: str) -> Path:
        return Path(self.environment["INTERLOCK_HOME"]) / "workspaces" / ident

    @contextmanager
    def serving(self) -> Iterator[Host]:
        """Serve as `interlock serve` does, in this process."""
        means = Means(now=self.time, environment=self.environment, live_seconds=0.1)
        with ExitStack() as stack:
            register = stack.enter_context(opened_register(self.settings, now=self.time))
            self.registers.append(register)
            host = build_host(
                Ground(
                    settings=self.settings,
                    environment=self.environment,
                    register=register,
                    means=means,
                )
            )
            for part in host.parts:
                stack.callback(part.stop)
                part.start()
            self.stage.slack.deliver_over_http(f"{self.url}/slack/events")
            yield host

    def token(self, host: Host, ident: str, name: str) -> str:
        """Make a token of Rita's in one workspace."""
        order = TokenOrder(name=name, owner="@rita", workflows=(), lasts=timedelta(days=1))
        with host.tenants.entered(ident) as door:
            return str(carry_out(door.bot.core, order, person=PersonId("os:root"))["token"])

    def starts(self, host: Host, ident: str) -> str:
        """Have a program start a refund in one workspace; return the run."""
        answer = httpx.post(
            f"{self.url}/workspaces/{ident}/runs",
            headers={"Authorization": f"Bearer {self.token(host, ident, 'first')}"},
            json={
                "workflow": "refund-customer",
                "inputs": {"order": "ord_1001", "amount": 500, "reason": "Broken"},
            },
            timeout=PATIENCE,
        )
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"].startswith(f"/workspaces/{ident}/runs/")
        return str(answer.json()["run"])

    @contextmanager
    def register_held(self) -> Iterator[None]:
        """Keep the host from writing to its register."""
        file = self.settings.home / FILE
        with closing(sqlite3.connect(file, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            yield
            stranger.execute("ROLLBACK")

    # --- installing -------------------------------------------------------------------------

    def begin(self) -> tuple[str, str]:
        """Open the page; return the way to Slack, and the cookie."""
        page = httpx.get(f"{self.url}/slack/install", timeout=PATIENCE)
        assert page.status_code == 200
        link = re.search(r'href="([^"]+)"', page.text)
        assert link is not None
        cookie = page.headers["set-cookie"].partition(";")[0]
        return unescape(link[1]), cookie

    def agree(self, link: str, ident: str, *, answer: str = "allow") -> str:
        """Say yes (or no) on Slack's page; return where that leads."""
        httpx.get(link, timeout=PATIENCE).raise_for_status()
        asked = dict(parse_qsl(urlsplit(link).query))
        told = {**asked, "team": ident, "answer": answer}
        sent = httpx.post(link, data=told, timeout=PATIENCE)
        return str(sent.headers["location"])

    def finish(self, address: str, cookie: str) -> httpx.Response:
        return httpx.get(address, headers={"Cookie": cookie}, timeout=PATIENCE)

    def installs(self, ident: str) -> httpx.Response:
        """Go the whole way in one browser."""
        link, cookie = self.begin()
        return self.finish(self.agree(link, ident), cookie)


@contextmanager
def campus_at(
    home: Path, *, rotates: bool = False, organisation: bool = False, database: str = ""
) -> Iterator[Campus]:
    """Open two companies, and with `organisation` a third of two workspaces. None has the app."""
    address = f"127.0.0.1:{free_port()}"
    acme = _acme(f"http://{address}/slack/oauth_redirect", rotates=rotates)
    others = [acme.neighbour(team=GLOBEX, team_name="Globex")]
    if organisation:
        north = acme.neighbour(team="T0NORTH", team_name="North", organisation=NORTHWIND)
        others.append(north)
    with _calm(), staged(home, SHIPPED, port=0, settings=acme, others=others) as stage:
        app = acme.app
        environment = {
            "INTERLOCK_HOME": str(home / "host"),
            "INTERLOCK_ORIGIN": ORIGIN,
            "INTERLOCK_WORKSPACES": f"{ACME},{GLOBEX},{ORG}",
            "INTERLOCK_WORKFLOWS": str(stage.workflows),
            "INTERLOCK_POLICY": str(stage.policy),
            "INTERLOCK_DATABASE_URL": database,
            "INTERLOCK_CHANNEL": "ops",
            "INTERLOCK_HTTP": address,
            "INTERLOCK_API": address,
            "INTERLOCK_PUBLIC_URL": f"http://{address}",
            "SLACK_API_URL": stage.slack.api_url,
            "SLACK_CLIENT_ID": app.client_id,
            "SLACK_CLIENT_SECRET": app.client_secret,
            "SLACK_SIGNING_SECRET": app.signing_secret,
        }
        yield Campus(stage=stage, environment=environment)


@contextmanager
def _calm() -> Iterator[None]:
    """Have the host wait as long as it takes until a workspace is ready, as Slack does here."""
    with patient(CALM), pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.workspaces.tenants.START_SECONDS", PATIENCE)
        patch.setattr("bot.workspaces.host.READY_SECONDS", PATIENCE)
        yield


def _acme(redirect: str, *, rotates: bool) -> SandboxSettings:
    settings = fresh_settings()
    app = replace(settings.app, redirect_urls=(redirect,), rotates=rotates)
    return replace(
        settings, app=app, installed=False, rate_scale=None, ack_seconds=CALM * ACK_SECONDS
    )

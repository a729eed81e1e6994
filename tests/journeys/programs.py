"""Programs that come in over HTTP: with a token, or by a signed webhook."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import httpx

from bot.holder import hand_over
from bot.http import HttpServer
from bot.polls import Polls
from bot.token_orders import RevokeOrder, TokenOrder
from sandbox.demo.stage import Stage
from sandbox.ports import free_port
from storage.rebuild import check_projections
from storage.verify import verify_database
from tests.journeys.day import Case, Day, day_at_work

NUMBERS = itertools.count(1)
KEY = bytes(range(32))
GITHUB_SECRET = "a-secret-of-the-repository"
ENVIRONMENT = {
    "INTERLOCK_SECRET_SHOP_EVENTS": f"whsec_{base64.b64encode(KEY).decode()}",
    "INTERLOCK_SECRET_REPOSITORY": GITHUB_SECRET,
}
WEBHOOKS = """
webhooks:
  shop-events: {secret: shop_events, requester: "@rita"}
  repository: {secret: repository, requester: "@rita", scheme: github}
  forgotten: {secret: never_set, requester: "@rita"}
  own: {secret: shop_events, requester: "@ana"}
  crowd: {secret: shop_events, requester: "@support"}
  leaver: {secret: shop_events, requester: "@dex"}
  people: {secret: shop_events, requester: "@rita"}
"""
TRIGGERS = """
triggers:
  - webhook: shop-events
    when: body.type == "complaint"
    inputs:
      order: ${{ body.order.id }}
      amount: ${{ body.order.cents }}
      reason: "Complaint ${{ headers.webhook_id }}"
  - webhook: repository
    when: headers.github_event == "issues"
    inputs: {order: "${{ body.order }}", amount: 500, reason: An issue}
  - webhook: forgotten
    inputs: {order: ord_1, amount: 1, reason: none}
  - webhook: own
    inputs: {order: "${{ body.order.id }}", amount: 500, reason: none}
  - webhook: crowd
    inputs: {order: "${{ body.order.id }}", amount: 500, reason: none}
  - webhook: leaver
    inputs: {order: "${{ body.order.id }}", amount: 500, reason: none}
"""
HAND_OVER = """
workflow: hand-over
title: Hand over
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  tasks: {type: list, of: {type: string}}
  to: {type: user}
  watchers: {type: list, of: {type: user}, required: false}
  at: {type: datetime}
  place: {type: channel, default: "#finance"}
steps:
  - id: tell
    uses: slack.post
    with: {text: "${{ inputs.tasks[0] }} goes to ${{ inputs.to.name }}"}
triggers:
  - webhook: people
    inputs:
      tasks: ${{ body.tasks }}
      to: "@${{ body.login }}"
      at: ${{ body.at }}
  - webhook: shop-events
    when: has(body.praise)
    inputs:
      tasks: ["${{ body.praise }}"]
      to: "@ana"
      at: "2027-03-02T09:00:00Z"
"""
PATIENT = 60.0

Limit: TypeAlias = tuple[str, ...] | timedelta  # `workflows`, or how long it `lasts`.


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The bot as programs see it."""

    day: Day
    url: str

    @property
    def home(self) -> Path:
        return self.day.stage.home

    @property
    def polls(self) -> Polls:
        """Return those who wait."""
        server = self.day.bot.api or self.day.bot.receiver
        assert isinstance(server, HttpServer)
        assert server.programs is not None
        return server.programs.polls

    def wait_for_polls(self, count: int) -> None:
        """Return once so many wait."""
        end = time.monotonic() + PATIENT
        while self.polls.waiting < count:
            assert time.monotonic() < end, f"{self.polls.waiting} of {count} wait"
            time.sleep(0.05)

    def token(self, owner: str = "@rita", **limits: Limit) -> str:
        """Have somebody of the machine make a token; return it."""
        return self.named_token(owner, **limits)[1]

    def named_token(self, owner: str = "@rita", **limits: Limit) -> tuple[str, str]:
        """Have somebody of the machine make a token; return its name and itself."""
        name = f"program-{next(NUMBERS)}"
        order = TokenOrder.model_validate({"name": name, "owner": owner, **limits})
        told = hand_over(self.home, order)
        assert told is not None
        return name, str(told["token"])

    def revoke(self, name: str) -> None:
        assert hand_over(self.home, RevokeOrder(name=name)) is not None

    def get(self, path: str, token: str, *, timeout: float = PATIENT) -> httpx.Response:
        return httpx.get(self.url + path, headers=bearer(token), timeout=timeout)

    def post(
        self, path: str, token: str, data: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        told = {**bearer(token), **(headers or {})}
        return httpx.post(self.url + path, json=data, headers=told, timeout=PATIENT)

    def starts(
        self, case: Case, token: str, headers: Mapping[str, str] | None = None, **others: object
    ) -> httpx.Response:
        """Have a program ask for the case's refund."""
        return self.post("/runs", token, {**start_of(case), **others}, headers)

    def delivers(self, hook: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        kind = {"content-type": "application/json"}
        return httpx.post(
            f"{self.url}/hooks/{hook}", content=body, headers={**kind, **headers}, timeout=PATIENT
        )


def assert_sound(outside: Outside) -> None:
    """Say that the log verifies, that nobody approved their own, and that all rows follow."""
    memory = outside.day.bot.core.memory
    report = verify_database(
        outside.day.bot.core.settings.database_url, [memory.vkey], now=outside.day.time, processes=1
    )
    assert [str(one) for one in check_projections(memory.database)] == []
    told = [one for one in report.semantics if one[0] != "run-without-end"]  # Many still wait.
    assert (report.failures, told) == ([], [])


@contextmanager
def outside_world(home: Path, *, over: str = "socket", database: str = "") -> Iterator[Outside]:
    """Open the company with its door for programs; over HTTP it is the one that Slack uses."""
    address = f"127.0.0.1:{free_port()}"
    with day_at_work(
        home,
        over=over,
        database=database,
        api=lambda settings: settings.http or address,
        environment=ENVIRONMENT,
        prepare=write_webhooks,
    ) as day:
        yield Outside(day=day, url=f"http://{day.bot.core.settings.api}")


def write_webhooks(stage: Stage) -> None:
    """Let the policy know webhooks, and the refund and the hand-over be started by them."""
    stage.policy.write_text(stage.policy.read_text() + WEBHOOKS)
    refund = stage.workflows / "refund-customer.yaml"
    refund.write_text(refund.read_text() + TRIGGERS)
    (stage.workflows / "hand-over.yaml").write_text(HAND_OVER)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def start_of(case: Case) -> dict[str, object]:
    """Return what a program sends to have the case's refund started."""
    return {
        "workflow": "refund-customer",
        "inputs": {"order": case.order, "amount": case.amount, "reason": "Broken"},
        "channel": case.channel,
    }


def complaint(case: Case) -> bytes:
    """Return the body by which the shop asks for the case's refund."""
    order = {"id": case.order, "cents": case.amount}
    return json.dumps({"type": "complaint", "order": order}).encode()


def signed(
    body: bytes, *, ident: str = "", at: float | None = None, key: bytes = KEY
) -> dict[str, str]:
    """Return the headers of a delivery of the standard scheme."""
    named = ident or f"msg_{next(NUMBERS)}"
    moment = str(int(time.time() if at is None else at))
    mac = hmac.digest(key, f"{named}.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": named,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def signed_by_github(body: bytes, *, event: str, ident: str) -> dict[str, str]:
    """Return the headers of a delivery of GitHub's."""
    mac = hmac.new(GITHUB_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "x-hub-signature-256": f"sha256={mac}",
        "x-github-event": event,
        "x-github-delivery": ident,
    }

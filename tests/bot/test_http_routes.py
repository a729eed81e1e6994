"""The routes for programs when something is wrong behind them, or on the other side."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from starlette.requests import Request

import bot.http_body
import bot.http_routes
from bot.api import Api
from bot.hooks import Hooks
from bot.http import HttpServer
from bot.http_body import body_of
from bot.http_routes import Programs
from bot.polls import Polls
from bot.problems import DoorError
from bot.rate_limit import RateLimit
from sandbox.ports import free_port
from workflows.errors import (
    HeldElsewhereError,
    InterlockError,
    PeopleUnreadableError,
    StorageUnavailableError,
)

SECRET = "ilk_a-token-that-nobody-may-see"
SECONDS = 60


class Broken:
    """An `Api` behind which something is wrong."""

    def __init__(self) -> None:
        self.error: Exception = RuntimeError("a defect")

    def admit(self, authorization: str) -> None:
        del authorization
        raise self.error


@pytest.fixture
def broken() -> Broken:
    return Broken()


@pytest.fixture
def address(broken: Broken) -> Iterator[str]:
    api, hooks = cast("Api", broken), cast("Hooks", broken)
    with served(Programs(api=api, hooks=hooks, polls=Polls())) as at:
        yield at


@contextmanager
def served(programs: Programs) -> Iterator[str]:
    """Serve `programs`, and give the address."""
    port = free_port()
    server = HttpServer(None, host="127.0.0.1", port=port, programs=programs)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


def ask(address: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {SECRET}"}
    return httpx.get(f"{address}/runs/r1", headers=headers, timeout=SECONDS)


class Waiting:
    """An `Api` with a run that goes on waiting."""

    def admit(self, authorization: str) -> object:
        del authorization
        return SimpleNamespace(token=SimpleNamespace(name="t"))

    def row(self, *_: object) -> object:
        return SimpleNamespace(rseq=2, status=SimpleNamespace(is_end=False))

    def shown(self, _: object) -> dict[str, object]:
        return {}


class Ticking:
    """A clock that goes on by a second whenever somebody looks."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


def test_the_longest_wait_ends_well_before_a_proxy_gives_up_after_its_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Ticking()
    monkeypatch.setattr(bot.http_routes, "time", clock)
    monkeypatch.setattr(bot.http_routes, "LOOK_EVERY", 0.001)
    api, hooks = cast("Api", Waiting()), cast("Hooks", Waiting())
    with served(Programs(api=api, hooks=hooks, polls=Polls())) as address:
        answer = httpx.get(f"{address}/runs/r1?wait=60&after=2", timeout=SECONDS)

    assert answer.status_code == 200
    assert 30 <= clock.seconds <= 55


def test_a_defect_is_logged_and_answered_without_a_word_about_it(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(address)
    ours = [one for one in caplog.records if one.name.startswith("bot")]

    assert (answer.status_code, answer.json()["kind"]) == (500, "defect")
    assert "a defect" not in answer.text
    assert [one.getMessage() for one in ours] == ["a request failed"]
    assert ours[0].levelno == logging.ERROR
    assert SECRET not in str(ours[0].__dict__)


@pytest.mark.parametrize(
    "kind", [StorageUnavailableError, PeopleUnreadableError, HeldElsewhereError]
)
def test_what_may_pass_is_answered_so_that_programs_ask_again(
    address: str, broken: Broken, kind: type[InterlockError]
) -> None:
    broken.error = kind("Nothing was recorded.", hint="Try again in a moment.")
    answer = ask(address)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["hint"] == "Try again in a moment."


def test_too_many_requests_are_answered_with_the_time_to_wait(address: str, broken: Broken) -> None:
    limit = RateLimit(rate=0.5, burst=1, ticks=lambda: 0.0)
    limit.take("one")
    with pytest.raises(DoorError) as refused:
        limit.take("one")
    broken.error = refused.value
    answer = ask(address)

    assert (answer.status_code, answer.json()["kind"]) == (429, "too-many-requests")
    assert answer.headers["retry-after"] == "2"


def test_without_slack_there_is_no_route_for_it(address: str) -> None:
    assert httpx.post(f"{address}/slack/events", timeout=SECONDS).status_code == 404
    assert httpx.get(f"{address}/healthz", timeout=SECONDS).text == "ok"


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.http_body, "SECONDS", 0.05)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(SECONDS)
        return {"type": "http.request", "body": b"", "more_body": True}

    request = Request({"type": "http", "headers": []}, receive)  # type: ignore[arg-type]  # As much of a message as is read.
    with pytest.raises(DoorError, match="did not come to its end"):
        asyncio.run(body_of(request, most=10))

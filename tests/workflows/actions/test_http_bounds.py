"""Where `http.request` may go, what it can be asked afterwards, and what people see of it."""

import json
import socket
import threading

import pytest
from pydantic import ValidationError

from sandbox.ports import free_port
from tests.workflows.actions.http_parts import (
    Calls,
    Start,
    an_action,
    answer,
    get,
    post,
)
from workflows.actions.base import Happened
from workflows.errors import ActionFailedError

# Where it may go


def test_a_redirect_of_a_read_is_followed_at_the_service_itself(
    raw_server: Start, a_call: Calls
) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        is_old = request.startswith(b"GET /orders/ord_1 ")
        connection.sendall(answer(301, b"", Location="/orders/1") if is_old else answer(200, b"1"))

    assert an_action(raw_server(behave).url).perform(get(), a_call()).body == 1


def test_a_redirect_to_a_private_address_is_refused(raw_server: Start, a_call: Calls) -> None:
    inner = raw_server(answer(200, b'"inner"'))
    outer = raw_server(answer(302, b"", Location=inner.url + "/secret"))

    with pytest.raises(ActionFailedError, match="may not go"):
        an_action(outer.url).perform(get(), a_call())
    assert inner.requests == []


def test_a_secret_does_not_follow_a_redirect_to_another_host(
    raw_server: Start, a_call: Calls
) -> None:
    other = raw_server(answer(200, b'"other"'))
    first = raw_server(answer(302, b"", Location=f"http://localhost:{other.port}/"))
    action = an_action(first.url, hosts=["localhost"], secret_header={"secret": "token"})

    got = action.perform(get(), a_call(secrets={"token": "opensesame"}))

    assert got.body == "other"
    assert b"opensesame" in first.requests[0]
    assert b"opensesame" not in other.requests[0]


def test_a_redirect_does_not_lead_past_the_allowed_paths(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(302, b"", Location="/admin"))

    with pytest.raises(ActionFailedError, match=r"sends us to 127\.0\.0\.1/admin"):
        an_action(server.url, paths=["/orders/.*"]).perform(get(), a_call())
    assert len(server.requests) == 1


def test_redirects_in_a_circle_end(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(302, b"", Location="/orders/ord_1"))

    with pytest.raises(ActionFailedError, match="circles"):
        an_action(server.url).perform(get(), a_call())
    assert len(server.requests) == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_service_that_is_not_private_never_reaches_this_machine(
    host: str, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(200, b"{}"))
    action = an_action(f"http://{host}:{server.port}", private=False)

    with pytest.raises(ActionFailedError, match="may not go") as caught:
        action.perform(post(), a_call())
    assert caught.value.error_class == "egress_refused"
    assert server.requests == []


def test_a_proxy_of_the_environment_is_not_used(
    raw_server: Start, a_call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(answer(200, b"{}"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert an_action(server.url).perform(get(), a_call()).status == 200


def test_only_allowed_paths_are_asked_for(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b"{}"))
    action = an_action(server.url, paths=["/orders/ord_[a-z0-9]+"])

    with pytest.raises(ActionFailedError, match="none of the paths"):
        action.perform(get("/admin"), a_call())
    assert action.perform(get(), a_call()).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "orders",
        "//host/x",
        "/a/../b",
        "/a/%2e%2E/b",
        "/a/.",
        "/a%2fb",
        "/a\\b",
        "/a?b",
        "/a#b",
        "/a b",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused_at_the_door(path: str) -> None:
    with pytest.raises(ValidationError, match="a path"):
        get(path)


@pytest.mark.parametrize(
    "headers", [{"Host": "x"}, {"content-length": "1"}, {"X": "a\r\nb"}, {"a b": "c"}]
)
def test_headers_that_change_the_request_itself_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        get(headers=headers)


def test_an_unknown_service_is_told(a_call: Calls) -> None:
    with pytest.raises(ActionFailedError, match="no service named bank"):
        an_action("http://127.0.0.1").perform(get(service="bank"), a_call())


# Whether it happened


@pytest.mark.parametrize(
    ("status", "happened"),
    [(200, Happened.YES), (404, Happened.NO), (500, Happened.UNKNOWN), (403, Happened.UNKNOWN)],
)
def test_a_service_can_be_asked_whether_an_effect_happened(
    status: int, happened: Happened, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(status, b"{}"))
    action = an_action(server.url, probe="/refunds/{key}")

    assert action.probe(post(), a_call(key="run-1/refund")) is happened
    assert server.requests[0].startswith(b"GET /refunds/run-1%2Frefund HTTP/1.1")


def test_a_service_without_a_probe_leaves_it_unknown(a_call: Calls) -> None:
    assert an_action("http://127.0.0.1").probe(post(), a_call()) is Happened.UNKNOWN


# What people are shown


def test_a_plan_shows_the_request_and_binds_the_address(a_call: Calls) -> None:
    plan = an_action("http://shop.example/v1").plan(post(), a_call())

    assert plan.summary == "POST shop /refunds"
    assert plan.lines[0] == "POST http://shop.example/v1/refunds"
    assert json.loads(json.dumps(plan.data))["base_url"] == "http://shop.example/v1"
    assert plan.data["json"] == {"amount": 5}


def test_calls_at_the_same_time_do_not_mix(raw_server: Start, a_call: Calls) -> None:
    def echo(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(200, b'"' + request.split(b" ")[1] + b'"'))

    action = an_action(raw_server(echo).url)
    seen: dict[str, object] = {}

    def ask(path: str) -> None:
        seen[path] = action.perform(get(path), a_call()).body

    threads = [threading.Thread(target=ask, args=(f"/{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {f"/{number}": f"/{number}" for number in range(16)}

"""`http.request` against servers that behave, and against every kind that does not."""

import itertools
import socket
import time
from collections.abc import Callable

import pytest

from sandbox.ports import free_port
from tests.workflows.actions.http_parts import (
    MEBIBYTE,
    Calls,
    Start,
    an_action,
    answer,
    get,
    post,
)
from workflows.actions.base import MARGIN, Effect
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.redaction import Redactor


def hang(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


def drip(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_headers(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        connection.sendall(f"X-{number}: y\r\n".encode())
        time.sleep(0.05)


def hint_for_ever(connection: socket.socket, _: bytes) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)


def break_off(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"ref')


# What goes out and what comes back


def test_an_answer_comes_back_as_json_with_the_headers_worth_keeping(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(200, b'{"paid": 500}', ETag="v1", Set_Cookie="secret"))

    got = an_action(server.url).perform(get(query={"full": True, "tag": ["a", "b"]}), a_call())

    assert got.body == {"paid": 500}
    assert got.headers == {"content-type": "application/json", "etag": "v1"}
    assert server.requests[0].startswith(b"GET /orders/ord_1?full=true&tag=a&tag=b HTTP/1.1\r\n")


def test_an_effect_carries_its_idempotency_key_and_a_read_does_not(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(201, b"{}"))
    action = an_action(server.url)
    action.perform(post(headers={"idempotency-key": "mine"}), a_call(key="run-9/refund"))
    action.perform(get(), a_call(key="run-9/order"))

    effect, read = (request.lower() for request in server.requests)
    assert effect.count(b"idempotency-key:") == 1
    assert b"idempotency-key: run-9/refund" in effect
    assert effect.endswith(b'\r\n\r\n{"amount":5}')
    assert b"idempotency-key" not in read


def test_a_secret_goes_along_only_in_its_own_header(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b"{}"))
    action = an_action(
        server.url, secret_header={"name": "Authorization", "secret": "token", "prefix": "Bearer "}
    )

    plan = action.plan(get(), a_call(secrets={"token": "opensesame"}))
    action.perform(get(headers={"authorization": "x"}), a_call(secrets={"token": "opensesame"}))

    assert server.requests[0].lower().count(b"authorization:") == 1
    assert b"Bearer opensesame" in server.requests[0]
    assert "opensesame" not in repr(plan)


@pytest.mark.parametrize("secret", ["two\r\nlines", "ü", " "])
def test_a_secret_that_fits_no_header_is_refused_without_being_shown(
    secret: str, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(200, b"{}"))
    action = an_action(server.url, secret_header={"secret": "token"})

    with pytest.raises(ActionFailedError, match="token cannot stand in a header") as caught:
        action.perform(post(), a_call(secrets={"token": secret}))
    assert server.requests == []
    assert "lines" not in str(caught.value)


def test_a_missing_secret_sends_nothing(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b"{}"))
    action = an_action(server.url, secret_header={"secret": "token"})

    with pytest.raises(ActionFailedError, match="no secret named token"):
        action.perform(post(), a_call())
    assert server.requests == []


def test_numbers_too_large_for_the_trail_arrive_as_text(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b'{"id": 90071992547409930, "n": 9007199254740991}'))

    got = an_action(server.url).perform(get(), a_call())

    assert got.body == {"id": "90071992547409930", "n": 9007199254740991}


def test_the_path_of_an_argument_is_quoted(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b"{}"))

    an_action(server.url + "/v1").perform(get("/orders/ü%20'x'"), a_call())

    assert server.requests[0].startswith(b"GET /v1/orders/%C3%BC%20'x' HTTP/1.1")


# Reads that fail


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_read_of_a_service_in_trouble_may_be_tried_again(
    status: int, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(status, b"{}"))

    with pytest.raises(TransientReadError, match=f"answered {status}") as caught:
        an_action(server.url).perform(get(), a_call())
    assert caught.value.error_class == f"http_{status}"


def test_a_read_that_is_refused_is_not_tried_again(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(404, b'{"error": "no such order"}'))

    with pytest.raises(ActionFailedError, match=r"answered 404: .*no such order"):
        an_action(server.url).perform(get(), a_call())


def test_a_status_that_the_definition_accepts_is_an_answer(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(409, b'{"error": "done already"}'))

    got = an_action(server.url).perform(post(accept=[409]), a_call())

    assert (got.status, got.body) == (409, {"error": "done already"})


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02 this is no HTTP\r\n\r\n",
        b"",
        answer(200, b"<html>"),
        answer(200, b"[" * 100_000),
        answer(200, b'{"a": NaN}'),
        answer(200, b'"\\ud800"'),
        answer(200, b"\xff\xfe\x00", kind="application/octet-stream"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["bytes", "nothing", "html", "deep", "nan", "surrogate", "binary", "short", "chunks"],
)
def test_a_read_of_garbage_may_be_tried_again(
    garbage: bytes, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(garbage)

    with pytest.raises(TransientReadError):
        an_action(server.url).perform(get(), a_call())


@pytest.mark.parametrize("behave", [hang, drip, drip_headers, hint_for_ever])
def test_a_read_ends_at_its_deadline_whatever_the_server_does(
    behave: Callable[..., None], raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(behave)
    started = time.monotonic()

    with pytest.raises(TransientReadError, match=r"longer than 0\.4 s") as caught:
        an_action(server.url).perform(get(), a_call(timeout=0.4))

    assert caught.value.error_class == "timeout"
    assert time.monotonic() - started < 30  # None of them would ever end by itself.


def test_a_read_of_a_service_that_is_not_there_may_be_tried_again(a_call: Calls) -> None:
    with pytest.raises(TransientReadError, match="cannot be reached"):
        an_action(f"http://127.0.0.1:{free_port()}").perform(get(), a_call())


def test_a_name_without_an_address_is_unreachable(
    a_call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_knows(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("workflows.actions.egress.socket.getaddrinfo", nobody_knows)

    with pytest.raises(TransientReadError, match="cannot be reached"):
        an_action("http://nowhere.invalid").perform(get(), a_call())


def test_an_answer_to_a_read_over_the_limit_is_an_error(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b'"' + b"x" * MEBIBYTE + b'"'))

    with pytest.raises(ActionFailedError, match="longer than") as caught:
        an_action(server.url).perform(get(), a_call())
    assert caught.value.error_class == "too_large"


def test_an_answer_of_exactly_the_limit_is_fine(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(200, b"x" * MEBIBYTE, kind="text/plain"))

    got = an_action(server.url).perform(get(), a_call())

    assert len(got.body) == MEBIBYTE


# Effects that fail


def test_an_effect_that_was_never_sent_was_not_performed(a_call: Calls) -> None:
    with pytest.raises(NotPerformedError, match="cannot be reached"):
        an_action(f"http://127.0.0.1:{free_port()}").perform(post(), a_call())


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429, 307])
def test_an_effect_that_is_refused_was_not_performed(
    status: int, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(status, b"{}", Location="/elsewhere"))

    with pytest.raises(ActionFailedError) as caught:
        an_action(server.url).perform(post(), a_call())
    assert not caught.value.partly
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 503, 302, 303])
def test_a_status_that_does_not_say_leaves_an_effect_in_doubt(
    status: int, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(status, b"{}", Location="/elsewhere"))

    with pytest.raises(InDoubtError) as caught:
        an_action(server.url, honours_idempotency_key=True).perform(post(), a_call())
    assert caught.value.error_class == f"http_{status}"
    assert len(server.requests) == 1


@pytest.mark.parametrize("behave", [hang, drip])
def test_an_effect_whose_answer_does_not_come_in_time_is_in_doubt(
    behave: Callable[..., None], raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(behave)

    with pytest.raises(InDoubtError) as caught:
        an_action(server.url).perform(post(), a_call(timeout=1.5))  # Enough to send it.
    assert caught.value.error_class == "timeout"


@pytest.mark.parametrize("behave", [b"", b"\x00garbage\r\n\r\n", break_off])
def test_an_effect_whose_answer_is_lost_is_in_doubt(
    behave: Callable[..., None] | bytes, raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(behave)

    with pytest.raises(InDoubtError) as caught:
        an_action(server.url).perform(post(), a_call())
    assert caught.value.error_class == "reply_lost"


def test_a_server_that_takes_no_request_leaves_an_effect_in_doubt(a_call: Calls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        large = post(json="x" * 30_000_000)
        started = time.monotonic()

        with pytest.raises(InDoubtError):
            an_action(url).perform(large, a_call(timeout=1.5))  # Enough to begin with it.

    assert time.monotonic() - started < 30


def test_no_beginning_of_a_secret_is_left_where_a_long_answer_ends(
    raw_server: Start, a_call: Calls
) -> None:
    secret, long = "tk-" + "0123456789" * 4, "z" * 8000
    # What is taken out makes the text shorter than what was read of it.
    before = (long * 20).ljust(MEBIBYTE + MARGIN - 20, "x")
    server = raw_server(answer(200, (before + secret).encode(), kind="text/plain"))

    got = an_action(server.url).perform(post(), a_call(redact=Redactor([secret, long])))

    assert got.is_cut
    assert "tk-" not in str(got.body)


def test_a_long_answer_to_an_effect_is_cut_and_marked(raw_server: Start, a_call: Calls) -> None:
    server = raw_server(answer(201, b'"' + b"x" * MEBIBYTE + b'"'))

    got = an_action(server.url).perform(post(), a_call())

    assert got.is_cut
    assert len(got.body) == MEBIBYTE


@pytest.mark.parametrize("levels", [101, 300, 900])
def test_json_that_is_nested_too_deeply_is_text_of_an_effect_and_garbage_to_a_read(
    raw_server: Start, a_call: Calls, levels: int
) -> None:
    server = raw_server(answer(200, b"[" * levels + b"]" * levels))

    got = an_action(server.url).perform(post(), a_call())
    with pytest.raises(TransientReadError) as caught:
        an_action(server.url).perform(get(), a_call())

    assert got.body == "[" * levels + "]" * levels
    assert caught.value.error_class == "garbage"


def test_an_effect_that_answers_garbage_happened_all_the_same(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(201, b"<html>\xff"))

    got = an_action(server.url).perform(post(), a_call())

    assert (got.status, got.body) == (201, "<html>\ufffd")


def test_a_read_that_the_definition_calls_an_effect_fails_like_one(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(500, b"{}"))

    with pytest.raises(InDoubtError):
        an_action(server.url).perform(get(), a_call(effect=Effect.DESTRUCTIVE))
    assert b"Idempotency-Key" in server.requests[0] or b"idempotency-key" in server.requests[0]


def test_a_write_that_was_let_through_as_a_read_is_not_sent(
    raw_server: Start, a_call: Calls
) -> None:
    server = raw_server(answer(200, b"{}"))

    with pytest.raises(ActionFailedError, match="let through as read"):
        an_action(server.url).perform(post(), a_call(effect=Effect.READ))
    assert server.requests == []

"""A service is asked as often as the policy lets, and left alone while it is in trouble."""

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest

from sandbox.ports import free_port
from tests.workflows.actions.http_parts import an_action, answer, get, post
from workflows.actions.base import Call
from workflows.actions.valve import Valve
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.services import Breaker, Rate

AWAY = TransientReadError("away", error_class="unreachable")


class Ticks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def a_valve(ticks: Ticks, *, calls: int = 0, failures: int = 0) -> Valve:
    rate = Rate.model_validate({"calls": calls, "per": "10s"}) if calls else None
    told = {"failures": failures, "within": "1m", "rest": "30s"}
    breaker = Breaker.model_validate(told) if failures else None
    return Valve("shop", rate, breaker, ticks=ticks)


def asks(valve: Valve, fault: ActionError | None = None, *, is_read: bool = True) -> None:
    """Let one call through that ends so."""

    def fail(error: ActionError) -> NoReturn:
        raise error

    with valve.passage(is_read=is_read):
        if fault is not None:
            fail(fault)


def fails(valve: Valve, fault: ActionError = AWAY, *, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(fault)):
            asks(valve, fault)


def refusal(valve: Valve) -> str:
    """Return why the next call is not let through, nothing if it is."""
    try:
        asks(valve)
    except TransientReadError as error:
        return error.error_class
    return ""


def test_no_more_calls_than_the_policy_lets_pass_in_any_stretch_of_time(ticks: Ticks) -> None:
    valve = a_valve(ticks, calls=3)
    asks(valve)
    ticks.now += 4
    asks(valve)
    asks(valve)
    assert refusal(valve) == "rate_limited"
    ticks.now += 6

    assert refusal(valve) == ""
    assert refusal(valve) == "rate_limited"
    busy = valve.busy()
    assert busy is not None
    assert busy.seconds == 4


def test_an_effect_that_is_not_let_through_was_certainly_not_performed(ticks: Ticks) -> None:
    valve = a_valve(ticks, calls=1)
    asks(valve)

    with pytest.raises(NotPerformedError, match="at most 1 times in 10s"):
        asks(valve, is_read=False)


def test_a_service_in_trouble_is_left_alone_and_then_tried_by_one(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=3)
    fails(valve, times=3)
    assert refusal(valve) == "circuit_open"
    ticks.now += 30
    inside = []

    with valve.passage(is_read=True):
        inside.append(refusal(valve))
    assert inside == ["circuit_open"]
    assert refusal(valve) == ""
    fails(valve, times=2)
    assert refusal(valve) == ""  # It begins to count anew.


def test_a_trial_that_fails_has_it_left_alone_again(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=3)
    fails(valve, times=3)
    ticks.now += 30
    fails(valve)

    assert refusal(valve) == "circuit_open"
    ticks.now += 29
    assert refusal(valve) == "circuit_open"


def test_a_trial_that_fails_long_after_the_others_has_it_left_alone_too(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=3)
    fails(valve, times=3)
    ticks.now += 3_600
    fails(valve)

    assert refusal(valve) == "circuit_open"


def test_a_call_that_began_before_says_nothing_of_how_the_service_is_by_now(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=2)
    first, second = valve.passage(is_read=True), valve.passage(is_read=True)
    with first:
        with second:
            fails(valve, times=2)
        assert refusal(valve) == "circuit_open"
        ticks.now += 30
        trial = valve.passage(is_read=True)
        trial.__enter__()

    assert refusal(valve) == "circuit_open"  # Still, until the one that tries has its answer.
    trial.__exit__(None, None, None)
    assert refusal(valve) == ""


def test_failures_that_lie_further_apart_do_not_add_up(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=2)
    for _ in range(5):
        fails(valve)
        assert valve.busy() is None
        ticks.now += 61

    assert refusal(valve) == ""


@pytest.mark.parametrize(
    ("fault", "opens"),
    [
        (AWAY, True),
        (TransientReadError("x", error_class="http_503"), True),
        (TransientReadError("x", error_class="http_429"), True),
        (InDoubtError("x", error_class="reply_lost"), True),
        (NotPerformedError("x", error_class="timeout"), True),
        (ActionFailedError("x", error_class="http_404"), False),
        (ActionFailedError("x", error_class="egress_refused"), False),
        (NotPerformedError("x", error_class="secret_unreadable"), False),
    ],
)
def test_only_what_says_that_the_service_is_in_trouble_counts(
    ticks: Ticks, fault: ActionError, *, opens: bool
) -> None:
    valve = a_valve(ticks, failures=2)
    fails(valve, fault, times=2)

    assert (refusal(valve) == "circuit_open") is opens


def test_a_trial_that_says_nothing_of_the_service_leaves_room_for_the_next(ticks: Ticks) -> None:
    valve = a_valve(ticks, failures=1)
    fails(valve)
    ticks.now += 30
    fails(valve, ActionFailedError("x", error_class="secret_missing"))

    assert refusal(valve) == ""
    assert valve.busy() is None


def test_a_flood_from_many_threads_sends_no_more_than_the_rate(
    raw_server: Callable[..., object], a_call: Callable[..., Call]
) -> None:
    server = raw_server(answer(200, b'"here"'))
    action = an_action(server.url, rate={"calls": 5, "per": "1h"})  # type: ignore[attr-defined]
    refused: list[str] = []

    def flood() -> None:
        for _ in range(4):
            try:
                action.perform(get(), a_call())
            except TransientReadError as error:
                refused.append(error.error_class)

    threads = [threading.Thread(target=flood) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(server.requests) == 5  # type: ignore[attr-defined]
    assert refused == ["rate_limited"] * 15


def test_a_service_that_is_away_is_not_knocked_at_for_ever(a_call: Callable[..., Call]) -> None:
    action = an_action(f"http://127.0.0.1:{free_port()}", breaker={"failures": 2})
    for _ in range(2):
        with pytest.raises(NotPerformedError, match="cannot be reached"):
            action.perform(post(), a_call())

    with pytest.raises(NotPerformedError, match="left alone for 30s, since 2 calls failed"):
        action.perform(post(), a_call())
    busy = action.busy(post())
    assert busy is not None
    assert busy.error_class == "circuit_open"

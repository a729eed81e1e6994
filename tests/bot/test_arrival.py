"""A start that Slack has given up on is not begun."""

import time

import pytest
from slack_bolt import BoltRequest, BoltResponse

from bot.arrival import (
    ARRIVED,
    LOCK_MILLISECONDS,
    PATIENCE,
    Stamps,
    TooLateError,
    refuse_late,
    take_up,
)
from storage.patience import SHORTEST_MS, patience


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_waited_in_a_queue_for_too_long_is_refused() -> None:
    watch = Watch()
    stamps = Stamps(watch)
    stamps.stamp("e1")
    watch.now += PATIENCE + 0.1

    with pytest.raises(TooLateError, match="nothing was started"):
        refuse_late({ARRIVED: stamps.take("e1")}, clock=watch)


def test_what_came_just_now_goes_on() -> None:
    watch = Watch()
    stamps = Stamps(watch)
    stamps.stamp("e1")
    watch.now += PATIENCE - 0.1

    refuse_late({ARRIVED: stamps.take("e1")}, clock=watch)


def test_an_envelope_without_a_stamp_counts_as_just_arrived() -> None:
    watch = Watch()

    refuse_late({ARRIVED: Stamps(watch).take("unknown")}, clock=watch)
    refuse_late({}, clock=watch)


def test_stamps_that_nobody_takes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.arrival.MOST_STAMPS", 2)
    watch = Watch()
    stamps = Stamps(watch)
    for envelope in ("e1", "e2", "e3"):
        stamps.stamp(envelope)
    watch.now += 10

    assert stamps.take("e1") == 110.0
    assert stamps.take("e3") == 100.0


class Answering:
    """Answers a request, and says how long a commit might have waited meanwhile."""

    waits: int | None = None

    def dispatch(self, _request: BoltRequest) -> BoltResponse:
        self.waits = patience()
        return BoltResponse(status=200)


@pytest.mark.parametrize(
    ("ago", "least", "most"),
    [
        (0.0, LOCK_MILLISECONDS, LOCK_MILLISECONDS),
        (PATIENCE - 1.0, SHORTEST_MS, 1_000),
        (PATIENCE + 1.0, SHORTEST_MS, SHORTEST_MS),
    ],
)
def test_all_commits_of_one_answer_together_wait_no_longer_than_slack(
    ago: float, least: int, most: int
) -> None:
    request = BoltRequest(body="", mode="socket_mode", context={ARRIVED: time.monotonic() - ago})
    app = Answering()
    take_up(app, request)

    assert app.waits is not None
    assert least <= app.waits <= most
    assert patience() is None

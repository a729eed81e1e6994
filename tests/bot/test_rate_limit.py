"""A program that asks too often is told when to ask again; others do not notice."""

import pytest

from bot.problems import DoorError
from bot.rate_limit import RateLimit


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limit: RateLimit, name: str) -> int:
    """Return how many requests of `name` pass before one is refused."""
    count = 0
    while True:
        try:
            limit.take(name)
        except DoorError:
            return count
        count += 1


def test_a_burst_is_followed_by_the_rate() -> None:
    ticks = Ticks()
    limit = RateLimit(rate=2.0, burst=10, ticks=ticks)

    assert taken(limit, "one") == 10
    ticks.now += 3
    assert taken(limit, "one") == 6
    ticks.now += 1000
    assert taken(limit, "one") == 10


def test_a_refusal_says_after_how_many_seconds_one_passes() -> None:
    ticks = Ticks()
    limit = RateLimit(rate=0.25, burst=1, ticks=ticks)
    limit.take("one")
    with pytest.raises(DoorError) as refused:
        limit.take("one")
    ticks.now += float(refused.value.headers["Retry-After"])
    limit.take("one")

    assert refused.value.headers["Retry-After"] == "4"


def test_each_name_is_counted_for_itself() -> None:
    limit = RateLimit(rate=1.0, burst=3, ticks=Ticks())
    taken(limit, "one")

    assert taken(limit, "other") == 3

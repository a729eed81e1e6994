"""The target of `bench.clicks`: what it tells of steps that begin at one moment."""

import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from bench.marking import Marks, serving

STEPS = 300
AT_ONCE = 50


def test_steps_that_begin_at_once_are_each_told() -> None:
    marks, before = Marks(), time.monotonic()

    with serving(marks) as address, ThreadPoolExecutor(AT_ONCE) as people:
        list(people.map(lambda number: post(f"{address}/marks/{number}"), range(STEPS)))
        began = [marks.wait(number) for number in range(STEPS)]

    assert before <= min(began) <= max(began) <= time.monotonic()


def post(address: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(address, data=b"")) as answer:
        answer.read()

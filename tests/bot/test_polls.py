"""Those who wait: woken by every move, never more than there are places."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bot.polls import Polls
from bot.problems import DoorError
from workflows.entry import RunId

RUN, OTHER = RunId("r1"), RunId("r2")


def test_a_move_wakes_those_who_wait_for_that_run() -> None:
    polls = Polls()

    async def wait() -> float:
        with polls.watching(RUN) as sleeper:
            threading.Thread(target=polls.moved, args=(RUN,)).start()
            started = time.monotonic()
            await sleeper.nap(60)
            return time.monotonic() - started

    assert asyncio.run(wait()) < 30


def test_a_move_between_two_naps_is_not_lost() -> None:
    polls = Polls()

    async def wait() -> None:
        with polls.watching(RUN) as sleeper:
            polls.moved(RUN)
            await asyncio.sleep(0)
            await asyncio.wait_for(sleeper.nap(60), timeout=30)

    asyncio.run(wait())


def test_the_move_of_another_run_wakes_nobody() -> None:
    polls = Polls()

    async def wait() -> bool:
        with polls.watching(RUN) as sleeper:
            polls.moved(OTHER)
            nap = asyncio.ensure_future(sleeper.nap(60))
            await asyncio.sleep(0.05)
            still = not nap.done()
            nap.cancel()
            return still

    assert asyncio.run(wait())


def test_closing_wakes_everybody() -> None:
    polls = Polls()

    async def wait() -> None:
        with polls.watching(RUN) as one, polls.watching(OTHER) as other:
            polls.close()
            await asyncio.wait_for(asyncio.gather(one.nap(60), other.nap(60)), timeout=30)

    asyncio.run(wait())
    assert polls.is_closed


def test_a_loop_that_has_ended_is_no_defect() -> None:
    polls = Polls()
    left: list[Iterator[object]] = []

    async def leave() -> None:
        with ExitStack() as stack:
            stack.enter_context(polls.watching(RUN))
            left.append(iter([stack.pop_all()]))  # As a task that was torn off.

    asyncio.run(leave())
    polls.moved(RUN)


def test_places_are_bounded_for_each_and_for_all() -> None:
    polls = Polls(most=3, most_each=2)
    with polls.place("a"), polls.place("a"):
        with pytest.raises(DoorError, match="wait already"), polls.place("a"):
            pass
        with polls.place("b"), pytest.raises(DoorError, match="wait already"), polls.place("c"):
            pass
        with polls.place("b"):
            pass

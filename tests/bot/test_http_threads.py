"""Threads beside the event loop: begun as they are needed, as many as are allowed."""

import asyncio
import contextvars
import threading
import time

import pytest

from bot.http_threads import in_thread, threads

asker: contextvars.ContextVar[str] = contextvars.ContextVar("asker")


def test_a_call_returns_and_raises_and_knows_its_context() -> None:
    async def ask() -> tuple[str, str]:
        asker.set("this request")
        with threads(2):
            with pytest.raises(KeyError, match="gone"):
                await in_thread({}.__getitem__, "gone")
            return await in_thread(asker.get), await in_thread(str.format, "{a}", a="b")

    assert asyncio.run(ask()) == ("this request", "b")


def test_calls_beyond_the_most_wait_for_a_thread() -> None:
    together = threading.Barrier(3)
    most, now, lock = 0, 0, threading.Lock()

    def work(*, meets: bool) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        if meets:
            together.wait(20)  # It breaks unless three are at work at once.
        with lock:
            now -= 1

    async def ask() -> None:
        with threads(3):
            await asyncio.gather(*(in_thread(work, meets=i < 3) for i in range(30)))

    asyncio.run(ask())

    assert most == 3


def test_a_call_never_waits_behind_one_that_hangs_while_a_thread_could_be_had() -> None:
    hangs = threading.Event()

    async def ask() -> None:
        with threads(4):
            for _ in range(50):
                await asyncio.gather(*(in_thread(time.sleep, 0) for _ in range(2)))
            hung = [asyncio.ensure_future(in_thread(hangs.wait, 30)) for _ in range(3)]
            for _ in range(20):
                await asyncio.wait_for(in_thread(time.sleep, 0), 10)
            hangs.set()
            assert await asyncio.gather(*hung) == [True] * 3

    asyncio.run(ask())


def test_threads_that_are_not_needed_any_more_end() -> None:
    names: set[str] = set()

    async def ask() -> None:
        with threads(2):
            await asyncio.gather(
                *(in_thread(lambda: names.add(threading.current_thread().name)) for _ in range(8))
            )

    before = set(threading.enumerate())
    asyncio.run(ask())
    begun = set(threading.enumerate()) - before
    for one in begun:
        one.join(10)

    assert names <= {"http-1", "http-2"}
    assert not any(one.is_alive() for one in begun)


def test_whoever_is_cancelled_waits_no_longer_and_the_call_goes_on() -> None:
    goes, ended = threading.Event(), threading.Event()

    async def ask() -> None:
        loop, began = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            loop.call_soon_threadsafe(began.set)
            goes.wait(30)
            ended.set()

        with threads(1):
            asked = asyncio.ensure_future(in_thread(work))
            await began.wait()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            goes.set()
            assert await in_thread(ended.is_set)

    asyncio.run(ask())

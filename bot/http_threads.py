"""Threads for what would stop the event loop that serves HTTP.

A process that ends waits for none of them, however long a call in one hangs; it would for those
of `concurrent.futures`. Nor would it for those of anyio, but these load what nothing else here
needs, 1.3 MB.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def threads(most: int) -> Iterator[None]:
    """Have at most so many threads for the running event loop: none waits for another server's."""
    loop = asyncio.get_running_loop()
    _of_loops[loop] = _Threads(most)
    try:
        yield
    finally:
        _of_loops.pop(loop).close()


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `call` returns or raise what it raises, while the event loop goes on.

    Whoever is cancelled waits no longer; the call goes on to its end.
    """
    called = partial(contextvars.copy_context().run, call, *args, **kwargs)
    return await asyncio.wrap_future(_of_loops[asyncio.get_running_loop()].take(called))


class _Threads:
    """Daemon threads, each begun when a call finds no idle one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = self._idle = 0
        self._calls: deque[Callable[[], None]] = deque()
        self._is_over = False
        self._changed = threading.Condition()

    def take(self, call: Callable[[], T]) -> Future[T]:
        """Have it called once a thread is free, and return what tells its end."""
        future: Future[T] = Future()
        with self._changed:
            self._calls.append(partial(_call, future, call))
            if self._idle:
                self._idle -= 1
                self._changed.notify()
            elif self._begun < self._most:
                self._begun += 1
                name = f"http-{self._begun}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def close(self) -> None:
        """Let each thread end that has nothing to do any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            call()
            del call  # It holds what was asked and answered.

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._calls and not self._is_over:
                self._idle += 1
                self._changed.wait()
            return self._calls.popleft() if self._calls else None


def _call(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
        future.set_exception(error)
        del future  # The error leads to this frame, and would lead back to itself.
    else:
        future.set_result(result)


_of_loops: dict[asyncio.AbstractEventLoop, _Threads] = {}

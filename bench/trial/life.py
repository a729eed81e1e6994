"""One life of a process: started, asked for things, frozen, killed. The parent's side of it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0

Nursery: TypeAlias = ForkServerContext


class DiedError(Exception):
    """The process died before it answered; what was asked may or may not have been done."""


class RefusedError(Exception):
    """The process answered, and the answer is a refusal."""


def nursery() -> Nursery:
    """Return what processes are forked from: a process with every import and nothing else."""
    os.environ["PYTHONPATH"] = str(ROOT)  # The fork server is a fresh interpreter.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["bench.trial.engine_process", "bench.trial.target", "bench.frozen"]
    )
    return context


class Life:
    """A process from its birth to its death; `ask` waits for its answer or its end."""

    def __init__(
        self,
        context: Nursery,
        work: Callable[..., None],
        *arguments: object,
    ) -> None:
        self._ours, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(*arguments, theirs), daemon=True)
        self._asking = threading.Lock()
        self._numbers = iter(range(1_000_000_000))
        self._waiting: dict[int, Future[Any]] = {-1: Future()}
        self.ready = self._waiting[-1]
        self.is_frozen = False
        self.process.start()
        theirs.close()
        self._listener = threading.Thread(target=self._listen, args=(self._ours,), daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.is_alive()

    def ask(self, what: str, **fields: object) -> Any:  # noqa: ANN401  each order has its answer
        """Have the process do something and return its answer.

        Raises:
            DiedError: it died before it answered.
            RefusedError: it refused.
        """
        return self.asked(what, **fields).result(PATIENCE)

    def asked(self, what: str, **fields: object) -> "Future[Any]":
        """Send an order and return what will hold its answer."""
        answer: Future[Any] = Future()
        with self._asking:
            number = next(self._numbers)
            self._waiting[number] = answer
            try:
                self._ours.send((number, what, fields))
            except OSError:
                self._waiting.pop(number, None)
                answer.set_exception(DiedError(what))
        return answer

    def wait_until_ready(self) -> None:
        """Return once the process works.

        Raises:
            DiedError: it ended before that.
        """
        self.ready.result(PATIENCE)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self._listener.join(PATIENCE)
        self.process.join()
        self._ours.close()

    def freeze(self) -> None:
        """Stop the process without ending it."""
        self._signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        self.is_frozen = False

    def _signal(self, number: int) -> None:
        pid = self.process.pid
        if pid is not None and self.process.is_alive():
            os.kill(pid, number)

    def _listen(self, ours: Connection) -> None:
        while True:
            try:
                number, ok, value = ours.recv()
            except (EOFError, OSError):
                break
            answer = self._waiting.pop(number, None)
            if answer is None:
                continue
            answer.set_result(value) if ok else answer.set_exception(RefusedError(value))
        self.process.join(PATIENCE)  # Its end of the pipe is closed before its locks are free.
        self._bury()

    def _bury(self) -> None:
        with self._asking:
            left, self._waiting = self._waiting, {}
        for answer in left.values():
            if not answer.done():
                answer.set_exception(DiedError("it died"))

"""Our programs as processes of their own, forked from one that has imported all of them.

A fresh interpreter spends a second on imports, hundreds of times. Each process here has its own
memory, descriptors, threads and end; only the imports are shared. What a program imports, and
how it starts from nothing, is for the tests that start real programs.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Protocol, TypeAlias

from bot.cli import COMMANDS, main
from storage.evidence.shipped import verify

Program: TypeAlias = Callable[[Sequence[str]], None]

LATER = (
    "bot.serve",
    "bot.worker",
    "bot.workspaces.serve",
    "alembic.command",
    "alembic.config",
    "cel_expr_python",
    "cryptography.hazmat.primitives.serialization",
    "workflows.check",
    "bench.frozen",
)


class Forked:
    """A command under way, with the ways of `subprocess.Popen`."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: Path | None = None,
        stderr: Path | None = None,
        program: Program | None = None,
    ) -> None:
        self.args = tuple(words)
        with ExitStack() as opened:
            nothing = opened.enter_context(Path(os.devnull).open("rb"))
            told = [
                opened.enter_context((one or Path(os.devnull)).open("ab"))
                for one in (stdout, stderr)
            ]
            streams = [one.fileno() for one in (nothing, *told)]
            self._process = begin(
                words, env=env, folder=Path.cwd(), streams=streams, program=program
            )
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def interlock(
    *words: str, env: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    return _run(words, env=env, timeout=timeout)


def verifier(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the verifier that every pack holds to its end.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    return _run(words, env=os.environ, timeout=timeout, program=_verifier)


def _run(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    program: Program | None = None,
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="interlock-said-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = Forked(words, env=env, stdout=out, stderr=err, program=program)
        try:
            code = running.wait(timeout)
        finally:
            running.kill()
            running.wait()
        return subprocess.CompletedProcess(
            words, code, out.read_text("utf-8"), err.read_text("utf-8")
        )


def begin(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    streams: Sequence[int],
    program: Program | None = None,
) -> ForkServerProcess:
    """Start a program, else `interlock`; `streams` become its input, output and errors."""
    handed = tuple(_Stream(one) for one in streams)
    process = _nursery().Process(
        target=_become, args=(program or _interlock, tuple(words), dict(env), str(folder), handed)
    )
    process.start()
    return process


def _nursery() -> ForkServerContext:
    """Return what processes are forked from; it imports when the first is asked for."""
    context = multiprocessing.get_context("forkserver")
    modules = {place.module for place in COMMANDS.values()}
    context.set_forkserver_preload([__name__, *sorted(modules), *LATER])
    return context


class _Handed(Protocol):
    """A descriptor on its way into another process."""

    def detach(self) -> int: ...


class _Stream:
    """A descriptor here; in the process that it is given to, the number it has there."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[object, ...]:
        return _arrived, (DupFd(self._number),)


def _arrived(handed: _Handed) -> int:
    return handed.detach()


def _become(
    program: Program,
    words: Sequence[str],
    env: Mapping[str, str],
    folder: str,
    streams: Sequence[int],
) -> None:
    """Be a program that was given these words, as far as a process can tell."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - these last as long as the process.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above.
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - as above.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program(words)


def _interlock(words: Sequence[str]) -> None:
    sys.argv = ["interlock", *words]
    main(args=list(words), prog_name="interlock")


def _verifier(words: Sequence[str]) -> None:
    sys.argv = [str(verify.__file__), *words]
    sys.exit(verify.main())


__all__ = ["Forked", "begin", "interlock", "verifier"]

"""The command line as processes of their own, forked from one that has imported all of it.

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
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

from bot.cli import COMMANDS, main

LATER = ("bot.serve", "bot.worker", "bot.workspaces.serve", "storage.migrate")


def _nursery() -> ForkServerContext:
    """Return what processes are forked from; it imports when the first is asked for."""
    context = multiprocessing.get_context("forkserver")
    modules = {place.module for place in COMMANDS.values()}
    context.set_forkserver_preload([__name__, *sorted(modules), *LATER])
    return context


class Forked:
    """A command under way, with the ways of `subprocess.Popen`."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: Path | None = None,
        stderr: Path | None = None,
    ) -> None:
        self.args = tuple(words)
        streams = tuple(str(one or os.devnull) for one in (stdout, stderr))
        self._process = _nursery().Process(target=_become, args=(self.args, dict(env), streams))
        self._process.start()
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
    with tempfile.TemporaryDirectory(prefix="interlock-said-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = Forked(words, env=env, stdout=out, stderr=err)
        try:
            code = running.wait(timeout)
        finally:
            running.kill()
            running.wait()
        said = (one.read_text("utf-8") if one.exists() else "" for one in (out, err))
        return subprocess.CompletedProcess(words, code, *said)


def _become(words: Sequence[str], env: Mapping[str, str], streams: tuple[str, str]) -> None:
    """Be `interlock` with these words, as far as a process can tell."""
    os.environ.clear()
    os.environ.update(env)
    for number, path in zip((1, 2), streams, strict=True):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it lasts as long as the process.
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - as above.
    sys.argv = ["interlock", *words]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(args=list(words), prog_name="interlock")


__all__ = ["Forked", "interlock"]

"""Starts one program under a guardian, feeds it, reads it, and stops waiting in time.

What may be started is for `workflows/actions/shell`; how it ends for certain is for
`workflows/actions/guardian`.
"""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from workflows.actions.base import MARGIN
from workflows.actions.kept_text import kept_end, kept_text

GUARDIAN = Path(__file__).with_name("guardian.py")
GRACE = 1.0  # Seconds between SIGTERM and SIGKILL.
AFTER = 3.0  # Seconds the guardian may take beyond that.
CHUNK = 65536


@dataclass(slots=True, kw_only=True)
class Output:
    """What a program wrote, somewhat more than `limit` bytes of it if there are that many.

    `last` is its end, twice as long as what may have to be left out of it.
    """

    limit: int
    kept: bytearray = field(default_factory=bytearray)
    last: bytearray = field(default_factory=bytearray)

    def add(self, chunk: bytes) -> None:
        """Keep what fits."""
        self.kept += chunk[: self.limit + MARGIN - len(self.kept)]
        self.last += chunk
        del self.last[: -2 * MARGIN]

    @property
    def is_cut(self) -> bool:
        """Whether it is longer than the limit."""
        return len(self.kept) > self.limit

    def text(self, redact: Callable[[str], str] = str) -> str:
        """Return it as text without secrets, cut to the limit after that."""
        return kept_text(bytes(self.kept), self.limit, redact)

    def end(self, redact: Callable[[str], str]) -> str:
        """Return the end of it as text without secrets; all of it where it is short."""
        return kept_end(bytes(self.last), MARGIN, redact) if self.is_cut else self.text(redact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended.

    `exit_code` is negative for a signal and None where nobody knows. `missing` says why it
    never began.
    """

    exit_code: int | None
    is_late: bool
    missing: str
    stdout: Output
    stderr: Output


def run_program(
    argv: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    stdin: bytes,
    timeout: float,
    limit: int,
    uses: Mapping[str, int] = MappingProxyType({}),
) -> Ended:
    """Run the program until it ends or `timeout` is over; nothing of it is left running.

    `uses` are the limits of `guardian` by name: what the program may use of the machine.

    Raises:
        OSError: the folder is not there, or nothing can be started at all.
    """
    lifeline, hold = os.pipe()
    report, tells = os.pipe()
    words = [sys.executable, "-I", "-S", str(GUARDIAN), str(lifeline), str(tells), str(GRACE)]
    words.append(",".join(f"{name}={most}" for name, most in uses.items()))
    try:
        guardian = subprocess.Popen(  # noqa: S603  argv comes from the allow-list, no shell
            [*words, *argv],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(lifeline, tells),
            start_new_session=True,
            bufsize=0,
        )
    except BaseException:
        os.close(hold)
        os.close(report)
        raise
    finally:
        os.close(lifeline)
        os.close(tells)
    with guardian:
        return _Watch(guardian, hold=hold, report=report, limit=limit).until(timeout, stdin)


class _Watch:
    """Carries bytes to and from a program until it is over."""

    def __init__(
        self, guardian: subprocess.Popen[bytes], *, hold: int, report: int, limit: int
    ) -> None:
        self._guardian = guardian
        self._hold = hold
        self._report = report
        self._stdout = Output(limit=limit)
        self._stderr = Output(limit=limit)
        self._said = Output(limit=CHUNK)
        self._open = {report: self._said}
        for pipe, output in ((guardian.stdout, self._stdout), (guardian.stderr, self._stderr)):
            if pipe is not None:
                self._open[pipe.fileno()] = output

    def until(self, timeout: float, stdin: bytes) -> Ended:
        """Carry on until the program ended or `timeout` is over; then see to its end."""
        is_late = True
        try:
            is_late = not self._carry(stdin, ends=time.monotonic() + timeout)
        finally:
            os.close(self._hold)  # Whatever happened, the guardian now ends everything.
            self._carry(b"", ends=time.monotonic() + GRACE + AFTER)
            self._guardian.kill()  # It is long gone, unless it hangs itself.
            os.close(self._report)
        return self._ended(is_late=is_late)

    def _carry(self, stdin: bytes, *, ends: float) -> bool:
        """Move bytes until every output is closed; say whether that was in time."""
        rest = memoryview(stdin)
        with selectors.DefaultSelector() as selector:
            for number in self._open:
                selector.register(number, selectors.EVENT_READ)
            if (feed := self._guardian.stdin) is not None and not feed.closed:
                os.set_blocking(feed.fileno(), False)
                selector.register(feed, selectors.EVENT_WRITE)
            while self._open:
                ready = selector.select(max(0.0, ends - time.monotonic()))
                if not ready and time.monotonic() >= ends:
                    return False
                for key, events in ready:
                    if events & selectors.EVENT_WRITE:
                        rest = self._feed(rest, selector)
                    else:
                        self._take(key.fd, selector)
        return True

    def _feed(self, rest: memoryview, selector: selectors.BaseSelector) -> memoryview:
        feed = self._guardian.stdin
        if feed is None:
            return rest
        with suppress(BlockingIOError):
            try:
                rest = rest[os.write(feed.fileno(), rest[:CHUNK]) if rest else 0 :]
            except BrokenPipeError:
                rest = memoryview(b"")  # It reads no further, which is its own affair.
        if not rest:
            selector.unregister(feed)
            feed.close()
        return rest

    def _take(self, number: int, selector: selectors.BaseSelector) -> None:
        chunk = os.read(number, CHUNK)
        if chunk:
            self._open[number].add(chunk)
            return
        selector.unregister(number)
        del self._open[number]

    def _ended(self, *, is_late: bool) -> Ended:
        words = self._said.text().strip().splitlines() or [""]
        kind, _, value = words[0].partition(" ")
        return Ended(
            exit_code=int(value) if kind in {"ended", "stopped"} else None,
            is_late=is_late or kind == "stopped",
            missing=value if kind == "missing" else "",
            stdout=self._stdout,
            stderr=self._stderr,
        )

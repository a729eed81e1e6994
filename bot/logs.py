"""How the bot logs: stdlib logging, one JSON object a line, or words where a person reads along.

The text of a line is constant and its facts go in `extra`. Whatever a line holds, values of
secrets are taken out of it last, from the finished text. What is logged while a run is worked
on names that run, and where a process serves many workspaces, the one it is about. That the
database is away is told once a minute by each part that waits for it.
"""

import errno
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from functools import partial
from typing import ParamSpec, TextIO, TypeVar

from workflows.errors import SigningKeyError, StorageUnavailableError

AGAIN_SECONDS = 60.0
QUIET = (
    "slack_sdk",
    "httpx",
    "httpcore",
    "uvicorn",
    "alembic",
    "procrastinate",
    "asyncio",
)
# What every record holds; whatever else stands in one was given as `extra`.
USUAL = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})

_RUN: ContextVar[str] = ContextVar("run", default="")
_WORKSPACE: ContextVar[str] = ContextVar("workspace", default="")

P = ParamSpec("P")
T = TypeVar("T")
Redact = Callable[[str], str]
Write = Callable[[logging.LogRecord, str], str]


def configure_logs(
    level: str,
    redact: Redact,
    *,
    form: str = "",
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send everything that is logged to `stream`, in place of earlier settings.

    `form` is `json` or `words`; without it a terminal is given words, anything else JSON.
    """
    stream = stream or sys.stderr
    handler = Lines(stream)
    as_words = form == "words" or (not form and stream.isatty())
    handler.setFormatter(RedactingFormatter(redact, _as_words if as_words else _as_json))
    handler.addFilter(Outages(clock))
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each try to reach a server that is away; that it is away is logged by us.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    # A connection that broke is thrown away; it failing to be put back as well says nothing.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    # It warns at each start that it was given a client although a token stands in the
    # environment. What our listeners raise is logged by us.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


def remark_on_terminal(redact: Redact) -> None:
    """Have the warnings of a command printed with their facts, while nothing else is set up."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(RedactingFormatter(redact, _as_remark))


class Lines(logging.StreamHandler[TextIO]):
    """Writes each record as one line.

    The library's own handler prints what it cannot write as it stands there, secrets included.
    """

    _is_torn = False

    def emit(self, record: logging.LogRecord) -> None:
        # After a full disk, what is left of an earlier line stands there without its end.
        start = self.terminator if self._is_torn else ""
        try:
            self.stream.write(f"{start}{self._line_of(record)}{self.terminator}")
            self.flush()
        except (OSError, ValueError):  # No room, nobody who reads, or closed.
            self._is_torn = True
        else:
            self._is_torn = False

    def _line_of(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001  it names no values, whatever it is
            known = {
                "name": record.name,
                "levelno": logging.ERROR,
                "levelname": "ERROR",
                "msg": "a line cannot be written",
                "at": f"{record.pathname}:{record.lineno}",
                "why": type(error).__name__,
            }
            return self.format(logging.makeLogRecord(known))


class Outages(logging.Filter):
    """Keeps a database that is away for hours from filling the disk with one sentence.

    Each part that waits tries again every second or so. The first try is told, then one a
    minute, with the reason in the place of a trace that only shows the way through a library.
    So is a key that somebody ended, of which the process says at its end what to do, and that
    the process may open no more files, of which a listener would tell hundreds of times a second.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        is_outage = isinstance(error, StorageUnavailableError | SigningKeyError)
        if error is None or not (is_outage or _is_out_of_files(error)):
            return True
        record.exc_info, record.reason = None, _reason(error)
        kind = record.name, record.getMessage(), _WORKSPACE.get()
        now = self._clock()  # Not the record's moment: the machine's clock may be set back.
        if kind in self._told and now < self._told[kind] + AGAIN_SECONDS:
            return False
        self._told[kind] = now
        return True


def _is_out_of_files(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}


def _reason(error: BaseException) -> str:
    """Return what an error says, and what the one at its root said first."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    lines = str(root).splitlines() if root is not error else []
    return " ".join([str(error), *lines[:1]])


class RedactingFormatter(logging.Formatter):
    """Writes a record with its facts, and takes held secrets out of the finished text."""

    def __init__(self, redact: Redact, write: Write) -> None:
        super().__init__()
        self._redact = redact
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return self._redact(self._write(record, trace))


@contextmanager
def about_run(run: str) -> Iterator[None]:
    """Have everything that this thread logs name the run, unless it names another itself."""
    with _said(_RUN, run):
        yield


@contextmanager
def about_workspace(workspace: str) -> Iterator[None]:
    """Have everything that this thread logs name the workspace, and all that it has `attributed`.

    Nothing is named where a process has one alone, which is "".
    """
    with _said(_WORKSPACE, workspace):
        yield


@contextmanager
def _said(about: ContextVar[str], what: str) -> Iterator[None]:
    token = about.set(what)
    try:
        yield
    finally:
        about.reset(token)


def attributed(work: Callable[P, T]) -> Callable[P, T]:
    """Return `work` for another thread, once, whose lines are about what this one's are."""
    return partial(copy_context().run, work)


def facts_of(record: logging.LogRecord) -> Mapping[str, object]:
    """Return what a record was given as `extra`, and the workspace and run that are worked on."""
    facts = {name: one for name, one in vars(record).items() if name not in USUAL}
    about = {"workspace": _WORKSPACE.get(), "run": _RUN.get()}
    return {name: one for name, one in about.items() if one} | facts


def _as_json(record: logging.LogRecord, trace: str) -> str:
    line = {
        "event": record.getMessage(),
        "level": record.levelname.lower(),
        "logger": record.name,
        **facts_of(record),
        "timestamp": _moment(record).isoformat().replace("+00:00", "Z"),
        **({"exception": trace} if trace else {}),
    }
    return json.dumps(line, default=str)


def _as_words(record: logging.LogRecord, trace: str) -> str:
    facts = "".join(f"  {name}={one}" for name, one in facts_of(record).items())
    line = f"{_moment(record):%H:%M:%S} {record.levelname.lower():<8}{record.getMessage()}{facts}"
    return f"{line}\n{trace}" if trace else line


def _as_remark(record: logging.LogRecord, trace: str) -> str:
    facts = ", ".join(f"{name}: {one}" for name, one in facts_of(record).items())
    line = f"interlock: {record.getMessage()}" + (f" ({facts})" if facts else "")
    return f"{line}\n{trace}" if trace else line


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)

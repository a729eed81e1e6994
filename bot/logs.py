"""How the bot logs: stdlib logging, one JSON object a line (or words on a terminal).

The text of a line is constant and its facts go in `extra`. Whatever a line holds, values of
secrets are taken out of it last, from the finished text.
"""

import logging
import sys
from collections.abc import Callable
from typing import TextIO

import structlog
from structlog.typing import Processor

QUIET = (
    "slack_sdk",
    "httpx",
    "httpcore",
    "uvicorn",
    "apscheduler",
    "alembic",
    "procrastinate",
    "asyncio",
)

Redact = Callable[[str], str]


def configure_logs(level: str, redact: Redact, *, stream: TextIO = sys.stderr) -> None:
    """Send everything that is logged to `stream`, in place of earlier settings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(redact, is_for_people=stream.isatty()))
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each try to reach a server that is away; that it is away is logged by us.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    # It warns at each start that it was given a client although a token stands in the
    # environment. What our listeners raise is logged by us.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


class RedactingFormatter(logging.Formatter):
    """Writes a line with structlog and takes held secrets out of the finished text."""

    def __init__(self, redact: Redact, *, is_for_people: bool) -> None:
        super().__init__()
        self._redact = redact
        self._inner = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(is_for_people=is_for_people),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(self._inner.format(record))


def _rendering(*, is_for_people: bool) -> list[Processor]:
    if is_for_people:
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]

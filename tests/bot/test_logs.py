"""What a line of the log holds."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot.logs import configure_logs
from workflows.redaction import MARK, Redactor

log = logging.getLogger("bot.test")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs("INFO", Redactor(["sesame-sesame"]), stream=stream)
    yield stream
    root.handlers, root.level = handlers, level


def test_a_line_is_one_json_object_with_its_facts(written: io.StringIO) -> None:
    log.info("step finished", extra={"run": "r1", "attempt": 2})
    line = json.loads(written.getvalue())

    assert (line["event"], line["run"], line["attempt"]) == ("step finished", "r1", 2)
    assert line["level"] == "info"


def test_a_secret_in_a_trace_is_taken_out(written: io.StringIO) -> None:
    try:
        int("sesame-sesame")
    except ValueError:
        log.exception("call failed")

    assert "sesame" not in written.getvalue()
    assert MARK in json.loads(written.getvalue())["exception"]

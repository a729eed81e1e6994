"""What a line of the log holds."""

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from bot.logs import about_run, about_workspace, attributed, configure_logs
from workflows.errors import SigningKeyError, StorageError, StorageUnavailableError
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


@pytest.mark.parametrize("kind", [StorageUnavailableError, SigningKeyError])
def test_a_database_that_is_away_or_a_key_that_ended_is_told_once_a_minute_and_why(
    written: io.StringIO, kind: type[StorageError]
) -> None:
    with pytest.raises(kind) as away:
        raise kind("It cannot be reached.") from OSError("refused\nat")
    about = (kind, away.value, away.tb)
    for second in range(90):
        for part in ("outbox", "clock"):
            words = f"{part} waits for the database"
            facts = {"created": 1e6 + second, "msg": words, "exc_info": about}
            log.handle(logging.makeLogRecord({"name": log.name, "levelno": 30, **facts}))
    log.warning("outbox met a defect", exc_info=ValueError("unknown"))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [(line["event"].split()[0], line.get("reason")) for line in lines]
    why = "It cannot be reached. refused"

    assert told == [("outbox", why), ("clock", why)] * 2 + [("outbox", None)]
    assert ["exception" in line for line in lines] == [False] * 4 + [True]


def test_what_is_logged_while_a_run_is_worked_on_names_it(written: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    with about_run("r1"):
        library.info("tried again")
        log.info("woke another", extra={"run": "r2"})
    log.info("idle")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [line.get("run") for line in lines] == ["r1", "r2", None]


def test_a_setting_chooses_words_where_no_terminal_is(written: io.StringIO) -> None:
    configure_logs("INFO", str, form="words", stream=written)
    log.info("serving", extra={"over": "http"})

    assert written.getvalue().endswith(" info    serving  over=http\n")


def test_that_one_workspace_waits_for_its_database_hides_no_other(written: io.StringIO) -> None:
    for ident in ("T0ACME", "T0GLOBEX", "T0ACME"):
        with about_workspace(ident):
            log.warning("outbox waits", exc_info=StorageUnavailableError("It cannot be reached."))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [line["workspace"] for line in lines] == ["T0ACME", "T0GLOBEX"]


def test_what_another_thread_was_given_to_do_names_the_workspace_too(written: io.StringIO) -> None:
    with about_workspace("T0ACME"):
        thread = threading.Thread(target=attributed(log.info), args=("looked",))
    thread.start()
    thread.join()
    log.info("looked")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [line.get("workspace") for line in lines] == ["T0ACME", None]

"""What a line of the log holds."""

import errno
import io
import json
import logging
import os
import threading
from collections.abc import Iterator

import pytest

from bot.logs import Lines, about_run, about_workspace, attributed, configure_logs
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


class Clock:
    """Counts seconds, whatever the machine's clock shows."""

    seconds = 0

    def __call__(self) -> float:
        return self.seconds


class Filling(io.StringIO):
    """A disk with room for so many characters."""

    room = 10**9

    def write(self, text: str) -> int:
        super().write(text[: self.room])
        if len(text) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(text)
        return len(text)


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


def test_a_line_that_a_library_spoils_shows_nothing_of_what_it_said(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = next(one for one in logging.getLogger().handlers if isinstance(one, Lines))
    for known in (
        {"msg": "took %d", "args": ("sesame-sesame",)},
        {"msg": "said", "facts": {("sesame-sesame",): 1}},
    ):
        ours.handle(logging.makeLogRecord({"pathname": "library.py", "lineno": 7, **known}))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [(one["event"], one["why"]) for one in lines] == [
        ("a line cannot be written", "TypeError")
    ] * 2
    assert [one["at"] for one in lines] == ["library.py:7"] * 2
    assert "sesame" not in written.getvalue() + "".join(capsys.readouterr())


@pytest.mark.usefixtures("written")
def test_what_a_full_disk_cut_off_spoils_no_line_that_comes_after(
    capsys: pytest.CaptureFixture[str],
) -> None:
    disk = Filling()
    configure_logs("INFO", str, stream=disk)
    log.info("before")
    disk.room = 20
    log.info("cut off")
    log.info("lost")
    disk.room = 10**9
    log.info("after")
    log.info("later")
    told = [line for line in disk.getvalue().splitlines() if line.endswith("}")]

    assert [json.loads(one)["event"] for one in told] == ["before", "after", "later"]
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize("kind", [StorageUnavailableError, SigningKeyError])
def test_a_database_that_is_away_or_a_key_that_ended_is_told_once_a_minute_and_why(
    written: io.StringIO, kind: type[StorageError]
) -> None:
    with pytest.raises(kind) as away:
        raise kind("It cannot be reached.") from OSError("refused\nat")
    about = (kind, away.value, away.tb)
    clock = Clock()
    configure_logs("INFO", str, stream=written, clock=clock)
    for clock.seconds in range(90):
        for part in ("outbox", "clock"):
            words = f"{part} waits for the database"
            # The machine's clock is set back by an hour meanwhile.
            facts = {"created": 1e6 - 3600 * (clock.seconds > 9), "msg": words, "exc_info": about}
            log.handle(logging.makeLogRecord({"name": log.name, "levelno": 30, **facts}))
    log.warning("outbox met a defect", exc_info=ValueError("unknown"))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [(line["event"].split()[0], line.get("reason")) for line in lines]
    why = "It cannot be reached. refused"

    assert told == [("outbox", why), ("clock", why)] * 2 + [("outbox", None)]
    assert ["exception" in line for line in lines] == [False] * 4 + [True]


def test_a_listener_without_files_is_told_once_a_minute_however_often_somebody_connects(
    written: io.StringIO,
) -> None:
    clock = Clock()
    configure_logs("INFO", str, stream=written, clock=clock)
    for clock.seconds in range(90):
        for number in (errno.EMFILE, errno.EMFILE, errno.EACCES):
            error = OSError(number, os.strerror(number))
            log.error("no connection is taken in", exc_info=(OSError, error, None))
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [line["reason"] for line in lines if "exception" not in line]

    assert told == [f"[Errno {errno.EMFILE}] Too many open files"] * 2
    assert len(lines) == 2 + 90  # What is no such trouble keeps its trace, each time.


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

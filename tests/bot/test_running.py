"""Starting and stopping the parts of a process."""

import os
import resource
import signal
import threading

import pytest

from bot.running import BrokenDownError, leave_no_core_dump, run_until, until_signalled


class Bell:
    """A part that writes down what happens to it."""

    def __init__(self, name: str, told: list[str], *, fails: str = "") -> None:
        self._name, self._told, self._fails = name, told, fails

    def start(self) -> None:
        self._do("start")

    def stop(self) -> None:
        self._do("stop")

    def _do(self, what: str) -> None:
        self._told.append(f"{what} {self._name}")
        if what == self._fails:
            raise RuntimeError(what)


def stopped() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def test_parts_stop_in_reverse() -> None:
    told: list[str] = []
    run_until(stopped(), [Bell("a", told), Bell("b", told)])

    assert told == ["start a", "start b", "stop b", "stop a"]


def test_parts_work_on_for_a_grace_before_they_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("bot.running.time.sleep", lambda seconds: told.append(f"{seconds} s"))
    run_until(stopped(), [Bell("a", told)], grace=5)

    assert told == ["start a", "5 s", "stop a"]


def test_a_part_that_cannot_start_stops_those_before_it() -> None:
    told: list[str] = []

    with pytest.raises(RuntimeError, match="start"):
        run_until(stopped(), [Bell("a", told), Bell("b", told, fails="start"), Bell("c", told)])
    assert told == ["start a", "start b", "stop b", "stop a"]


def test_a_part_that_cannot_stop_does_not_keep_the_others() -> None:
    told: list[str] = []
    run_until(stopped(), [Bell("a", told), Bell("b", told, fails="stop")])

    assert told[-1] == "stop a"


def test_a_part_that_broke_down_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.running.WATCH_SECONDS", 0.01)
    told: list[str] = []

    with pytest.raises(BrokenDownError, match="silent"):
        run_until(threading.Event(), [Bell("a", told)], problem=lambda: "Slack is silent.")
    assert told == ["start a", "stop a"]


def test_that_it_has_begun_is_asked_after_all_are_started_until_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.running.WATCH_SECONDS", 0.01)
    told: list[str] = []
    stopping = threading.Event()

    def has_begun() -> bool:
        told.append("asked")
        return told.count("asked") == 2

    def problem() -> str | None:
        if told.count("asked") == 2:
            stopping.set()
        return None

    run_until(stopping, [Bell("a", told)], problem=problem, begun=has_begun)

    assert told == ["start a", "asked", "asked", "stop a"]


def test_a_signal_asks_to_stop_and_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with until_signalled() as stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        asked = stopping.wait(60)

    assert asked
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_breaks_down_leaves_no_picture_of_its_memory() -> None:
    leave_no_core_dump()

    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def test_a_signal_that_comes_twice_at_once_is_one_wish_and_a_later_one_ends_the_process() -> None:
    ticks = iter([10.0, 10.9, 11.2])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with until_signalled(ticks=lambda: next(ticks)) as stopping:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            os.write(write, b"finishes" if stopping.is_set() else b"goes on")
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"finishes"
    assert os.waitstatus_to_exitcode(status) == -signal.SIGINT

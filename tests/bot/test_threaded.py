"""A part with a thread of its own outlives what nobody foresaw."""

import threading

import pytest

from bot import threaded
from bot.threaded import Threaded

PATIENCE = 60.0


class Odd(Threaded):
    """Fails the first time, as nobody thought it could."""

    def __init__(self) -> None:
        self.begun = 0
        self.is_well = threading.Event()
        super().__init__("odd", stop_seconds=PATIENCE)

    def _work(self) -> None:
        self.begun += 1
        if self.begun == 1:
            raise KeyError("what nobody foresaw")
        self.is_well.set()
        self._stopping.wait(PATIENCE)


def test_a_defect_is_logged_and_the_part_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threaded, "AGAIN_SECONDS", 0.001)
    part = Odd()
    part.start()
    is_well = part.is_well.wait(PATIENCE)
    part.stop()

    assert is_well
    assert part.begun == 2
    assert "a part stands still for a while" in caplog.text

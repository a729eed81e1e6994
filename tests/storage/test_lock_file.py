"""One process serves a home; a second one is told who does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.lock_file import ServeLock
from tests.storage.run_drafts import NOON
from workflows.errors import HeldElsewhereError

HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from storage.lock_file import ServeLock
lock = ServeLock.take(Path(sys.argv[1]), now=datetime(2026, 3, 2, 12, tzinfo=UTC))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_told_who_serves_and_since_when(tmp_path: Path) -> None:
    with ServeLock.take(tmp_path, now=NOON):
        with pytest.raises(HeldElsewhereError, match=rf"{os.getpid()} .*2026-03-02T12:00:00"):
            ServeLock.take(tmp_path, now=NOON)
        assert ServeLock.is_held(tmp_path)

    assert not ServeLock.is_held(tmp_path)
    ServeLock.take(tmp_path, now=NOON).release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(HeldElsewhereError, match=str(holder.pid)):
        ServeLock.take(tmp_path, now=NOON)

    holder.kill()
    holder.wait(10)
    holder.stdout.close()

    ServeLock.take(tmp_path, now=NOON).release()


def test_nobody_holds_a_home_that_was_never_served(tmp_path: Path) -> None:
    assert not ServeLock.is_held(tmp_path / "new")


def test_nobody_else_looks_into_a_home_that_a_first_process_makes(tmp_path: Path) -> None:
    ServeLock.take(tmp_path / "new", now=NOON).release()

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700

"""The right to serve a home: one process at a time, the others are told who it is.

The operating system gives the lock back when its holder ends, however that happens, so a file
left behind locks nothing.
"""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from storage.flushed import make_folder
from workflows.errors import HeldElsewhereError

NAME = "serve.lock"


class ServeLock:
    """Held from `take` until `release` or the end of the process."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, home: Path, *, now: datetime) -> Self:
        """Take the lock of `home`, and write down who holds it.

        Raises:
            HeldElsewhereError: another process holds it; the message says which and since when.
        """
        make_folder(home, mode=0o700)
        file = (home / NAME).open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _read(file)
            file.close()
            raise HeldElsewhereError(
                f"{who} already serves {home}.",
                hint="Stop it first, or give this one another INTERLOCK_HOME.",
            ) from None
        file.truncate(0)
        json.dump({"pid": os.getpid(), "since": now.isoformat(timespec="seconds")}, file)
        file.flush()
        return cls(file)

    @classmethod
    def is_held(cls, home: Path) -> bool:
        """Say whether some process serves `home` now."""
        return cls.holder(home) is not None

    @classmethod
    def holder(cls, home: Path) -> str | None:
        """Say which process serves `home` now and since when; None if none does."""
        try:
            file = (home / NAME).open("r", encoding="utf-8")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file)
        return None

    def release(self) -> None:
        """Give the lock back; a second time changes nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _read(file: IO[str]) -> str:
    """Say who wrote the file, as far as it can be read."""
    file.seek(0)
    try:
        holder = json.loads(file.read())
        return f"Process {holder['pid']} (since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "Another process"

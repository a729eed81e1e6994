"""Reads the text of one file, whatever stands under its name: bounded, and waiting for nothing.

A pipe would keep a bot from starting and a device would fill its memory, so only regular files
are read. What their text says is for `loading`.
"""

import os
import stat
from pathlib import Path

from workflows.fault import Fault

MOST_READ = 16 * 1024 * 1024


def text_or_fault(path: Path) -> str | Fault:
    """Return the text of a file, or why it has none that can be used."""
    try:
        data = _bytes(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return _fault(path, "is not there", "write it, or name another")
        return _fault(path, f"cannot be read: {error.strerror}", "put it right or remove it")
    if data is None:
        return _fault(path, "is no regular file", "put a file there, or remove it")
    if len(data) > MOST_READ:
        return _fault(path, f"has more than {MOST_READ} bytes", "split it")
    return _decoded(path, data)


def _bytes(path: Path) -> bytes | None:
    """Return at most one byte more than may be read, None for what is no regular file.

    Raises:
        OSError: it cannot be opened or read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        return file.read(MOST_READ + 1) if is_regular else None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; without this flag, opening a pipe waits for somebody who writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _decoded(path: Path, data: bytes) -> str | Fault:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        what = f"is not UTF-8 text: {error.reason}"
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        return _fault(path, what, "save it as UTF-8", line=line, column=column)
    return text.replace("\r\n", "\n").replace("\r", "\n")  # As Python reads text everywhere.


def _fault(path: Path, what: str, right: str, *, line: int = 1, column: int = 1) -> Fault:
    return Fault(file=str(path), line=line, column=column, path="", what=what, right=right)

"""Writes files whole or not at all: what grows has another name until all of it is on the disk.

A disk that is full, a kill or a power cut leaves no half of a file by the name that was asked for.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from storage.flushed import flush_folder

# File systems of other machines and of memory sticks know no second name of a file.
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS})
# A file that may be written in a folder that may not, or that a container was given alone.
NO_OTHER_NAME = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS})


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` into the file, in the place of what was there; a power cut loses neither.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    with _fresh(path, content) as fresh:
        fresh.replace(path)
    flush_folder(path.parent)


def write_over(path: Path, content: bytes) -> None:
    """Put `content` where somebody named a file: behind links, under the rights that it has.

    What is no plain file, as a pipe is none, is written to as it is, and so is a file beside
    which nothing can be made.

    Raises:
        OSError: it cannot be written; a plain file that was there stays, mostly.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    try:
        with _fresh(place, content) as fresh:
            if place.exists():
                shutil.copymode(place, fresh)
            fresh.replace(place)
    except OSError as error:
        if error.errno not in NO_OTHER_NAME or not place.exists():
            raise
        _write(place.open("wb"), content)
    else:
        flush_folder(place.parent)


def write_new(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put `content` into a file that is not there yet.

    Raises:
        FileExistsError: something stands there already; it stays.
        OSError: it cannot be written, and nothing is left of it.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with _fresh(path, content, mode=mode) as fresh:
        try:
            os.link(fresh, path)
        except OSError as error:
            if error.errno not in NO_LINKS or os.path.lexists(path):
                raise
            fresh.replace(path)
    try:
        flush_folder(path.parent)
    except OSError:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _fresh(path: Path, content: bytes, *, mode: int = 0o666) -> Iterator[Path]:
    """Give a whole file beside `path`, for the block to name; what it leaves is taken away."""
    fresh = path.with_name(f".interlock-{secrets.token_hex(4)}")
    try:
        _write(os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"), content)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _write(file: IO[bytes], content: bytes) -> None:
    """Fill `file`, have it on the disk and close it."""
    with file as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())

"""Make files and their names survive a loss of power, before anybody is told that they are there.

A file whose content was flushed is still gone after a power cut, unless the folder that holds
its name was flushed too; so is a new folder, with all that is in it.
"""

import errno
import os
from pathlib import Path

# A file system that flushes no folders, and a folder that we may write to and not look into.
NOT_ALONE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES})


def flush_folder(folder: Path) -> None:
    """Return once the names in `folder` are on the disk.

    Raises:
        OSError: the disk does not take them.
    """
    try:
        _flush(folder)
    except OSError as error:
        if error.errno not in NOT_ALONE:
            raise
        os.sync()  # Everything of this machine, and with it the names.


def flush_tree(path: Path) -> None:
    """Return once a file, or a folder with all that is in it, is on the disk; its name may not be.

    Raises:
        OSError: the disk does not take it.
    """
    if not path.is_dir():
        _flush(path)
        return
    for one in path.iterdir():
        flush_tree(one)
    flush_folder(path)


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Make a folder, and those above it that are missing; what stands there stays.

    Raises:
        OSError: it cannot be made, or the disk does not take it.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in missing:
        flush_folder(one.parent)


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)

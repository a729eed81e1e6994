"""Where tests keep their files: in memory, if this machine has a file system there.

A test opens an SQLite file or a Postgres database of its own and commits to it many times. On
a disk most of its time goes by waiting for that; what a power cut leaves behind no test asks.
"""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3  # A session takes some 300 MB, one on four processors four times that.


def in_memory(folder: Path = MEMORY, *, room: int = ROOM) -> str | None:
    """Return the folder if tests may keep their files there, None if they belong on the disk.

    There has to be room, and programs that a test writes there have to run.
    """
    if not os.access(folder, os.W_OK | os.X_OK) or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    return str(folder) if shutil.disk_usage(folder).free >= room else None

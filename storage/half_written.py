"""Clear away what a process left that was killed while it wrote a key.

A key is written under another name, `.NAME.PID`, and gets its own once it is whole. Killed in
between, a process leaves half a key, or a whole one that nobody uses and nobody protects.
"""

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path

_BEGAN = time.time()  # A file of this process's number from before is one of an earlier process.


def fresh_name(path: Path) -> Path:
    """Return under which name this process writes what is to be `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def clear_half_written(path: Path) -> None:
    """Remove what processes left that are no more; whatever else lies beside `path` stays."""
    form = re.compile(rf"\.{re.escape(path.name)}\.([1-9][0-9]{{0,8}})")
    with suppress(OSError):  # What cannot be cleared away keeps nobody from starting.
        for one in list(path.parent.iterdir()):
            found = form.fullmatch(one.name)
            if found is not None and _is_left(one, int(found[1])):
                one.unlink(missing_ok=True)


def _is_left(file: Path, process: int) -> bool:
    about = file.lstat()
    if not stat.S_ISREG(about.st_mode):
        return False
    return about.st_mtime < _BEGAN if process == os.getpid() else not _lives(process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)  # It sends nothing.
    except ProcessLookupError:
        return False
    except OSError:
        pass  # It is somebody else's.
    return True

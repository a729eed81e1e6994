"""What a process leaves that is killed while it writes a key is cleared away by the next one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.database import open_database
from storage.keys import LOG_KEY, WRITER_KEY
from storage.log_setup import init_log

# Before the key is whole on the disk, before it has its name, and before it has that alone.
MOMENTS = ("fsync", "link", "unlink")
BEGINS = """
import os, pathlib, signal, sys
from storage.database import open_database
from storage.log_setup import init_log
database, home, moment, name = sys.argv[1:]

def kill(*args, **others):
    if name in str(args) or moment == "fsync":
        os.kill(os.getpid(), signal.SIGKILL)
    return first(*args, **others)

owner = pathlib.Path if moment == "unlink" else os
first = getattr(owner, moment)
setattr(owner, moment, kill)
init_log(open_database(database), pathlib.Path(home), origin="example.org/audit/T0ABC")
"""


@pytest.mark.parametrize("name", [WRITER_KEY, LOG_KEY])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_beginning_that_was_killed_leaves_no_key_behind(
    sqlite_url: str, home: Path, moment: str, name: str
) -> None:
    command = [sys.executable, "-c", BEGINS, sqlite_url, str(home), moment, name]
    killed = subprocess.run(command, check=False)
    left = [one.name for one in (home / "keys").glob(".*")]
    database = open_database(sqlite_url)
    init_log(database, home, origin="example.org/audit/T0ABC")
    database.close()

    assert killed.returncode == -signal.SIGKILL
    assert len(left) == 1
    assert sorted(one.name for one in (home / "keys").iterdir()) == [LOG_KEY, WRITER_KEY]


def test_only_what_a_process_left_that_is_no_more_is_cleared_away(
    sqlite_url: str, home: Path
) -> None:
    keys = home / "keys"
    keys.mkdir(parents=True)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    theirs = f".{WRITER_KEY}.{os.getppid()}", f".{WRITER_KEY}.1"
    others = f".{WRITER_KEY}.0{gone.pid}", f".{WRITER_KEY}.{gone.pid}.old", ".other.pem.7"
    stay = {*theirs, *others, f"writer.pem.{gone.pid}"}
    for one in stay:
        (keys / one).write_text("kept")
    (keys / f".{WRITER_KEY}.{gone.pid}").symlink_to(keys / ".other.pem.7")
    (keys / f".{LOG_KEY}.{gone.pid}").mkdir()
    database = open_database(sqlite_url)
    init_log(database, home, origin="example.org/audit/T0ABC")
    database.close()
    no_files = {f".{WRITER_KEY}.{gone.pid}", f".{LOG_KEY}.{gone.pid}"}

    assert {one.name for one in keys.iterdir()} == {*stay, *no_files, LOG_KEY, WRITER_KEY}


def test_what_an_earlier_process_of_the_same_number_left_is_cleared_away(
    sqlite_url: str, home: Path
) -> None:
    (home / "keys").mkdir(parents=True)
    left = home / "keys" / f".{LOG_KEY}.{os.getpid()}"
    left.write_text("half a k")
    os.utime(left, (0, 0))
    database = open_database(sqlite_url)
    init_log(database, home, origin="example.org/audit/T0ABC")
    database.close()

    assert not left.exists()

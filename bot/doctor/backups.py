"""How old the newest backup is, as far as anybody here can know."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, warn
from bot.wording import duration, plural
from storage.database import Database
from storage.gauges import read_archived

LONGEST = timedelta(hours=26)  # A daily one that takes a while.
PARTIAL = ".partial"  # What is still being written, or was cut short.
LOST = "What was recorded since then is lost with this disk."


def look_at_backups(around: Around, database: Database | None) -> Finding:
    """Return the age of the newest file under the folder of backups, or of the server's archive."""
    folder = around.settings.backup_dir
    if folder is not None:
        return _of_folder(folder, now=around.now())
    archived = _archived(database)
    if archived is not None:
        age = max(around.now() - archived, timedelta(0))
        return _aged(f"The server put WAL away {duration(age)} ago.", age)
    return warn(
        "backups",
        "INTERLOCK_BACKUP_DIR is not set, so their age is not known here.",
        costs="Backups that stopped are noticed when one is needed.",
        do="Set it to the folder that they are written to. docs/operations says how to make them.",
    )


def _archived(database: Database | None) -> datetime | None:
    if database is None or database.dialect == "sqlite":
        return None
    with database.read() as connection:
        return read_archived(connection)


def _of_folder(folder: Path, *, now: datetime) -> Finding:
    try:
        times = list(_times(folder))
    except OSError as error:
        return fail(
            "backups",
            f"The folder {folder} cannot be read: {error.strerror}.",
            costs="Nobody knows whether there are any.",
            do="Correct INTERLOCK_BACKUP_DIR, or the permissions of the folder.",
        )
    if not times:
        do = "Make one; docs/operations says how."
        return fail("backups", f"There is none in {folder}.", costs=LOST, do=do)
    age = max(now - datetime.fromtimestamp(max(times), UTC), timedelta(0))
    saw = f"The newest of {plural(len(times), 'file')} in {folder} is {duration(age)} old."
    return _aged(saw, age)


def _times(folder: Path) -> Iterator[float]:
    """Yield when each file was written; a backup may be a folder of its own.

    An empty file is none: a program that cannot reach the database leaves one.

    Raises:
        OSError: the folder cannot be read.
    """
    files: list[Path] = []
    for one in folder.iterdir():
        files.append(one)
        files.extend(Path(place, name) for place, _, names in os.walk(one) for name in names)
    for one in files:
        with suppress(FileNotFoundError):  # An old one that is thinned out at this moment.
            found = one.stat()
            if stat.S_ISREG(found.st_mode) and found.st_size and one.suffix != PARTIAL:
                yield found.st_mtime


def _aged(saw: str, age: timedelta) -> Finding:
    if age > LONGEST:
        return fail("backups", saw, costs=LOST, do="Look why no newer one was made.")
    return ok("backups", saw)

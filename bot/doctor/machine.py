"""This machine: room on its disks, and files that others may read."""

import stat
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, warn
from bot.settings import Settings
from storage.database import sqlite_path

MEGABYTE = 2**20
LITTLE, SOME = 100 * MEGABYTE, 1024 * MEGABYTE
OTHERS = 0o077


def look_at_machine(around: Around) -> Iterator[Finding]:
    """Yield how the disks and the files of the home stand."""
    yield from _disks(around)
    yield _modes(around.settings.home)


def _disks(around: Around) -> Iterator[Finding]:
    """Yield how much room there is, once for each disk that matters."""
    seen: set[int] = set()
    for folder in _folders(around.settings):
        if folder.stat().st_dev not in seen:
            seen.add(folder.stat().st_dev)
            yield _disk(folder, around.free(folder))


def _folders(settings: Settings) -> Iterator[Path]:
    """Yield the folders that the bot writes to, as far as they are there."""
    wanted = [settings.home]
    if settings.is_sqlite:
        wanted.append(sqlite_path(settings.database_url).parent)
    for one in wanted:
        yield next(place for place in (one, *one.absolute().parents) if place.is_dir())


def _disk(folder: Path, free: int) -> Finding:
    saw = f"{free // MEGABYTE:,} MB are free on the disk of {folder}."
    if free < LITTLE:
        return fail(
            "disk",
            saw,
            costs="On a full disk nothing can be recorded, so nothing is done.",
            do="Free some space, or bring the home to a larger disk.",
        )
    if free < SOME:
        return warn(
            "disk",
            saw,
            costs="It may be full within days, and then nothing is done any more.",
            do="Free some space. `interlock audit sweep --dry-run` says what is over its term.",
        )
    return ok("disk", saw)


def _modes(home: Path) -> Finding:
    """Look for private files of the home that other users of this machine may open."""
    files = [home, home / "keys", *sorted((home / "keys").glob("*"))]
    loose = [one for one in files if one.exists() and stat.S_IMODE(one.stat().st_mode) & OTHERS]
    keys = [one for one in loose if one.suffix in {".pem", ".key"}]
    if keys:
        return fail(
            "file modes",
            f"Others may read {', '.join(one.name for one in keys)}.",
            costs="Whoever reads a key can sign in this bot's name. It does not start.",
            do=f"chmod 600 {' '.join(map(str, keys))}; if somebody may have read them,"
            " `interlock keys stolen` says what follows.",
        )
    if loose:
        return warn(
            "file modes",
            f"Others may look into {', '.join(map(str, loose))}.",
            costs="Other users of this machine may read the database and what was asked for.",
            do=f"chmod 700 {' '.join(map(str, loose))}",
        )
    return ok("file modes", f"Nobody else may look into {home}.")

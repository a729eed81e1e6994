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
    yield _modes(around.settings)


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


def _modes(settings: Settings) -> Finding:
    """Look for private files that other users of this machine may open."""
    home = settings.home
    keys = sorted((home / "keys").glob("*"))
    loose = [one for one in (home, home / "keys", *keys) if _is_loose(one)]
    loose += _database_elsewhere(settings)
    signing = [one for one in loose if one.suffix in {".pem", ".key"}]
    if signing:
        return fail(
            "file modes",
            f"Others may read {', '.join(one.name for one in signing)}.",
            costs="Whoever reads a key can sign in this bot's name. It does not start.",
            do=f"chmod 600 {' '.join(map(str, signing))}; if somebody may have read them,"
            " `interlock keys stolen` says what follows.",
        )
    if loose:
        return warn(
            "file modes",
            f"Others may look into {', '.join(map(str, loose))}.",
            costs="Other users of this machine may read the database and what was asked for.",
            do=f"chmod go= {' '.join(map(str, loose))}",
        )
    return ok("file modes", f"Nobody else may look into {home}.")


def _is_loose(place: Path) -> bool:
    return place.exists() and bool(stat.S_IMODE(place.stat().st_mode) & OTHERS)


def _database_elsewhere(settings: Settings) -> list[Path]:
    """Return the files of a database outside the home that neither mode nor folder protects."""
    if not settings.is_sqlite:
        return []
    database, home = sqlite_path(settings.database_url).absolute(), settings.home.absolute()
    if home in database.parents or not _is_loose(database.parent):
        return []
    files = (database.with_name(database.name + end) for end in ("", "-wal", "-shm"))
    return [one for one in files if _is_loose(one)]

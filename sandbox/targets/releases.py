"""A git repository with releases, one of which is deployed.

`main` carries the releases v1.0 to v1.6; the branch `deployed` says which one is running.
Git's own log of that branch is the record of what was done.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

RELEASES = tuple(f"v1.{number}" for number in range(7))
DEPLOYED = "deployed"
BEGUN = datetime(2025, 3, 3, 9, tzinfo=UTC)
NAME = "Release robot"
MAIL = "releases@example.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of the deployed branch: to which commit, and how git put it."""

    commit: str
    release: str
    why: str


def seed(folder: Path) -> Path:
    """Make the repository in `folder` unless it is there, and return its path."""
    repository = folder / "releases"
    if (repository / ".git").is_dir():
        return repository
    folder.mkdir(parents=True, exist_ok=True)
    # Made beside its place, so that one that was begun and not finished is never used.
    begun = folder / "releases.begun"
    shutil.rmtree(begun, ignore_errors=True)
    for name, content in _made().items():
        file = begun / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    begun.rename(repository)
    return repository


def git_path() -> str:
    """Return where git is on this machine.

    Raises:
        FileNotFoundError: nowhere.
    """
    found = shutil.which("git")
    if found is None:
        raise FileNotFoundError("git is not installed")
    return found


def deployed(repository: Path) -> str:
    """Return the release that is deployed, or the commit if it is none of them."""
    commit = _git(repository, "rev-parse", DEPLOYED)
    return _releases(repository).get(commit, commit)


def effects(repository: Path) -> list[Move]:
    """Return every move of the deployed branch since it was seeded, oldest first."""
    names = _releases(repository)
    lines = _git(repository, "reflog", "show", "--format=%H %gs", DEPLOYED).splitlines()
    moves = [line.partition(" ") for line in reversed(lines)]
    return [Move(commit=one, release=names.get(one, ""), why=why) for one, _, why in moves[1:]]


@cache
def _made() -> Mapping[str, bytes]:
    """Make the repository once in this process, since git is asked thirty times for it.

    Returns what its files hold, by their paths in it.
    """
    with TemporaryDirectory() as folder:
        _make(Path(folder))
        files = (one for one in Path(folder).rglob("*") if one.is_file())
        return {str(one.relative_to(folder)): one.read_bytes() for one in files}


def _make(repository: Path) -> None:
    _git(repository, "init", "--quiet", "--template=", "--initial-branch", "main")
    for name, value in (("user.name", NAME), ("user.email", MAIL), ("commit.gpgsign", "false")):
        _git(repository, "config", name, value)
    for number, release in enumerate(RELEASES):
        (repository / "VERSION").write_text(f"{release}\n")
        (repository / "CHANGES").write_text(_changes(number))
        _git(repository, "add", "VERSION", "CHANGES", at=_day(number))
        _git(repository, "commit", "--quiet", "-m", f"Release {release}", at=_day(number))
        _git(repository, "tag", release)
    _git(repository, "branch", DEPLOYED, RELEASES[-1], at=_day(len(RELEASES)))


def _changes(number: int) -> str:
    return "".join(f"{RELEASES[one]}: round {one} of changes\n" for one in range(number, -1, -1))


def _day(number: int) -> datetime:
    return BEGUN + timedelta(days=14 * number)


def _releases(repository: Path) -> Mapping[str, str]:
    return {_git(repository, "rev-parse", f"{name}^{{commit}}"): name for name in RELEASES}


def _git(repository: Path, *words: str, at: datetime = BEGUN) -> str:
    """Run git apart from whatever this machine has set up, and return what it said."""
    moment = at.isoformat()
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(repository),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": moment,
        "GIT_COMMITTER_DATE": moment,
    }
    done = subprocess.run(  # noqa: S603  fixed words, no shell
        [git_path(), *words],
        cwd=repository,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()

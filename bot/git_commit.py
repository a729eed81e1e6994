"""Which commit a file stands in, and whether it is as it was committed.

Git is asked two short questions that no number of commits makes longer. It runs without
anybody's configuration, and nothing that a repository configures for itself is run either:
the file's own digest is made here. Where git is not there, or says no, there is no commit.
"""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 5.0
_SHA1_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit, and whether the file is in it as it stands on the disk."""

    id: str
    is_committed: bool


def commit_of(file: Path) -> Commit | None:
    """Return the commit that is checked out where a file stands."""
    folder = file.absolute().parent
    head = _parsed(folder, "HEAD^{commit}")
    if not head:
        return None
    blob = _parsed(folder, f"HEAD:./{file.name}")
    return Commit(id=head, is_committed=bool(blob) and blob == _blob(file, len(blob)))


def _parsed(folder: Path, name: str) -> str:
    """Return the id behind a name, nothing where git gives none."""
    command = ("git", "-C", str(folder), "rev-parse", "--verify", "--quiet", name)
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, and a name of ours.
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = done.stdout.decode(errors="replace").strip()
    return found if done.returncode == 0 and found.isalnum() else ""


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _blob(file: Path, digits: int) -> str:
    """Return the id that git gives to the bytes of a file."""
    try:
        content = file.read_bytes()
    except OSError:
        return ""
    whole = b"blob %d\0%b" % (len(content), content)
    if digits == _SHA1_DIGITS:
        return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    return hashlib.sha256(whole).hexdigest()

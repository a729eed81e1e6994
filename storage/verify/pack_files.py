"""The files of a pack, be it a folder or a zip: read as a stream, hashed, listed.

A pack comes from somebody else, so a name that leads out of it, or a zip that unpacks to more
than it says, is a fault of the pack.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from storage.evidence import names
from storage.verify.broken import BrokenPackError
from storage.verify.members import is_count
from storage.verify.report import Report
from storage.verify.zip_files import ZipFiles

BLOCK = 1 << 16
UNLISTED = frozenset({names.MANIFEST, names.SIGNATURE})
# What a file raises that cannot be read, or is packed in another way than a zip says.
UNREADABLE = (OSError, BrokenPackError)
# On one system or another such a name leads elsewhere, or is that of another file.
ODD_NAME = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\\:\x00-\x1f\x7f]|[. ](?:/|$)")
MOST_SMALL = 64 * 1024 * 1024  # Of files that are read as a whole.


class PackFiles(Protocol):
    """Where the files of a pack are."""

    def names(self) -> frozenset[str]:
        """Return the names of all files."""

    def links(self) -> Sequence[str]:
        """Return the names that are links to files which may lie anywhere."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file to read.

        Raises:
            BrokenPackError: it is not there, or cannot be read.
        """


class FolderFiles:
    """A pack in a folder, listed once: what comes or goes meanwhile is not of it."""

    def __init__(self, path: Path) -> None:
        self._path, self._place = path, path.resolve()
        found = (one for one in path.rglob("*") if one.is_symlink() or one.is_file())
        self._names = frozenset(one.relative_to(path).as_posix() for one in found)

    def names(self) -> frozenset[str]:
        return self._names

    def links(self) -> Sequence[str]:
        return sorted(one for one in self._names if (self._path / one).is_symlink())

    def open(self, name: str) -> IO[bytes]:
        path = self._path / name
        try:
            if path.is_symlink() or not path.resolve().is_relative_to(self._place):
                raise BrokenPackError(f"{name} leads out of the pack.")
            if path.exists() and not path.is_file():
                raise BrokenPackError(f"{name} cannot be read: it is no file.")
            return path.open("rb")
        except OSError as error:
            raise BrokenPackError(f"{name} cannot be read: {error.strerror}.") from error


@contextmanager
def pack_files(path: Path) -> Iterator[PackFiles]:
    """Open the pack at `path`.

    Raises:
        BrokenPackError: there is none, or it cannot be read.
    """
    if path.is_dir():
        yield FolderFiles(path)
        return
    try:
        with path.open("rb") as file:
            yield ZipFiles(file)
    except FileNotFoundError:
        raise BrokenPackError(f"There is no {path}.") from None


def read_small(files: PackFiles, name: str) -> bytes:
    """Return a whole file.

    Raises:
        BrokenPackError: it is not there, cannot be read, or is too large for what it is.
    """
    with files.open(name) as file:
        try:
            content = file.read(MOST_SMALL + 1)
        except UNREADABLE as error:
            raise BrokenPackError(f"{name} cannot be read: {error}.") from error
    if len(content) > MOST_SMALL:
        raise BrokenPackError(f"{name} is larger than such a file ever is.")
    return content


def check_files(files: PackFiles, listed: dict[str, dict[str, object]], report: Report) -> None:
    """Compare every file with what the manifest says of it."""
    there = files.names() - UNLISTED
    for name in sorted(set(names.FOR_PEOPLE) - listed.keys() - there):
        report.fail("file-missing", f"{name} is neither in the manifest nor in the pack.")
    for name in sorted(listed.keys() - there):
        report.fail("file-missing", f"{name} is in the manifest and not in the pack.")
    for name in sorted(there - listed.keys()):
        report.fail("file-extra", f"{name} is in the pack and not in the manifest.")
    for name in sorted(filter(ODD_NAME.search, there)):
        report.fail("file-extra", f"{name} is no name that every system takes alike.")
    met: dict[str, str] = {}
    for name in sorted(there):
        other = met.setdefault(name.lower(), name)
        if other != name:
            report.fail("file-extra", f"{name} differs from {other} by case alone.")
    for name in sorted(there & listed.keys()):
        _check_file(files, name, listed[name], report)


def _check_file(files: PackFiles, name: str, listed: dict[str, object], report: Report) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with files.open(name) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
    except UNREADABLE as error:
        report.fail("file-hash", f"{name} cannot be read: {error}.")
        return
    if not is_count(listed.get("bytes")) or (size, digest.hexdigest()) != (
        listed["bytes"],
        listed.get("sha256"),
    ):
        report.fail("file-hash", f"{name} is not the file that the manifest lists.")

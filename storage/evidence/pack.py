"""Writing a pack: files into a folder or a zip, each hashed on its way.

The pack stands under its name only when it is whole; until then it has another name beside it,
which whoever writes holds locked: what is found there unlocked is of somebody who was killed.
All of it is on the disk before it gets its name, so a power cut leaves no half of one either.
"""

import fcntl
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from storage.flushed import flush_folder, flush_tree, make_folder
from workflows.entry import Json
from workflows.errors import EvidenceError

PARTIAL = ".partial"
EPOCH = (1980, 1, 1, 0, 0, 0)  # The same content gives the same zip.


class _Place(Protocol):
    """Where the files of a pack go."""

    def open(self, name: str) -> IO[bytes]:
        """Return a file to write to."""

    def close(self) -> None:
        """Finish it."""

    def abandon(self) -> None:
        """Let go of it as it is."""


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, name: str) -> IO[bytes]:
        file = self._path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("wb")

    def close(self) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Nothing is held."""


class _Zip:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def open(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def abandon(self) -> None:
        # Else it would write its end once nobody holds it any more, on a disk that has no room.
        self._zip.fp = None
        with suppress(OSError):
            self._file.close()


class Pack:
    """A pack that is being written.

    `files` says what each finished file is, `size` how many bytes they have together.
    """

    def __init__(self, place: _Place) -> None:
        self._place = place
        self.files: dict[str, Json] = {}
        self.size = 0

    @contextmanager
    def file(self, name: str) -> Iterator["Hashed"]:
        """Give a file to write to; it is listed once the block ends."""
        with self._place.open(name) as out:
            hashed = Hashed(out)
            yield hashed
        self.files[name] = {"bytes": hashed.size, "sha256": hashed.digest}
        self.size += hashed.size

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file."""
        with self.file(name) as out:
            out.write(content)

    def put_unlisted(self, name: str, content: bytes) -> None:
        """Write a file that the manifest cannot list: itself, and its signature."""
        with self._place.open(name) as out:
            out.write(content)


class Hashed:
    """A file whose bytes are counted and hashed as they are written."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        """Write `content`."""
        self._out.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def digest(self) -> str:
        """The hex SHA-256 of what was written."""
        return self._hash.hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[Pack]:
    """Give a pack to fill: a zip where the name says so, else a folder.

    Raises:
        EvidenceError: something stands there already, somebody else is writing it just now, or
            it cannot be written.
    """
    is_zip = path.suffix == ".zip"
    with _growing(path, is_folder=not is_zip) as partial:
        place: _Place = _Zip(partial) if is_zip else _Folder(partial)
        try:
            yield Pack(place)
            place.close()
        except BaseException:
            place.abandon()
            raise


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to fill.

    Raises:
        EvidenceError: something stands there already, somebody else is writing it just now, or
            it cannot be written.
    """
    with _growing(path, is_folder=False) as partial, partial.open("wb") as file:
        yield file


@contextmanager
def _growing(path: Path, *, is_folder: bool) -> Iterator[Path]:
    """Give another name beside `path`; what grows there gets its own once the block is through."""
    _refuse_taken(path)
    place = partial_of(path)
    try:
        with _held(place, is_folder=is_folder):
            try:
                yield place
                flush_tree(place)
                _refuse_taken(path)  # It may have come to stand there meanwhile.
                place = place.rename(path)
                flush_folder(path.parent)
            except BaseException:
                with suppress(OSError):  # Where nothing can be written there is nothing to remove.
                    _remove(place)
                raise
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def _held(partial: Path, *, is_folder: bool) -> Iterator[None]:
    """Make `partial` anew and hold it for the block; what a killed one left is taken away."""
    _clear(partial)
    make_folder(partial.parent)
    try:
        partial.mkdir() if is_folder else partial.touch(exist_ok=False)
        held = _locked(partial)
    except (FileExistsError, FileNotFoundError):  # Whoever came at the same time was quicker.
        raise _written_elsewhere(partial) from None
    try:
        yield
    finally:
        os.close(held)


def _clear(partial: Path) -> None:
    if partial.is_symlink():
        partial.unlink()
    try:
        held = _locked(partial)
    except FileNotFoundError:
        return
    try:
        _remove(partial)
    finally:
        os.close(held)


def _locked(partial: Path) -> int:
    """Return what stands at `partial`, open and locked; closing it lets go.

    Raises:
        EvidenceError: somebody else holds it, or has just put another one there.
        FileNotFoundError: nothing stands there.
    """
    # Over a network a file has to be open for writing to be locked.
    held = os.open(partial, (os.O_RDONLY if partial.is_dir() else os.O_RDWR) | os.O_NONBLOCK)
    if _is_taken(held) or not _is_there(partial, held):
        os.close(held)
        raise _written_elsewhere(partial)
    return held


def _is_taken(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # A file system that knows no locks, of files or of folders.
        return False
    return False


def _is_there(partial: Path, held: int) -> bool:
    try:
        return os.path.samestat(os.fstat(held), partial.stat())
    except FileNotFoundError:
        return False


def _written_elsewhere(partial: Path) -> EvidenceError:
    return EvidenceError(
        f"{partial} is being written just now, by another export.",
        hint="Wait until that is through, or name another place.",
    )


def _refuse_taken(path: Path) -> None:
    try:
        # A link that leads nowhere stands there too: a folder cannot take its place, a file would.
        is_taken = path.exists() or path.is_symlink()
    except OSError as error:  # A folder above that nobody may look into.
        raise _unwritable(path, error) from error
    if is_taken:
        raise EvidenceError(
            f"{path} exists already.", hint="Name another place; nothing is ever overwritten."
        )


def _unwritable(path: Path, error: OSError) -> EvidenceError:
    return EvidenceError(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Nothing was left behind. Make room or name another place.",
    )


def partial_of(path: Path) -> Path:
    """Return where a pack grows until it is whole."""
    return path.with_name(path.name + PARTIAL)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

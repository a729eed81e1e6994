"""Files that people name are there whole, or not at all."""

import errno
import os
import resource
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.opening import make_home
from bot.settings import Settings
from bot.whole_files import write_new, write_over, write_whole
from tests.flushes import Flushes

SMALL = 4096
LARGE = b"x" * 2 * SMALL


@pytest.fixture
def small_files() -> Iterator[None]:
    """Have the system refuse the rest of a file that grows too large, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_a_new_file_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File too large"):
        write_new(tmp_path / "page.html", LARGE)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_files")
def test_a_file_whose_successor_finds_no_room_stays(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"of last week")
    with pytest.raises(OSError, match="File too large"):
        write_over(tmp_path / "page.html", LARGE)

    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"of last week"]


@pytest.mark.parametrize("write", [write_new, write_over, write_whole])
def test_a_file_that_was_written_survives_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    flushes = Flushes(monkeypatch)
    write(tmp_path / "page.html", LARGE)

    assert flushes.has(tmp_path / "page.html", below=tmp_path)


def test_a_new_file_whose_name_the_disk_does_not_take_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_new(tmp_path / "page.html", LARGE)

    assert list(tmp_path.iterdir()) == []


def test_a_home_that_was_made_survives_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = Flushes(monkeypatch)
    make_home(Settings(home=tmp_path / "srv" / "home"))

    assert flushes.has(tmp_path / "srv" / "home" / "policy.yaml", below=tmp_path)
    assert flushes.has_name(tmp_path / "srv" / "home" / "workflows", below=tmp_path)


def test_a_new_file_takes_nobodys_place(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for name in ("mine", "nowhere"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"theirs")

    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", "nowhere"]


def test_a_new_file_is_written_where_files_have_one_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    write_new(tmp_path / "page.html", LARGE, mode=0o600)

    assert (tmp_path / "page.html").read_bytes() == LARGE
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_replaced_behind_its_link_and_keeps_its_rights(tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_bytes(b"old")
    place.chmod(0o640)
    (tmp_path / "link").symlink_to(place)
    write_over(tmp_path / "link", b"new")

    assert (tmp_path / "link").is_symlink()
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"new", 0o640)


def test_what_is_no_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_over(tmp_path / "pipe", b"new")
    reader.join()

    assert read == [b"new"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_beside_which_nothing_can_be_made_is_written_to_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_bytes(b"old")
    busy = OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def refuse(*_: object) -> Path:  # As of a file that a container was given by itself.
        raise busy

    monkeypatch.setattr(Path, "replace", refuse)
    write_over(tmp_path / "page.html", b"new")

    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"new"]

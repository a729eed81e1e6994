"""What somebody was told is there, or what rests on it, survives a loss of power."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import open_database
from storage.evidence.pack import whole_file, writing
from storage.flushed import flush_folder, make_folder
from storage.journal import utc_now
from storage.keys import WRITER_KEY, load_or_create_key
from storage.log_setup import init_log
from storage.master_key import NAME, HomeMaster
from storage.moving import move_log
from tests.flushes import Flushes
from workflows.errors import EvidenceError


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> Flushes:
    return Flushes(monkeypatch)


def test_a_key_is_there_with_the_folder_that_it_was_made_in(
    tmp_path: Path, flushes: Flushes
) -> None:
    load_or_create_key(tmp_path, WRITER_KEY)
    HomeMaster(tmp_path / "other").wrap(b"k" * 32, aad=b"")

    assert flushes.has(tmp_path / "keys", below=tmp_path)
    assert flushes.has(tmp_path / "other" / "keys" / NAME, below=tmp_path / "other")


def test_a_key_whose_maker_was_killed_before_its_name_was_kept_is_kept_by_who_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_or_create_key(tmp_path, WRITER_KEY)
    flushes = Flushes(monkeypatch)
    load_or_create_key(tmp_path, WRITER_KEY)

    assert flushes.has_name(tmp_path / "keys" / WRITER_KEY, below=tmp_path)


@pytest.mark.parametrize("name", ["pack.zip", "pack"])
def test_a_pack_that_has_its_name_is_there_whole(
    tmp_path: Path, flushes: Flushes, name: str
) -> None:
    path = tmp_path / "packs" / name
    with writing(path) as pack:
        pack.put("checkpoints/000000000001", b"head")
        pack.put("entries.jsonl", b"{}\n" * 1000)

    assert flushes.has(path, below=tmp_path)


def test_an_exported_file_that_has_its_name_is_there_whole(
    tmp_path: Path, flushes: Flushes
) -> None:
    with whole_file(tmp_path / "events.csv") as out:
        out.write(b"a,b\n" * 1000)

    assert flushes.has(tmp_path / "events.csv", below=tmp_path)


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
def test_a_pack_that_the_disk_does_not_take_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The file, the folder of the pack, and the one above: each is refused once."""
    left = [failing]

    def fail(_: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def export() -> None:
        with writing(tmp_path / "pack") as pack:
            pack.put("one", b"1")
            pack.put("two", b"2")
            monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(EvidenceError, match="cannot be written: Input/output error"):
        export()

    assert list(tmp_path.iterdir()) == []


def test_a_log_that_was_moved_into_a_file_is_there_by_its_name(
    tmp_path: Path, flushes: Flushes
) -> None:
    with closing(open_database(str(tmp_path / "old.db"))) as database:
        init_log(database, tmp_path / "home", origin="interlock.example/audit/T0ABC")
    move_log(str(tmp_path / "old.db"), str(tmp_path / "new.db"), now=utc_now, tell=lambda *_: None)

    assert flushes.has_name(tmp_path / "new.db", below=tmp_path)


def test_a_folder_is_made_with_those_above_it(tmp_path: Path, flushes: Flushes) -> None:
    make_folder(tmp_path / "srv" / "interlock", mode=0o700)

    assert flushes.has_name(tmp_path / "srv" / "interlock", below=tmp_path)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EACCES])
def test_a_folder_that_cannot_be_flushed_alone_is_flushed_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    done: list[str] = []
    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(os, "sync", lambda: done.append("all"))
    flush_folder(tmp_path)

    assert done == ["all"]

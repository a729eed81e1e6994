"""A folder keeps the newest head: whole, never a smaller one, and held against the log again."""

import os
import shutil
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.anchors.folder import Folder
from bot.opening import open_memory
from bot.settings import Settings
from storage.checkpoint import NoteSigner, read_note
from storage.keys import LogKey
from tests.bot.anchors.conftest import Ledger
from workflows.errors import UnusableDatabaseError


@pytest.fixture
def folder(ledger: Ledger, tmp_path: Path) -> Path:
    """Give a folder that keeps heads of the log."""
    path = tmp_path / "anchors"
    path.mkdir()
    log_id = ledger.vkey.split("+")[1]
    ledger.outsiders.append(Folder(path=path, log_id=log_id, now=ledger.clock))
    return path


def opened(ledger: Ledger, folder: Path) -> None:
    """Open the log as each command that writes and each process that serves does."""
    chosen = {"home": ledger.home, "database": f"sqlite:///{ledger.url}", "anchor_dir": folder}
    open_memory(Settings.model_validate(chosen)).database.close()


def kept_in(folder: Path) -> str:
    (file,) = folder.iterdir()
    return file.read_text(encoding="utf-8")


def test_each_turn_puts_the_newest_head_there_and_says_so_in_the_log(
    ledger: Ledger, folder: Path
) -> None:
    ledger.look()
    first = kept_in(folder)
    ledger.look()
    ledger.clock.at += timedelta(hours=24)
    ledger.look()
    told = [one.data for one in ledger.anchors()]

    assert read_note(first).checkpoint.size == 1
    assert read_note(kept_in(folder)).checkpoint.size == 2
    assert [(one["size"], one["type"]) for one in told] == [(1, "folder"), (2, "folder")]
    assert told[1]["evidence"] == sha256(ledger.evidence("folder")).hexdigest()
    assert ledger.evidence("folder").decode() == kept_in(folder)
    assert ledger.verified(first, kept_in(folder)).exit == 0


def test_a_log_that_is_shorter_than_the_kept_head_is_refused(ledger: Ledger, folder: Path) -> None:
    backup = ledger.backup()
    ledger.grows(3)
    ledger.look()
    ledger.restore(backup)

    with pytest.raises(UnusableDatabaseError, match=r"a head of 4 entries, and this log has 1"):
        opened(ledger, folder)


def test_a_log_with_another_history_of_that_length_is_refused(ledger: Ledger, folder: Path) -> None:
    backup = ledger.backup()
    ledger.grows(3)
    ledger.look()
    ledger.restore(backup)
    ledger.grows(6)

    with pytest.raises(UnusableDatabaseError, match="at 4 entries it differs"):
        opened(ledger, folder)


@pytest.mark.parametrize(("grows", "why"), [(0, "this log has 1"), (6, "at 4 entries it differs")])
def test_a_copy_from_before_the_log_key_was_replaced_is_refused(
    ledger: Ledger, folder: Path, grows: int, why: str
) -> None:
    backup = ledger.backup()
    ledger.grows(3)
    ledger.look()
    (file,) = folder.iterdir()
    checkpoint = read_note(file.read_text(encoding="utf-8")).checkpoint
    later = LogKey.of(Ed25519PrivateKey.generate(), checkpoint.origin)
    file.write_text(NoteSigner([later]).sign(checkpoint), encoding="utf-8")
    ledger.restore(backup)
    ledger.grows(grows)

    with pytest.raises(UnusableDatabaseError, match=why) as refused:
        opened(ledger, folder)

    assert "does not know the key of that head" in refused.value.hint


def test_a_larger_head_is_never_overwritten(ledger: Ledger, folder: Path) -> None:
    backup = ledger.backup()
    ledger.grows(3)
    ledger.look()
    larger = kept_in(folder)
    ledger.restore(backup)
    ledger.look()

    assert kept_in(folder) == larger
    assert ledger.anchors() == []
    assert "left as it is" in ledger.turns()["folder"].error


def test_what_is_no_head_is_left_as_it_is_and_stops_nothing(ledger: Ledger, folder: Path) -> None:
    ledger.look()
    (file,) = folder.iterdir()
    file.write_text("garbled", encoding="utf-8")
    ledger.clock.at += timedelta(hours=24)
    ledger.look()
    opened(ledger, folder)

    assert kept_in(folder) == "garbled"
    assert "holds no head" in ledger.turns()["folder"].error


@pytest.mark.parametrize("what", ["pipe", "huge", "folder"])
def test_what_is_no_plain_file_of_that_size_stops_nothing(
    ledger: Ledger, folder: Path, what: str
) -> None:
    ledger.look()
    (file,) = folder.iterdir()
    file.unlink()
    if what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    else:
        with file.open("wb") as sparse:
            sparse.truncate(1 << 40)
    ledger.clock.at += timedelta(hours=24)
    ledger.look()
    opened(ledger, folder)

    assert "cannot be used" in ledger.turns()["folder"].error


def test_a_folder_that_is_gone_is_tried_again_later_each_time(ledger: Ledger, folder: Path) -> None:
    shutil.rmtree(folder)
    pauses = []
    for _ in range(3):
        ledger.look()
        turn = ledger.turns()["folder"]
        pauses.append(turn.next_at - ledger.clock.at)
        ledger.clock.at = turn.next_at
    folder.mkdir()
    ledger.look()
    turn = ledger.turns()["folder"]

    assert pauses == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert (turn.failures, turn.error) == (0, "")
    assert len(ledger.anchors()) == 1

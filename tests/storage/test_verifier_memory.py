"""The verifier in a pack needs no more memory for a longer pack, and says the same of it."""

import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.entry_bytes import leaf_hash
from storage.evidence.shipped import verify
from storage.evidence.shipped.verify import Aside, Key, Pack, Pile, Told, Verifier
from tests.storage.forged_packs import PIN, SALT, b64, entry, files_of, history, pack_of
from tests.storage.hostile_packs import HOSTILE
from tests.storage.key_stories import CHAIN_STORIES, KEY_STORIES
from tests.storage.packs import by_script
from workflows.binding import commitment

NOON = "2026-03-02T12:00:00.000Z"
STARTED = {"trigger": "slash", "version": "6" * 64, "workflow": "deploy"}
PART = {"c": commitment(SALT, "message", b"x"), "cls": "personal.content", "len": 1}
PACKS = {**HOSTILE, **KEY_STORIES, **CHAIN_STORIES}


def looked_at(pack: Path) -> tuple[object, ...]:
    try:
        found = Verifier(Pack(pack), [Key(PIN)], []).run()
    except ValueError as error:
        return (str(error),)
    levels = (found.failures, [*found.unproven], [*found.semantics])
    return found.exit, found.n_failures, found.first(), *levels


def long_history(runs: int, *, ends: bool) -> Iterator[bytes]:
    """Yield the entries of many runs, which begin one after the other and perhaps end."""
    yield from history()
    number = 3
    for run in range(runs):
        told = {"run": f"run-{run}", "ts": NOON}
        started = entry(number, "run.started", STARTED, parts={"message": PART}, **told)
        yield started
        number += 1
        if ends:
            after = {**told, "rseq": 1, "prev": b64(leaf_hash(started))}
            yield entry(number, "run.finished", {"outcome": "done"}, **after)
            number += 1


def pack_with(runs: int, out: Path, *, ends: bool) -> Path:
    lines = list(long_history(runs, ends=ends))
    return pack_of(files_of(lines), out, size=len(lines))


@pytest.mark.parametrize("ends", [True, False])
def test_a_longer_pack_takes_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    for name in ("MOST_NEAR", "MOST_OPEN", "MOST_TOLD"):
        monkeypatch.setattr(verify, name, 50)
    most = []
    for runs in (500, 1_100):
        pack = pack_with(runs, tmp_path / str(runs), ends=ends)
        tracemalloc.start()
        looked_at(pack)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    # A log of these runs would take a kilobyte and more for each, were they kept.
    assert most[1] - most[0] < 600 * 300


@pytest.mark.parametrize("name", PACKS)
def test_what_lies_aside_changes_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pack = PACKS[name][0](tmp_path / "pack")
    usual = looked_at(pack)
    for one in ("MOST_NEAR", "MOST_OPEN", "MOST_TOLD"):
        monkeypatch.setattr(verify, one, 1)

    assert looked_at(pack) == usual


def test_all_runs_without_an_end_are_told_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = pack_with(1_100, tmp_path / "pack", ends=False)
    _, found = by_script(pack, PIN)
    monkeypatch.setattr(verify, "MOST_OPEN", 7)
    words = [f"run run-{one} has not ended" for one in range(1_100)]

    assert [text for _, text in found["semantics"]] == words
    assert [text for _, text in Verifier(Pack(pack), [Key(PIN)], []).run().semantics] == words


def test_a_pile_gives_back_what_was_changed_in_place_and_keeps_the_order() -> None:
    pile = Pile(Aside(), 2)
    for number in range(9):
        assert pile.get(str(number)) is None
        pile.put(str(number), [number])
    for number in (7, 0, 3):
        pile.get(str(number)).append("more")
    pile.drop("4")
    pile.put("1", [10])

    assert pile.get("4") is None
    assert [*pile.pairs()][:3] == [("0", [0, "more"]), ("2", [2]), ("3", [3, "more"])]
    assert pile.get("1") == [10]
    assert pile.get("7") == [7, "more"]


def test_what_is_told_comes_back_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_TOLD", 2)
    told = Told(Aside())
    some = [("code", f"{number} \x00 \ud800") for number in range(5)]

    assert not told
    for one in some:
        told.append(one)
    assert told
    assert [*told] == some == [*told]


def test_no_room_for_temporary_files_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = pack_of(files_of(history()), tmp_path / "pack")

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Verifier, "read_log", full)
    monkeypatch.setattr(sys, "argv", ["verify.py", "--pack", str(pack), "--vkey", PIN])

    assert verify.main() == 2
    assert "TMPDIR, /var/tmp or /tmp: database or disk is full" in capsys.readouterr().err


def test_whoever_breaks_it_off_is_told_so_and_finds_nothing_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = pack_of(files_of(history()), tmp_path / "pack")

    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Verifier, "judge_state", broken_off)
    monkeypatch.setattr(sys, "argv", ["verify.py", "--pack", str(pack), "--vkey", PIN])

    assert verify.main() == 130
    assert capsys.readouterr().err == "Broken off, which says nothing of the log.\n"


def test_temporary_files_lie_in_tmpdir_and_are_gone(tmp_path: Path) -> None:
    pack = pack_with(300, tmp_path / "pack", ends=True)
    aside = tmp_path / "aside"
    aside.mkdir()
    words = [sys.executable, "-I", verify.__file__, "--pack", pack, "--vkey", PIN]
    subprocess.run(words, check=False, env={"TMPDIR": str(aside)}, capture_output=True)

    assert [*aside.iterdir()] == []

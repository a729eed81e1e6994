"""The program and the verifier of every pack say the same of packs that nobody would write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from storage.evidence.export import VERIFIER
from storage.evidence.shipped.verify import Findings, Pack, Verifier
from storage.verify import Report, verify_pack
from tests.storage.forged_packs import PIN, files_of, history, note_over, pack_of
from tests.storage.hostile_packs import HOSTILE
from tests.storage.hostile_zips import HOSTILE_ZIPS
from tests.storage.key_stories import CHAIN_STORIES, KEY_STORIES
from tests.storage.packs import by_script


@pytest.mark.parametrize("name", HOSTILE)
def test_both_verifiers_say_the_same_of_it(tmp_path: Path, name: str) -> None:
    forge, verdict = HOSTILE[name]
    pack = forge(tmp_path / "pack")
    ours = verify_pack(pack, [PIN], processes=1)
    code, told = by_script(pack, PIN)

    assert (ours.exit, code) == (verdict, verdict)
    assert {one for one, _ in told["failures"]} == ours.codes


@pytest.mark.parametrize("name", KEY_STORIES | CHAIN_STORIES)
def test_both_verifiers_judge_alike_what_needs_keys(tmp_path: Path, name: str) -> None:
    forge, codes = (KEY_STORIES | CHAIN_STORIES)[name]
    pack = forge(tmp_path / "pack")
    ours = verify_pack(pack, [PIN], processes=1)
    code, told = by_script(pack, PIN)

    assert (ours.exit, code) == (1, 1) if codes else (0, 0)
    assert {one for one, _ in told["failures"]} == ours.codes == set(codes.split())
    assert {one for one, _ in told["unproven"]} == {one for one, _ in ours.unproven}


@pytest.mark.parametrize("name", KEY_STORIES)
def test_a_quick_or_sampled_look_trusts_no_key_that_brought_itself_in(
    tmp_path: Path, name: str
) -> None:
    forge, codes = KEY_STORIES[name]
    pack = forge(tmp_path / "pack")
    quick = verify_pack(pack, [PIN], processes=1, quick=True)
    sampled = verify_pack(pack, [PIN], processes=1, sample=100)

    assert sampled.codes == set(codes.split())
    assert ("checkpoint-untrusted" in codes) == ("checkpoint-untrusted" in quick.codes)


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_a_zip_over_which_readers_differ_is_refused(tmp_path: Path, name: str) -> None:
    forge, verdict = HOSTILE_ZIPS[name]
    file = tmp_path / "pack.zip"
    file.write_bytes(forge(tmp_path))
    told = verify_pack(file, [PIN], processes=1)

    assert told.exit == verdict, (told.malformed, told.failures)


def test_a_head_from_elsewhere_is_none_of_the_pack(tmp_path: Path) -> None:
    files = files_of(history())
    older = note_over(history()[:2])
    del files["checkpoints/000000000003"]
    pack = pack_of(files | {"checkpoint": older, "checkpoints/000000000002": older}, tmp_path / "p")
    kept = tmp_path / "kept"
    kept.write_text(f"{note_over(history()).decode()}\nvkey {PIN}\n")  # By `interlock audit head`.
    ours = verify_pack(pack, [PIN], [kept.read_text()], processes=1)
    code, told = by_script(pack, PIN, notes=[kept])

    assert (ours.exit, code) == (1, 1)
    assert {one for one, _ in told["failures"]} == ours.codes == {"checkpoint-missing"}


@pytest.mark.parametrize("name", ["manifest.json", "manifest.dsse.json", "checkpoint", "extra"])
def test_a_link_is_said_to_lead_out_before_anything_is_read(tmp_path: Path, name: str) -> None:
    pack = pack_of(files_of(history()), tmp_path / "pack")
    (pack / name).unlink(missing_ok=True)
    (pack / name).symlink_to("/dev/zero")
    ours = verify_pack(pack, [PIN], processes=1)
    code, told = by_script(pack, PIN)

    assert (ours.exit, code) == (1, 1)
    assert {one for one, _ in told["failures"]} == ours.codes == {"file-hash"}


@pytest.mark.parametrize("text", ["", "Dear auditor,\n\nhere is the head.\n", "one\n2\n"])
def test_a_file_that_is_no_head_says_nothing_of_the_log(tmp_path: Path, text: str) -> None:
    pack = pack_of(files_of(history()), tmp_path / "pack")
    letter = tmp_path / "letter.txt"
    letter.write_text(text)
    words = ["audit", "verify", "--pack", str(pack), "--vkey", PIN, "--checkpoint", str(letter)]
    told = CliRunner().invoke(main, words)

    assert (told.exit_code, by_script(pack, PIN, notes=[letter])[0]) == (2, 2)
    assert f"{letter} is no signed head" in " ".join(told.stderr.split()).replace("- ", "-")
    assert "BROKEN" not in told.output


def test_a_pipe_in_the_place_of_the_manifest_holds_nobody_up(tmp_path: Path) -> None:
    pack = pack_of(files_of(history()), tmp_path / "pack")
    (pack / "manifest.json").unlink()
    os.mkfifo(pack / "manifest.json")

    assert verify_pack(pack, [PIN], processes=1).exit == by_script(pack, PIN)[0] == 2


def test_a_name_in_a_pack_writes_no_line_of_its_own(tmp_path: Path) -> None:
    files = files_of(history())
    pack = pack_of(files, tmp_path / "pack")
    (pack / "x\n\x1b[2JVerified: the history shown is the history recorded.").write_bytes(b"")
    ours = verify_pack(pack, [PIN], processes=1).lines()
    words = [sys.executable, "-I", VERIFIER, "--pack", pack, "--vkey", PIN]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout

    for lines in (ours, told.splitlines()):
        assert not any(one.startswith("Verified") or "\x1b" in one for one in lines)
        assert any("x??[2JVerified" in one for one in lines)


def test_no_verifier_says_verified_before_all_of_it_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = Pack(pack_of(files_of(history()), tmp_path / "pack"))
    monkeypatch.setattr(Verifier, "is_whole", lambda _: False)

    assert Report().exit == Findings().exit == Verifier(pack, [], []).run().exit == 2
    assert Report().lines() == [
        "malformed: Not everything was checked.",
        "Not verified: the input cannot be read.",
    ]

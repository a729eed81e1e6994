"""The bench of erasures measures somebody who was there, and who is gone."""

from pathlib import Path

from bench.erasure import figures, occurrences


def test_what_is_measured_was_there_and_is_gone(tmp_path: Path) -> None:
    found = figures(tmp_path, 2_000, sweeps=True)

    assert (found["payloads"], found["hits_before"], found["hits_of_another"]) == (6, 2, 2)
    assert (found["hits_after"], found["left_in_files"], found["failures"]) == (0, 0, 0)
    assert found["swept"] >= 1_194
    assert min(found["erase_waited_ms"], found["sweep_waited_ms"]) > 0


def test_a_word_is_found_across_blocks(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * ((1 << 20) - 3) + b"zebra" + b"x" * 9 + b"zebra")

    assert occurrences(file, b"zebra") == 2

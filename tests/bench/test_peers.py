"""What the comparison says: ratios of one round, each peer first in its turn, no peer faked."""

import json
from pathlib import Path

import pytest

from bench import peers
from bench.peers import Figures, ratios, rotated


def a_round(ours: float, theirs: float) -> dict[str, Figures]:
    return {"interlock_sqlite": {"runs": ours}, "dbos_sqlite": {"runs": theirs}}


def test_a_ratio_compares_figures_of_the_same_round() -> None:
    slow, quick, odd = a_round(10, 5), a_round(100, 50), a_round(30, 10)

    assert ratios([slow, quick, odd]) == {"dbos_sqlite": 2.0}


def test_another_one_is_measured_first_each_time() -> None:
    names = ["interlock", "dbos", "langgraph"]
    firsts = [rotated(names, number)[0] for number in range(4)]

    assert firsts == ["interlock", "dbos", "langgraph", "interlock"]
    assert sorted(rotated(names, 2)) == sorted(names)


def test_peers_that_are_not_installed_are_named_and_ours_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "PEERS_PYTHON", tmp_path / "no" / "python")
    monkeypatch.setattr(peers, "IDLE_SECONDS", 0.1)
    words = ["peers", "--rounds", "1", "--runs", "3", "--postgres", "none"]
    monkeypatch.setattr("sys.argv", words)
    peers.main()
    said = capsys.readouterr().out
    figures = json.loads(said.splitlines()[-1])

    assert figures["not_installed"] == ["dbos", "langgraph"]
    assert "make bench-env" in said
    assert list(figures["cases"]) == ["interlock_sqlite"]
    ours = figures["cases"]["interlock_sqlite"]
    assert ours["durability"] == "journal_mode=wal synchronous=2"
    assert ours["runs"] > 0
    assert ours["raw_commits"] > 0

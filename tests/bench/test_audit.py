"""The bench of the trail measures logs that verify, and compares figures of one run alone."""

from pathlib import Path

from bench.audit import erasing, exported, finding, proofs, ratios
from bench.audit_log import add_batch, begin, raw_rates
from bench.verification import apart


def test_what_is_measured_is_a_log_that_verifies(tmp_path: Path) -> None:
    url, home = str(tmp_path / "log.db"), tmp_path / "home"
    database, journal = begin(url, home)
    for _ in range(3):
        add_batch(database, journal)
    pin, public = journal.sequencer.signers[0].vkey, journal.writer.public
    database.close()
    proved, packed = proofs(url), exported(url, home, pin, tmp_path / "pack")

    assert min(raw_rates(url, public).values()) > 0
    assert min(apart(url, pin, {"processes": 1})) > 0
    # 301 leaves: at most nine hashes of 44 characters, under a note.
    assert 600 < proved["proof_bytes"] < 800
    assert packed["export_and_verify_s"] == packed["export_s"] + packed["pack_verify_s"]


def test_a_ratio_is_told_where_both_of_its_figures_are() -> None:
    told = ratios({"append_1": 50.0, "fsync": 100.0, "append_100": 3.0})

    assert told == {"append_1 / fsync": 0.5}


def test_searches_and_an_erasure_are_measured_with_the_rest(tmp_path: Path) -> None:
    found = finding(50, rounds=2) | erasing(tmp_path / "erasure", 2_000)

    assert found.keys() == {"ranked_p99_ms", "recency_p99_ms", "overwritten_s", "left_in_files"}
    assert min(found["ranked_p99_ms"], found["recency_p99_ms"], found["overwritten_s"]) > 0
    assert found["left_in_files"] == 0

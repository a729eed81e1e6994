"""The verifier reads what is kept of anchors, and says if it is not for the log's own heads."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.anchors.folder import Folder
from storage.anchors import Evidence, keep_anchor
from storage.evidence.export import Request, export
from storage.verify import verify_pack
from tests.bot.anchors.conftest import Ledger
from tests.storage.machines import RITA
from tests.storage.packs import by_script

ANOTHER = f"interlock.example/audit/T0ABC\n4\n{'A' * 43}=\n\n— a YWJjZGU=\n"


@pytest.fixture
def anchored(ledger: Ledger, tmp_path: Path) -> Ledger:
    """Give a log with a head in a folder and one that somebody answered."""
    path = tmp_path / "anchors"
    path.mkdir()
    ledger.outsiders.append(Folder(path=path, log_id="0f0f0f0f", now=ledger.clock))
    ledger.grows(3)
    ledger.look()
    head = ledger.shown()
    answer = Evidence(
        type="reply",
        ref="C0OPS/1.2",
        content=json.dumps({"fingerprint": head.fingerprint}).encode(),
        at=ledger.clock(),
    )
    with ledger.store.database.begin() as tx:
        keep_anchor(tx, head.size, answer)
        for kind in ("mail", "slack"):
            content = f"<id>\nMonday\n250 taken\n\n{head.note}" if kind == "mail" else head.note
            kept = Evidence(type=kind, ref="r", content=content.encode(), at=ledger.clock())
            keep_anchor(tx, head.size, kept)
    return ledger


def change(ledger: Ledger, kind: str, evidence: bytes) -> None:
    with closing(sqlite3.connect(ledger.url)) as connection:
        connection.execute("UPDATE audit_anchor SET evidence = ? WHERE type = ?", (evidence, kind))
        connection.commit()


def written(ledger: Ledger, out: Path) -> None:
    """Write a pack of the whole log."""
    export(ledger.store, Request(out=out), person=RITA, now=ledger.clock())


def test_anchors_of_the_logs_own_heads_are_counted(anchored: Ledger) -> None:
    report = anchored.verified()

    assert (report.exit, report.counts["anchors"]) == (0, 4)


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("folder", b"garbled"),
        ("folder", ANOTHER.encode()),
        ("slack", ANOTHER.encode()),
        ("mail", f"250 taken\n\n{ANOTHER}".encode()),
        ("reply", b'{"fingerprint":"AAAAAAAAAAAA"}'),
        ("reply", b"[" * 100_000),
    ],
)
def test_an_anchor_of_another_head_is_a_failure(
    anchored: Ledger, kind: str, evidence: bytes
) -> None:
    change(anchored, kind, evidence)
    report = anchored.verified()

    assert (report.exit, report.codes) == (1, {"anchor"})


def test_a_pack_gets_the_same_verdict(anchored: Ledger, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    written(anchored, good)
    change(anchored, "reply", b'{"fingerprint":"AAAAAAAAAAAA"}')
    written(anchored, bad)

    scripts = [by_script(one, anchored.vkey) for one in (good, bad)]

    assert verify_pack(good, [anchored.vkey]).exit == 0
    assert verify_pack(bad, [anchored.vkey]).codes == {"anchor"}
    assert [code for code, _ in scripts] == [0, 1]
    assert {code for code, _ in scripts[1][1]["failures"]} == {"anchor"}

"""What operators are told: by `interlock audit anchors` and in the digest."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.anchors.folder import Folder
from bot.cli import main
from bot.digest import Digests
from bot.views.digest import digest
from storage.pushing import HELD, IN_USE, PushRows
from tests.bot.anchors.conftest import Ledger
from tests.bot.payload_checks import text_of
from tests.bot.shown import no_version


@pytest.fixture
def folder(ledger: Ledger, tmp_path: Path) -> Path:
    """Give a folder that is named, and not there yet."""
    path = tmp_path / "anchors"
    ledger.outsiders.append(Folder(path=path, log_id="0f0f0f0f", now=ledger.clock))
    return path


def anchors(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("INTERLOCK_HOME", str(ledger.home))
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", f"sqlite:///{ledger.url}")
    return CliRunner().invoke(main, ["audit", "anchors", *words])


def told_by(ledger: Ledger) -> str:
    digests = Digests(ledger.store, list, version=no_version, now=ledger.clock, channel="ops")
    return text_of(digest(digests.look().shown).payload)


def test_a_log_that_nobody_keeps_says_so(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    done = anchors(ledger, monkeypatch)

    assert (done.exit_code, done.output) == (0, "No head is kept outside.\n")
    assert "No head of this log is kept outside of Slack." in told_by(ledger)


def test_each_anchor_is_listed_with_its_age(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    ledger.look()
    ledger.clock.at += timedelta(hours=3)
    done = anchors(ledger, monkeypatch)
    (data,) = json.loads(anchors(ledger, monkeypatch, "--json").output)["anchors"]

    assert done.exit_code == 0
    assert done.output.startswith("a folder: 1 entry, 1 line, ")
    assert done.output.endswith(" ago, 0f0f0f0f.checkpoint\n")
    assert (data["type"], data["size"], data["lines"]) == ("folder", 1, 1)
    assert "Heads kept outside. a folder: 1 entry, 3 h ago." in told_by(ledger)


def test_a_digest_tells_where_entries_are_not_taken_while_somebody_pushes_there(
    ledger: Ledger,
) -> None:
    now = ledger.clock()
    for target, pushed_at in (("https://siem.example", now), ("syslog://gone:1", now - IN_USE)):
        rows = PushRows(ledger.store.database, target, name="one")
        rows.take(now=pushed_at - HELD)
        rows.failed("it answered with status 503", now=now - timedelta(days=2))
    told = told_by(ledger).replace("\u200b", "")

    assert "https://siem.example takes no entries since 2026-02-28 12:00 UTC, from #0 on" in told
    assert "gone" not in told


def test_who_fails_is_named_with_the_reason_and_ends_the_command_with_1(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.look()
    ledger.clock.at += timedelta(minutes=1)
    ledger.look()
    done = anchors(ledger, monkeypatch)

    why = f"(2 tries): The folder {folder} cannot be used: No such file or directory."
    assert done.exit_code == 1
    assert why in done.output
    assert why in told_by(ledger).replace("\u200b", "")

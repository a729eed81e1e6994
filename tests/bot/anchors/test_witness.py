"""A witness that checks for itself cosigns heads, and refuses what is no longer the same log."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from tlog_scales.signing import VkeySet
from tlog_scales.tlog import Checkpoint

from bot.anchors.witness import Cosigner
from bot.cli import main
from storage.cosignature import read_witness_key
from storage.evidence.export import Request, export
from storage.journal import utc_now
from storage.verify import Report, verify_database
from tests.bot.anchors.answering import answering
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.pretend_witness import PretendWitness
from tests.storage.machines import RITA
from tests.storage.packs import by_script


@dataclass
class Seen:
    """A log, and the witness that sees it."""

    ledger: Ledger
    witness: PretendWitness
    url: str

    def ask(self) -> None:
        """Let the log be seen, as it is opened now."""
        key = read_witness_key(self.witness.vkey)
        database = self.ledger.store.database
        self.ledger.outsiders = [Cosigner(url=f"{self.url}/submit", key=key, database=database)]


def seen_of(ledger: Ledger) -> Iterator[Seen]:
    witness = PretendWitness(ledger.vkey)
    with answering(witness) as url:
        made = Seen(ledger, witness, url)
        made.ask()
        yield made


@pytest.fixture
def seen(ledger: Ledger) -> Iterator[Seen]:
    yield from seen_of(ledger)


@pytest.fixture
def seen_anywhere(any_ledger: Ledger) -> Iterator[Seen]:
    """Give one on each database."""
    yield from seen_of(any_ledger)


def next_day(ledger: Ledger) -> None:
    ledger.clock.at += timedelta(hours=24)
    ledger.look()


def test_a_witness_whose_clock_is_wrong_vouches_for_nothing(seen: Seen) -> None:
    (asked,) = seen.ledger.outsiders
    assert isinstance(asked, Cosigner)
    ahead = replace(asked, now=lambda: utc_now() + timedelta(days=2))
    seen.ledger.outsiders = [ahead]
    seen.ledger.look()

    assert seen.ledger.anchors() == []
    assert "By the clock of the witness it is" in seen.ledger.turns()["witness"].error


def test_each_head_is_cosigned_once_it_goes_on_from_the_one_before(
    seen_anywhere: Seen,
) -> None:
    ledger, witness = seen_anywhere.ledger, seen_anywhere.witness
    ledger.grows(5)
    ledger.look()
    ledger.grows(7)
    next_day(ledger)
    sizes = [int(str(one.data["size"])) for one in ledger.anchors()]
    notes = [ledger.kept_note(size) for size in sizes]
    read = [Checkpoint.from_text(note) for note in notes]

    assert sizes == [6, 14]
    assert witness.asked == [0, 6]
    assert all(VkeySet(witness.key).verify(one.signatures, one) for one in read)
    assert ledger.evidence("witness").decode() == notes[1]
    assert ledger.verified(*notes).exit == 0


def test_a_witness_that_saw_the_log_before_is_asked_from_there(
    seen: Seen,
) -> None:
    ledger, witness = seen.ledger, seen.witness
    ledger.grows(4)
    before = Checkpoint.from_text(ledger.shown().note)
    witness.size, witness.root = before.size, before.root_hash
    ledger.grows(3)
    ledger.look()

    assert witness.asked == [0, 5]
    assert len(ledger.anchors()) == 1


@pytest.mark.parametrize(
    ("grows", "why"),
    [(0, "has seen a head of 6 entries, and this log has 3"), (9, r"refuses the head \(422\)")],
)
def test_a_restored_or_rewritten_log_is_not_cosigned(seen: Seen, grows: int, why: str) -> None:
    ledger = seen.ledger
    ledger.grows(2)
    backup = ledger.backup()
    ledger.grows(3)
    ledger.look()
    ledger.restore(backup)
    seen.ask()
    ledger.grows(grows)
    ledger.look()

    assert ledger.anchors() == []
    assert re.search(why, ledger.turns()["witness"].error)


def test_a_line_of_another_key_is_no_cosignature(
    seen: Seen,
) -> None:
    ledger, witness = seen.ledger, seen.witness
    witness.private = PretendWitness("").private
    ledger.look()

    assert ledger.lines(1) == [ledger.head().origin]
    assert "no good line" in ledger.turns()["witness"].error


def test_the_time_of_an_anchor_is_that_of_the_witness(
    seen: Seen,
) -> None:
    ledger = seen.ledger
    ledger.look()
    (anchor,) = ledger.kept_anchors()

    assert abs(datetime.now(UTC) - anchor.at) < timedelta(minutes=1)


def written(ledger: Ledger, name: str) -> Path:
    """Write a pack of the whole log."""
    out = ledger.home / name
    export(ledger.store, Request(out=out), person=RITA, now=ledger.clock())
    return out


def judged(seen: Seen, *keys: str, **how: Any) -> Report:  # noqa: ANN401 - options of `verify`.
    ledger = seen.ledger
    return verify_database(ledger.url, [ledger.vkey], processes=1, witnesses=keys, **how)


def test_an_auditor_who_trusts_the_witness_learns_what_it_saw(seen: Seen) -> None:
    ledger = seen.ledger
    ledger.grows(5)
    ledger.look()
    ledger.grows(2)
    report = judged(seen, seen.witness.vkey, max_age=timedelta(days=1), now=ledger.clock)
    alone = verify_database(ledger.url, [ledger.vkey], max_age=timedelta(days=1), now=ledger.clock)

    asked = ["audit", "verify", "--db", ledger.url, "--vkey", ledger.vkey]
    told = CliRunner().invoke(main, [*asked, "--witness", seen.witness.vkey])

    assert (report.exit, report.counts["witnessed"]) == (0, 6)
    assert (told.exit_code, "witnessed: 6" in told.output) == (0, True)
    assert [code for code, _ in alone.unproven] == ["anchor-stale"]


def test_a_witness_who_vouched_for_nothing_leaves_it_unproven(seen: Seen) -> None:
    seen.ledger.look()
    report = judged(seen, seen.witness.vkey, PretendWitness("").vkey)

    assert (report.exit, report.unproven) == (
        3,
        [("anchor", "No head has a good line of the witness witness.example/w1.")],
    )


def test_a_line_that_nobody_but_the_pinned_witness_can_make_is_told_from_a_forged_one(
    seen: Seen,
) -> None:
    ledger = seen.ledger
    ledger.look()
    line = ledger.kept_note(1).splitlines()[-1]
    forged = line[:-12] + ("A" if line[-12] != "A" else "B") + line[-11:]
    good = by_script(written(ledger, "good"), ledger.vkey, witnesses=[seen.witness.vkey])
    other = by_script(written(ledger, "same"), ledger.vkey, witnesses=[PretendWitness("").vkey])
    change = "replace({0}, :line, :forged)"
    with ledger.store.database.begin() as tx:
        for table, made in (
            ("audit_checkpoint SET note", change.format("note")),
            ("audit_anchor SET evidence", f"CAST({change.format('evidence')} AS BLOB)"),
        ):
            words = text(f"UPDATE {table} = {made}")
            tx.connection.execute(words, {"line": line, "forged": forged})
    report = judged(seen, seen.witness.vkey)
    bad = by_script(written(ledger, "bad"), ledger.vkey, witnesses=[seen.witness.vkey])

    assert (good[0], other[0], bad[0]) == (0, 3, 1)
    assert {code for code, _ in bad[1]["failures"]} == {"anchor"}
    assert ledger.verified().exit == 0  # Without its key nobody can tell.
    assert report.codes == {"anchor"}
    assert "is false" in report.failures[0][1]


def test_a_key_that_is_no_witnesss_is_refused(seen: Seen) -> None:
    assert judged(seen, seen.ledger.vkey).exit == 2

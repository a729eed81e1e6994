"""An entry without a place is judged as one that has a place: screens show it too."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.database import Database
from storage.entry_bytes import leaf_hash
from storage.keys import WriterKey
from storage.verify import Report, verify_database
from tests.storage.forging import b64, put, sealed_by
from tests.storage.trail import (
    ORIGIN,
    Trail,
    begin_trail,
    executed,
    intended,
    rotate_writer,
    started,
)
from workflows.binding import canonical

STRANGER = WriterKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(100, 132))))
READ = {"what": "runs", "n": 1}


@pytest.fixture
def trail(database_url: str, database: Database, tmp_path: Path) -> Trail:
    trail = begin_trail(database_url, database, tmp_path / "home")
    trail.run("r1")
    trail.tell(started("r2", trail.person("rita")))
    trail.clock.at += timedelta(days=1)
    return trail


def verified(trail: Trail, *, quick: bool = False) -> Report:
    return verify_database(trail.url, [trail.pin], now=trail.clock, processes=1, quick=quick)


def said(trail: Trail, *, by: WriterKey | None = None, **members: object) -> bytes:
    """Return an entry of this moment, of the log's writer if nobody else is named."""
    ts = f"{trail.clock.at:%Y-%m-%dT%H:%M:%S}.000Z"
    return sealed_by(by or trail.journal.writer, "access.read", READ, **{"ts": ts, **members})


def in_run(trail: Trail, rseq: int, prev: bytes, **members: object) -> bytes:
    return said(trail, run="r2", rseq=rseq, prev=b64(prev), **members)


def newest_leaf(trail: Trail) -> bytes:
    with trail.database.read() as connection:
        size = connection.exec_driver_sql("SELECT size FROM audit_tree").scalar_one()
    return leaf_hash(trail.line(size - 1).encode())


def with_another_signature(line: bytes) -> bytes:
    members = json.loads(line)
    return canonical({**members, "sig": b64(bytes(64))})


def of_a_retired_writer(trail: Trail) -> bytes:
    old = trail.journal.writer
    trail.run_sql()  # With the trigger away, which would refuse it.
    rotate_writer(trail)
    return said(trail, by=old)


FORGED: dict[str, tuple[Callable[[Trail], bytes], str]] = {
    "a stranger's": (lambda trail: said(trail, by=STRANGER), "entry-key"),
    "a stranger's of years to come": (
        lambda trail: said(trail, by=STRANGER, ts="2029-01-01T00:00:00.000Z"),
        "entry-key",
    ),
    "a retired writer's": (of_a_retired_writer, "entry-key-retired"),
    "one with a false signature": (
        lambda trail: with_another_signature(said(trail)),
        "entry-signature",
    ),
    "one of another log": (lambda trail: said(trail, log=f"{ORIGIN}/2"), "wrong-log"),
    "one with another moment": (
        lambda trail: said(trail, ts="2026-03-03T09:00:00.000+"),
        "ts-format",
    ),
    "another spelling": (
        lambda trail: said(trail).replace(b'"v":1', b'"v": 1'),
        "not-canonical entry-signature",
    ),
    "one with a part that is not there": (
        lambda trail: said(
            trail, parts={"query": {"c": b64(bytes(32)), "cls": "business", "len": 3}}
        ),
        "part-missing",
    ),
    "a run's with a number too high": (
        lambda trail: in_run(trail, 2, newest_leaf(trail)),
        "run-sequence",
    ),
    "a run's with another before it": (lambda trail: in_run(trail, 1, bytes(32)), "run-chain"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_entry_without_a_place_is_a_failure(trail: Trail, what: str) -> None:
    forge, codes = FORGED[what]
    trail.run_sql()
    put(trail, forge(trail))
    report = verified(trail)

    assert report.codes == set(codes.split()), report.failures
    assert all(text.startswith("Not placed yet: ") for _code, text in report.failures)


@pytest.mark.parametrize("quick", [False, True])
def test_the_leaf_of_an_entry_without_a_place_is_that_of_its_line(
    trail: Trail, *, quick: bool
) -> None:
    put(trail, said(trail), leaf=bytes(32))

    assert verified(trail, quick=quick).codes == {"leaf-mismatch"}


def test_entries_of_a_run_that_wait_follow_one_another(trail: Trail) -> None:
    first = in_run(trail, 1, newest_leaf(trail))
    put(trail, first)
    put(trail, in_run(trail, 2, leaf_hash(first)))
    report = verified(trail)

    assert (report.exit, report.counts["pending"]) == (0, 2)


def test_a_key_that_waits_for_its_place_signs_nothing_yet(trail: Trail) -> None:
    data = {
        "role": "entry",
        "pk": b64(STRANGER.public),
        "pop": b64(STRANGER.possession(ORIGIN)),
        "holder": "vm",
    }
    put(trail, sealed_by(trail.journal.writer, "key.add", data))
    put(trail, said(trail, by=STRANGER))

    assert verified(trail).codes == {"entry-key"}


def test_an_entry_of_a_time_to_come_is_unproven(trail: Trail) -> None:
    put(trail, said(trail, ts="2029-01-01T00:00:00.000Z"))
    report = verified(trail)

    assert report.exit == 3
    assert [code for code, _text in report.unproven] == ["pending"]


def test_an_entry_that_vanished_before_one_that_waits_is_missed(trail: Trail) -> None:
    first = in_run(trail, 1, newest_leaf(trail))
    put(trail, in_run(trail, 2, leaf_hash(first)))

    assert verified(trail).codes == {"run-sequence", "run-chain"}


def test_what_waits_changes_no_verdict_on_what_has_a_place(trail: Trail) -> None:
    trail.tell(intended("r2"), executed("r2"))
    put(trail, said(trail, by=STRANGER))
    report = verified(trail)

    assert (report.first_at, report.counts["pending"]) == (None, 1)
    assert "An entry is signed by somebody whom the log does not know." in report.lines()[-2]

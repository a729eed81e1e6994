"""What somebody put where entries wait for their place gets none, if it changes the log's keys."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import VerifierKey
from storage.database import Database
from storage.entry_bytes import leaf_hash
from storage.keys import WriterKey
from storage.sequencing import sequence_pending
from tests.storage.forging import put, put_amid, sealed_by
from tests.storage.trail import ORIGIN, Trail, begin_trail, outside, rotate_log_key, rotate_writer
from workflows.entry import Json
from workflows.errors import UnusableDatabaseError

STRANGER = WriterKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(100, 132))))
NOTE = outside("hold.lifted", {"hold": "h", "reason": "x"})


@pytest.fixture
def trail(database_url: str, database: Database, tmp_path: Path) -> Trail:
    return begin_trail(database_url, database, tmp_path / "home")


def of_itself() -> dict[str, Json]:
    return {
        "role": "entry",
        "pk": base64.b64encode(STRANGER.public).decode(),
        "pop": base64.b64encode(STRANGER.possession(ORIGIN)).decode(),
        "holder": "vm",
    }


def of_a_log_key() -> dict[str, Json]:
    return {"role": "log", "vkey": str(VerifierKey(ORIGIN, STRANGER.public))}


def size_of(trail: Trail) -> tuple[int, int]:
    with trail.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT (SELECT size FROM audit_tree), (SELECT max(size) FROM audit_checkpoint)"
        ).one()
    return found[0], found[1]


def forgery(trail: Trail, what: str) -> bytes:
    writer = trail.journal.writer.id
    kind, data = {
        "a writer of their own": ("key.add", of_itself()),
        "a log key of their own": ("key.add", of_a_log_key()),
        "the end of the writer": ("key.retire", {"id": writer}),
        "the theft of the writer": ("key.revoke", {"id": writer, "from": 0}),
        "another beginning": ("log.init", {"entry_keys": [], "log_vkeys": []}),
    }[what]
    return sealed_by(STRANGER, kind, data)


@pytest.mark.parametrize(
    "what",
    [
        "a writer of their own",
        "a log key of their own",
        "the end of the writer",
        "the theft of the writer",
        "another beginning",
    ],
)
def test_no_head_is_signed_over_a_strangers_word_on_keys(trail: Trail, what: str) -> None:
    trail.tell(NOTE)
    before = size_of(trail)
    put(trail, forgery(trail, what))
    for records in (
        lambda: trail.tell(NOTE),
        lambda: sequence_pending(trail.database, trail.journal.sequencer),
    ):
        with pytest.raises(UnusableDatabaseError, match=r"no enrolled key signed it: row \d+ of"):
            records()

    assert size_of(trail) == before
    assert trail.journal.problem() is None  # This process is not at fault, and may go on.


def test_a_place_that_somebody_gave_to_it_is_none(trail: Trail) -> None:
    if trail.database.dialect != "sqlite":
        pytest.skip("there entries are never stored with their place")
    before = size_of(trail)
    put(trail, forgery(trail, "a writer of their own"), place=str(before[0]))
    with pytest.raises(UnusableDatabaseError, match="no enrolled key signed it"):
        trail.tell(NOTE)

    assert size_of(trail) == before


@pytest.mark.parametrize("before_ours", [0, 1, 2])
def test_what_is_put_among_our_own_entries_is_looked_at(trail: Trail, before_ours: int) -> None:
    before = size_of(trail)
    line = forgery(trail, "a writer of their own")
    is_file = trail.database.dialect == "sqlite"
    place = "(SELECT max(idx) + 1 FROM audit_entry)" if is_file else "NULL"

    def append_two() -> None:
        with trail.database.begin() as tx:
            for turn in range(3):
                if turn == before_ours:
                    put_amid(trail, tx, line, place=place)
                if turn < 2:
                    trail.journal.append(tx, NOTE)

    with pytest.raises(UnusableDatabaseError, match="no enrolled key signed it"):
        append_two()

    assert size_of(trail) == before


def test_no_head_is_signed_over_a_leaf_of_another_line(trail: Trail) -> None:
    before = size_of(trail)
    hidden = leaf_hash(forgery(trail, "a writer of their own"))
    put(trail, sealed_by(trail.journal.writer, "access.read", {"what": "x"}), leaf=hidden)
    with pytest.raises(UnusableDatabaseError, match="is not the one that its leaf is of"):
        trail.tell(NOTE)

    assert size_of(trail) == before


def test_a_writer_that_enrols_itself_lets_nobody_in_behind_it(trail: Trail) -> None:
    before = size_of(trail)
    put(trail, sealed_by(STRANGER, "key.add", of_itself()))
    put(trail, sealed_by(STRANGER, "key.add", of_a_log_key()))
    with pytest.raises(UnusableDatabaseError):
        trail.tell(NOTE)

    assert size_of(trail) == before


def test_once_the_row_is_gone_all_goes_on(trail: Trail) -> None:
    put(trail, forgery(trail, "a writer of their own"))
    with pytest.raises(UnusableDatabaseError):
        trail.tell(NOTE)
    trail.run_sql("DELETE FROM audit_entry WHERE idx IS NULL")
    before = size_of(trail)
    trail.tell(NOTE)

    assert size_of(trail) == (before[0] + 1, before[1] + 1)


def test_what_an_enrolled_writer_says_of_keys_gets_its_place(trail: Trail) -> None:
    before = size_of(trail)
    put(trail, sealed_by(trail.journal.writer, "key.add", of_itself()))
    put(trail, sealed_by(STRANGER, "key.add", of_a_log_key()))
    trail.tell(NOTE)
    rotate_writer(trail)
    rotate_log_key(trail)

    assert size_of(trail)[0] > before[0] + 3

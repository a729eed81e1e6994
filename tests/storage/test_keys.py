"""Signing keys: made once, readable by their owner alone, refused when they do not belong."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from storage.database import Database, open_database
from storage.journal import Journal
from storage.keys import LOG_KEY, WRITER_KEY, WriterKey, load_key, save_key
from storage.log_setup import init_log, open_journal
from storage.migrate import upgrade
from tests.storage.trail import Trail, begin_trail, outside, rotate_writer
from workflows.errors import SigningKeyError, UnusableDatabaseError

ORIGIN = "interlock.example/audit/T0ABC"


def test_the_log_opens_with_the_keys_it_began_with(
    database: Database, home: Path, journal: Journal
) -> None:
    opened = open_journal(database, home, origin=ORIGIN)

    assert (opened.origin, opened.writer.id) == (ORIGIN, journal.writer.id)
    assert stat.S_IMODE((home / "keys" / LOG_KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700


def test_a_log_begins_once(database: Database, home: Path, journal: Journal) -> None:
    with pytest.raises(UnusableDatabaseError, match="already"):
        init_log(database, home, origin=journal.origin)


def test_a_beginning_cut_short_goes_on_with_its_keys(database: Database, home: Path) -> None:
    private = Ed25519PrivateKey.generate()
    save_key(home, WRITER_KEY, private)
    journal = init_log(database, home, origin=ORIGIN)

    assert journal.writer.id == WriterKey.of(private).id


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\n"])
def test_an_origin_that_no_note_can_carry_is_refused(
    database: Database, home: Path, origin: str
) -> None:
    with pytest.raises(UnusableDatabaseError, match="cannot name"):
        init_log(database, home, origin=origin)


def test_another_log_than_expected_is_refused(
    database: Database, home: Path, journal: Journal
) -> None:
    with pytest.raises(UnusableDatabaseError, match=journal.origin):
        open_journal(database, home, origin="other.example/audit/T1")


def test_a_database_without_a_schema_or_a_log_is_refused(blank_url: str, home: Path) -> None:
    database = open_database(blank_url)
    try:
        with pytest.raises(UnusableDatabaseError, match=r"no tables yet.* `interlock init`"):
            open_journal(database, home)
        upgrade(database.engine)
        with pytest.raises(UnusableDatabaseError, match="interlock init"):
            open_journal(database, home)
    finally:
        database.close()


@pytest.mark.parametrize("name", [LOG_KEY, WRITER_KEY])
def test_a_missing_key_is_named(
    database: Database, home: Path, journal: Journal, name: str
) -> None:
    (home / "keys" / name).unlink()

    assert journal.origin
    with pytest.raises(SigningKeyError, match=f"{name} is missing"):
        open_journal(database, home)


@pytest.mark.parametrize("name", [LOG_KEY, WRITER_KEY])
def test_a_foreign_key_is_refused(
    database: Database, home: Path, journal: Journal, name: str
) -> None:
    (home / "keys" / name).unlink()
    save_key(home, name, Ed25519PrivateKey.generate())

    assert journal.origin
    with pytest.raises(SigningKeyError, match=r"not enrolled|does not belong") as refused:
        open_journal(database, home)

    assert f"Bring back keys/{name}" in refused.value.hint


def test_a_key_that_others_may_read_is_refused(home: Path) -> None:
    save_key(home, LOG_KEY, Ed25519PrivateKey.generate())
    (home / "keys" / LOG_KEY).chmod(0o644)

    with pytest.raises(SigningKeyError, match="Others may read"):
        load_key(home, LOG_KEY)


def test_a_file_that_is_no_key_is_refused(home: Path) -> None:
    (home / "keys").mkdir(parents=True)
    (home / "keys" / LOG_KEY).touch(mode=0o600)

    with pytest.raises(SigningKeyError, match="cannot be read"):
        load_key(home, LOG_KEY)


@pytest.mark.parametrize("spelling", [b"%b", b"Made for a test.\n%b", b"%b\n\n"])
def test_a_key_is_read_however_its_file_is_spelled(home: Path, spelling: bytes) -> None:
    private = Ed25519PrivateKey.generate()
    save_key(home, LOG_KEY, private)
    file = home / "keys" / LOG_KEY
    file.write_bytes(spelling % file.read_bytes())

    assert load_key(home, LOG_KEY).private_bytes_raw() == private.private_bytes_raw()


def test_a_key_of_another_kind_is_refused(home: Path) -> None:
    (home / "keys").mkdir(parents=True)
    (home / "keys" / LOG_KEY).touch(mode=0o600)
    (home / "keys" / LOG_KEY).write_bytes(
        X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )

    with pytest.raises(SigningKeyError, match="not an Ed25519 key"):
        load_key(home, LOG_KEY)


def test_a_key_is_never_overwritten(home: Path) -> None:
    save_key(home, LOG_KEY, Ed25519PrivateKey.generate())

    with pytest.raises(SigningKeyError, match="exists already"):
        save_key(home, LOG_KEY, Ed25519PrivateKey.generate())


def test_a_writer_key_that_was_ended_is_refused(
    database_url: str, database: Database, home: Path
) -> None:
    trail: Trail = begin_trail(database_url, database, home)
    rotate_writer(trail)

    with pytest.raises(SigningKeyError, match="was ended"):
        open_journal(database, home)
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "over"}))

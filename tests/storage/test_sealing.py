"""Values at rest open under their own name and key, and nowhere else."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.database import Database
from storage.master_key import HomeMaster, KeyMaster, read_key
from storage.sealing import Sealer, open_sealer
from workflows.errors import SecretError

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LOG = "interlock.example/audit/T0ABC"

pytestmark = pytest.mark.usefixtures("journal")  # It makes the tables.


def a_sealer(database: Database, master: bytes = b"m" * 32, *, log: str = LOG) -> Sealer:
    return open_sealer(database, log=log, master=KeyMaster(master), now=NOW)


def test_a_sealed_value_opens_under_its_name(database: Database) -> None:
    sealed = a_sealer(database).seal(b"JBSWY3DPEHPK3PXP", name="totp/s:1")

    assert b"JBSWY3DPEHPK3PXP" not in sealed
    assert a_sealer(database).open_sealed(sealed, name="totp/s:1") == b"JBSWY3DPEHPK3PXP"


def test_two_seals_of_one_value_differ(database: Database) -> None:
    sealer = a_sealer(database)

    assert sealer.seal(b"same", name="a") != sealer.seal(b"same", name="a")


def test_what_was_sealed_for_one_name_opens_for_no_other(database: Database) -> None:
    sealer = a_sealer(database)
    sealed = sealer.seal(b"of ana", name="totp/ana")

    with pytest.raises(SecretError, match="cannot be opened"):
        sealer.open_sealed(sealed, name="totp/ben")


@pytest.mark.parametrize("place", [0, 1, 20, -1])
def test_a_changed_byte_is_noticed(database: Database, place: int) -> None:
    sealer = a_sealer(database)
    sealed = bytearray(sealer.seal(b"as it was", name="a"))
    sealed[place] ^= 1

    with pytest.raises(SecretError, match="cannot be opened"):
        sealer.open_sealed(bytes(sealed), name="a")


def test_another_master_key_is_refused_with_what_to_do(database: Database) -> None:
    a_sealer(database)

    with pytest.raises(SecretError, match=r"Copy keys/secrets\.key"):
        a_sealer(database, b"n" * 32)


def test_the_key_of_another_log_does_not_open_it(database: Database) -> None:
    a_sealer(database)

    with pytest.raises(SecretError, match="another master key"):
        a_sealer(database, log="interlock.example/audit/T0XYZ")


def wrapped(home: Path) -> bytes:
    """Return a key as the master key of a home wraps it."""
    return HomeMaster(home).wrap(b"k" * 32, aad=b"log")


def test_a_home_makes_its_master_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = wrapped(tmp_path)

    assert HomeMaster(tmp_path).unwrap(first, aad=b"log") == b"k" * 32
    assert (tmp_path / "keys" / "secrets.key").stat().st_mode & 0o077 == 0


def test_a_master_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    first = wrapped(tmp_path)
    (tmp_path / "keys" / "secrets.key").chmod(0o644)

    with pytest.raises(SecretError, match="Others may read"):
        HomeMaster(tmp_path).unwrap(first, aad=b"log")


def test_what_another_home_wrapped_is_refused_with_what_to_do(tmp_path: Path) -> None:
    theirs = wrapped(tmp_path / "theirs")
    for home in (HomeMaster(tmp_path / "ours"), HomeMaster(tmp_path / "ours").following()):
        with pytest.raises(SecretError, match=r"Copy keys/secrets\.key"):
            home.unwrap(theirs, aad=b"log")


def test_what_was_wrapped_for_another_use_opens_for_none_but_it(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="another master key"):
        HomeMaster(tmp_path).unwrap(wrapped(tmp_path), aad=b"another log")


def test_a_file_that_holds_no_master_key_is_told_and_never_replaced(tmp_path: Path) -> None:
    first, file = wrapped(tmp_path), tmp_path / "keys" / "secrets.key"
    for content in (b"\xff" * 44, b"no key", b""):
        file.write_bytes(content)
        with pytest.raises(SecretError, match=r"secrets\.key (cannot be read|is not 32 bytes)"):
            HomeMaster(tmp_path).unwrap(first, aad=b"log")
        with pytest.raises(SecretError, match=r"secrets\.key (cannot be read|is not 32 bytes)"):
            wrapped(tmp_path)

        assert file.read_bytes() == content


def test_a_new_master_key_that_waits_to_be_put_in_force_is_not_replaced(tmp_path: Path) -> None:
    wrapped(tmp_path)
    following = HomeMaster(tmp_path).following().wrap(b"k" * 32, aad=b"log")
    HomeMaster(tmp_path).following()

    assert HomeMaster(tmp_path).unwrap(following, aad=b"log") == b"k" * 32


def test_a_given_master_key_has_to_be_32_bytes() -> None:
    given = base64.b64encode(b"k" * 32).decode()

    assert read_key(given, "INTERLOCK_SECRETS_KEY") == b"k" * 32
    for other in ("c2hvcnQ=", "no base64!", "", base64.b64encode(bytes(33)).decode()):
        with pytest.raises(SecretError, match="openssl rand"):
            read_key(other, "INTERLOCK_SECRETS_KEY")


def test_one_that_is_ready_asks_for_keys_only_where_others_sealed_by_a_newer_one() -> None:
    keys, asked = [(bytes(32),)], []
    sealer = Sealer(lambda: asked.append(1) or keys[0], "log")
    keys[0] = (bytes([1] * 32), bytes(32))
    ready = sealer.ready()
    before = len(asked)
    sealed = ready.seal(b"value", name="a")
    opened = ready.open_sealed(sealed, name="a")
    silent = len(asked) == before
    keys[0] = (bytes([2] * 32), bytes([1] * 32))
    newer = sealer.seal(b"newer", name="a")

    assert silent
    assert opened == b"value"
    assert ready.open_sealed(newer, name="a") == b"newer"
    assert sealer.open_sealed(ready.seal(b"late", name="a"), name="a") == b"late"

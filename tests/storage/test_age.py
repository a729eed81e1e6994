"""What others encrypt to an age identity opens here, and the master key may be one."""

import base64
from pathlib import Path

import pytest

from bot.master import master_of
from bot.settings import read_settings
from storage.age import AgeError, AgeIdentity
from storage.age_master import AgeMaster
from storage.journal import utc_now
from storage.master_key import KeyMaster
from workflows.errors import SecretError

# The vector `x25519` of the test kit of age (C2SP CCTV); its payload is the word "age".
IDENTITY = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
FILE = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBURWlGMHlwcXIrYnB2Y3FYTnlDVkpwTDdPdXdQZFZ3UEw3"
    "S1FFYkZET0NjCmhqYWJHWHdTTFE5YzNTNkx3MmkrUzJUdTJmaXdRSEhzbGJCTjZCNDFGTEUKLS0tIFd5SnA5Ri85"
    "Rk9aaDdnSmRoZXEyV0lKY3dIZ1ljOE5JVmgzZGR3aHJjTmcK7s9ix86RtDMnTmjU8vkTTLdMW/73vqpSyPC8DpksH"
    "oMx+2Y="
)
EARLIER = KeyMaster(b"k" * 32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "identity.txt"
    path.write_text(f"# created: 2026-03-02\n{IDENTITY}\n")
    path.chmod(0o600)
    return path


def test_a_file_of_others_opens_and_our_own_does() -> None:
    identity = AgeIdentity.read(IDENTITY)

    assert identity.decrypt(FILE) == b"age"
    assert identity.decrypt(identity.encrypt(b"a key")) == b"a key"
    assert IDENTITY not in repr(identity)


@pytest.mark.parametrize("place", [0, 30, 60, 100, 130, 150, 172, 180, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    changed = bytearray(FILE)
    changed[place] ^= 1

    with pytest.raises(AgeError):
        AgeIdentity.read(IDENTITY).decrypt(bytes(changed))


@pytest.mark.parametrize(
    "text",
    [
        "",
        IDENTITY[:-1],
        IDENTITY.replace("EGTZ", "EGTX"),
        IDENTITY.lower(),
        f"{IDENTITY}\n{IDENTITY}",
        "AGE-PLUGIN-YUBIKEY-1QQ",
    ],
)
def test_what_is_no_identity_is_refused_without_being_shown(file: Path, text: str) -> None:
    file.write_text(text)

    with pytest.raises(SecretError, match="age-keygen") as refusal:
        AgeMaster(file=file, earlier=EARLIER).wrap(b"x" * 32, aad=b"log")
    assert "EGTZ" not in str(refusal.value)


def test_the_settings_name_the_identity_that_wraps(file: Path, tmp_path: Path) -> None:
    given = {"INTERLOCK_SECRETS_AGE": str(file), "INTERLOCK_HOME": str(tmp_path)}
    master = master_of(read_settings(given), now=utc_now)
    wrapped = master.wrap(b"d" * 32, aad=b"log")

    assert master.unwrap(wrapped, aad=b"log") == b"d" * 32
    assert AgeIdentity.read(IDENTITY).decrypt(wrapped[1:])[32:] == b"d" * 32
    with pytest.raises(SecretError, match="another master key"):
        master.unwrap(wrapped, aad=b"another log")


def test_what_was_wrapped_by_a_key_before_still_opens(file: Path) -> None:
    master = AgeMaster(file=file, earlier=EARLIER)

    assert master.unwrap(EARLIER.wrap(b"d" * 32, aad=b"log"), aad=b"log") == b"d" * 32


def test_an_identity_that_others_may_read_is_refused(file: Path) -> None:
    file.chmod(0o644)

    with pytest.raises(SecretError, match="Others may read"):
        AgeMaster(file=file, earlier=EARLIER).wrap(b"x" * 32, aad=b"log")

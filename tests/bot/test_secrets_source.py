"""Where secrets come from."""

from pathlib import Path

import pytest

from bot.secrets_source import read_secrets
from workflows.errors import SecretError


@pytest.mark.parametrize("name", ["shop-token", "shop_token", "SHOP.TOKEN"])
def test_a_secret_is_found_however_its_name_is_written(name: str) -> None:
    held = read_secrets({"INTERLOCK_SECRET_SHOP_TOKEN": "sesame-sesame", "HOME": "/root"})

    assert held.reveal(name) == "sesame-sesame"
    assert held.names == {"SHOP_TOKEN"}


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame-sesame\n")
    held = read_secrets({"INTERLOCK_SECRET_SHOP_FILE": str(tmp_path / "token")})

    assert held.reveal("shop") == "sesame-sesame"


def test_an_unknown_secret_says_how_to_set_it() -> None:
    with pytest.raises(SecretError, match="INTERLOCK_SECRET_SHOP_TOKEN"):
        read_secrets({}).reveal("shop-token")


def test_a_short_secret_is_refused_without_printing_it() -> None:
    with pytest.raises(SecretError, match="fewer than 8") as refusal:
        read_secrets({"INTERLOCK_SECRET_SHOP": "abc123"})

    assert "abc123" not in str(refusal.value)


def test_held_secrets_never_print_themselves() -> None:
    assert "sesame" not in repr(read_secrets({"INTERLOCK_SECRET_SHOP": "sesame-sesame"}))

"""Sources are asked in their turn, and whatever is given is known to the redactor first."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from bot.secret_sources.environment import EnvironmentSource
from bot.secret_sources.folder import FolderSource
from bot.secret_sources.held import HeldSecrets
from workflows.errors import SecretError, SecretUnreadableError
from workflows.redaction import MARK, Redactor
from workflows.secret_book import Found

VALUE = "sesame-sesame-0192"


class Far:
    """A source over a network, which may be away."""

    name = "far"

    def __init__(self, **values: str) -> None:
        self.values = values
        self.asked = 0
        self.is_away = False

    def find(self, name: str) -> Found | None:
        self.asked += 1
        if self.is_away:
            raise SecretUnreadableError("It is away.")
        value = self.values.get(name)
        return None if value is None else Found(value=value, version=3)

    def names(self) -> Iterable[str] | None:
        return None


@pytest.mark.parametrize("name", ["shop-token", "shop_token", "SHOP.TOKEN"])
def test_a_secret_is_found_however_its_name_is_written(name: str) -> None:
    held = HeldSecrets(
        [EnvironmentSource({"INTERLOCK_SECRET_SHOP_TOKEN": VALUE, "HOME": "/root"})], Redactor()
    )

    assert held.reveal(name) == VALUE
    assert held.names() == {"shop_token"}


def test_an_unknown_secret_says_how_to_set_it() -> None:
    with pytest.raises(SecretError, match=r"secret set shop_token.*INTERLOCK_SECRET_SHOP_TOKEN"):
        HeldSecrets([EnvironmentSource({})], Redactor()).reveal("shop-token")


def test_what_a_process_was_given_comes_before_what_is_kept_elsewhere() -> None:
    far, redact = Far(shop="of-far-away"), Redactor()
    near = EnvironmentSource({"INTERLOCK_SECRET_SHOP": VALUE})
    held = HeldSecrets([near, far], redact)

    assert held.reveal("shop") == VALUE
    assert far.asked == 0


def test_a_value_from_elsewhere_is_known_to_the_redactor_before_it_is_given() -> None:
    redact = Redactor()
    held = HeldSecrets([Far(shop=VALUE)], redact, used=lambda _: seen.append(redact(VALUE)))
    seen: list[str] = []
    held.reveal("shop")

    assert seen == [MARK]


def test_a_source_that_is_away_is_never_passed_by() -> None:
    first, second = Far(), Far(shop=VALUE)
    first.is_away = True

    with pytest.raises(SecretUnreadableError):
        HeldSecrets([first, second], Redactor()).reveal("shop")
    assert second.asked == 0


def test_a_value_that_was_put_there_meanwhile_is_known_before_it_is_used(tmp_path: Path) -> None:
    redact = Redactor()
    held = HeldSecrets([FolderSource(tmp_path)], redact)
    (tmp_path / "shop").write_text(VALUE)
    (tmp_path / "shop").chmod(0o600)
    before = redact(VALUE)
    held.learn()

    assert (before, redact(VALUE)) == (VALUE, MARK)


def test_nobody_can_say_what_a_far_source_lacks() -> None:
    assert HeldSecrets([EnvironmentSource({})], Redactor()).missing(["shop"]) == ("shop",)
    assert HeldSecrets([EnvironmentSource({}), Far()], Redactor()).missing(["shop"]) == ()


@pytest.mark.parametrize("mode", [0o644, 0o607])
def test_a_secret_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "shop").write_text(VALUE)
    (tmp_path / "shop").chmod(mode)

    with pytest.raises(SecretError, match="others cannot read"):
        FolderSource(tmp_path).find("shop")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("shop-token", "shop_token"):
        (tmp_path / name).write_text(VALUE)

    with pytest.raises(SecretError, match=re.escape("shop-token and shop_token")):
        FolderSource(tmp_path).find("shop_token")


def test_a_folder_that_is_away_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadableError, match="INTERLOCK_SECRETS_DIR"):
        FolderSource(tmp_path / "nowhere").find("shop")


def test_a_value_that_is_too_short_without_its_line_breaks_stops_no_other(tmp_path: Path) -> None:
    for name, value in (("a_short", "a\nb\nc\nd\ne"), ("shop", VALUE)):
        (tmp_path / name).write_text(value)
        (tmp_path / name).chmod(0o600)
    redact = Redactor()
    (refusal,) = HeldSecrets([FolderSource(tmp_path)], redact).learn()

    assert "line breaks aside" in refusal.message
    assert redact(VALUE) == MARK


def test_a_source_that_cannot_be_asked_is_waited_for_once() -> None:
    class Sealed(Far):
        def names(self) -> Iterable[str]:
            return self.values

    sealed = Sealed(one=VALUE, two=VALUE, three=VALUE)
    sealed.is_away = True

    assert len(HeldSecrets([sealed], Redactor()).learn()) == 1
    assert sealed.asked == 1

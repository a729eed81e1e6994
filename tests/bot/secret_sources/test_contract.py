"""What every source of secrets promises, run against each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.secret_sources.places import (
    Folder,
    Kept,
    Place,
    SecretsManager,
    VariableFiles,
    Variables,
    Vault,
)
from workflows.errors import SecretError

VALUE = 'pa"ss wörd+7&x'
NEWER = "a-newer-value-0193"


@pytest.fixture(params=["variables", "variable files", "folder", "kept", "vault", "aws"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made: Place
    match request.param:
        case "variables":
            made = Variables()
        case "variable files":
            made = VariableFiles(tmp_path)
        case "folder":
            made = Folder(tmp_path)
        case "vault":
            made = Vault()
        case "aws":
            made = SecretsManager()
        case _:
            made = Kept(request.getfixturevalue("sqlite_url"), tmp_path)
    yield made
    made.close()


def test_a_secret_is_found_under_its_name_and_a_new_value_at_once(place: Place) -> None:
    place.put("shop_token", VALUE)
    first = place.source.find("shop_token")
    place.put("shop_token", NEWER)
    second = place.source.find("shop_token")

    assert first is not None
    assert second is not None
    assert (first.value, second.value) == (VALUE, NEWER)
    assert (second.version - first.version, first.version) == ((1, 1) if place.counts else (0, 0))


def test_what_it_does_not_have_is_none_and_not_a_fault(place: Place) -> None:
    place.put("shop_token", VALUE)

    assert place.source.find("other") is None


def test_a_value_that_cannot_be_kept_out_of_texts_is_refused_unprinted(place: Place) -> None:
    place.put("short_one", "abc123")

    with pytest.raises(SecretError, match="fewer than 8") as refusal:
        place.source.find("short_one")
    assert "abc123" not in str(refusal.value)


def test_a_value_is_never_printed_with_what_holds_it(place: Place) -> None:
    place.put("shop_token", VALUE)

    assert VALUE not in repr(place.source)
    assert VALUE not in repr(place.source.find("shop_token"))


def test_a_kept_value_opens_under_its_own_name_and_version_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    kept = Kept(sqlite_url, tmp_path)
    kept.put("one", VALUE)
    kept.put("other", NEWER)
    with kept.database.begin() as tx:
        tx.run("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'one')")
    with pytest.raises(SecretError, match="cannot be opened"):
        kept.source.find("other")
    with kept.database.begin() as tx:
        tx.run("UPDATE secret SET version = version + 1")

    with pytest.raises(SecretError, match="cannot be opened"):
        kept.source.find("one")
    kept.close()


def test_only_what_lies_here_tells_its_names(place: Place) -> None:
    place.put("shop_token", VALUE)
    names = place.source.names()

    assert (None if names is None else set(names)) == ({"shop_token"} if place.is_near else None)

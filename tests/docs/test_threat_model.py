"""The threat model names a test for whatever it says holds, and each of those is there."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[a-z_/]+\.py::\w+)`", PAGE)))
ADVERSARIES = PAGE.split("\n## ")[3:]


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_the_page_names_is_there(named: str) -> None:
    file, _, name = named.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")

    assert re.search(rf"^def {name}\(", text, re.MULTILINE)


@pytest.mark.parametrize("section", ADVERSARIES, ids=lambda one: one.partition("\n")[0])
def test_each_adversary_has_a_test_for_what_holds_and_a_word_on_what_does_not(
    section: str,
) -> None:
    rows = [one for one in section.splitlines() if one.startswith("| ")][1:]

    assert len(rows) >= 3
    assert all("`tests/" in one.split(" | ")[-1] for one in rows)
    assert section.count("**Does not hold:**") == 1


def test_many_things_are_said_to_hold() -> None:
    assert len(NAMED) > 40

"""The site shows every page. Nobody builds it here, so its settings are read and compared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.docs.pages import ROOT

DOCS = ROOT / "docs"
SITE: dict[str, Any] = YAML(typ="safe").load((ROOT / "mkdocs.yml").read_text())


def pages_in(nav: object) -> Iterator[str]:
    """Yield the pages of a navigation, in order."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for inside in nav.values():
            yield from pages_in(inside)
    elif isinstance(nav, list):
        for inside in nav:
            yield from pages_in(inside)


def in_nav() -> list[Path]:
    """Return the pages that the navigation has to lead to: all but the decisions."""
    return [one for one in DOCS.rglob("*.md") if one.parent.name != "decisions"]


def test_the_navigation_leads_to_every_page_once() -> None:
    shown = list(pages_in(SITE["nav"]))

    assert sorted(shown) == sorted(str(one.relative_to(DOCS)) for one in in_nav())


def test_decisions_are_left_to_links() -> None:
    assert SITE["not_in_nav"].split() == ["/decisions/0*.md"]
    assert all(one.name.startswith("0") for one in (DOCS / "decisions").iterdir())


def test_every_page_begins_with_one_title() -> None:
    for page in in_nav():
        titles = [one for one in page.read_text().splitlines() if one.startswith("# ")]
        assert page.read_text().startswith("# "), page.name
        assert titles[0] == page.read_text().splitlines()[0]


def test_nothing_of_the_site_is_fetched_from_elsewhere() -> None:
    text = (ROOT / "mkdocs.yml").read_text()

    assert SITE["theme"]["font"] is False
    assert "extra_javascript" not in SITE
    assert "http" not in text


def test_what_builds_it_is_in_no_lock() -> None:
    locks = [one.read_text() for one in ROOT.glob("requirements*.lock")]

    assert not any("mkdocs" in one for one in locks)

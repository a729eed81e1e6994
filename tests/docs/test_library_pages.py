"""Each shipped workflow has a page of its own, whose tables are those of its file."""

import re
import shlex
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.targets import accounts, ledger, releases, shop_store
from sandbox.targets.registry_store import RegistryStore
from tests.docs.library_pages import (
    PAGES,
    Shipped,
    demands,
    glance,
    inputs,
    shipped,
    steps,
    summary,
    table,
)
from tests.docs.pages import ROOT, blocks

EVERY = list(shipped())
INDEX = ROOT / "docs/library.md"
TARGETS = ".interlock/targets/"
A_FEW_WORDS = 30  # As "ivan agrees to it." may be said of more than one.
SECTIONS = [
    "Inputs",
    "Steps",
    "What approvers see",
    "Proof, and the way back",
    "When it stops half-way",
    "In the demo",
    "Make it yours",
]


def workflow_of(one: Shipped) -> str:
    return one.definition.workflow


def test_every_workflow_that_is_shipped_has_a_page_and_every_page_a_workflow() -> None:
    assert sorted(one.page for one in EVERY) == sorted(PAGES.iterdir())
    assert all(one.file.exists() for one in EVERY)
    assert len(EVERY) == 15


@pytest.mark.parametrize("one", EVERY, ids=workflow_of)
def test_the_tables_of_a_page_are_those_of_its_file(one: Shipped) -> None:
    text = one.page.read_text()
    title = f"`{one.definition.workflow}`"

    assert text.startswith(f"# {title}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert table(text, f"# {title}") == [*glance(one)]
    assert table(text, "## Inputs") == [*inputs(one.definition)]
    assert table(text, "## Steps") == [*steps(one)]


def test_the_index_says_of_each_what_its_file_says() -> None:
    rows = table(INDEX.read_text(), "# The library")

    assert sorted(row[:3] for row in rows) == sorted(map(summary, EVERY))
    assert all(all(row) for row in rows)


def test_whatever_changes_something_is_proved_and_says_what_takes_it_back() -> None:
    changing = [
        (workflow_of(one), work)
        for one in EVERY
        for work in one.definition.works
        if one.actions[work.uses].effect_of(work.arguments).rank > 1 or work.effect is not None
    ]
    unproved = [(name, one.uses) for name, one in changing if one.verify is None]

    assert len(changing) == 18
    assert unproved == [("request-approval", "slack.release")]  # What goes on is out of our hands.
    assert [name for name, one in changing if one.undo is None] == []


def test_people_have_as_long_as_the_file_says() -> None:
    asked = [
        (workflow_of(one), step, demand.expires, one.definition.step(step).approval)
        for one in EVERY
        for step, demand in demands(one)
    ]

    assert [one[:2] for one in asked if one[3] is not None and one[2] != one[3].expires] == []


def test_no_sentence_of_the_library_stands_twice() -> None:
    pages = [INDEX, *(one.page for one in EVERY)]
    prose = (
        line.removeprefix("- ")
        for page in pages
        for line in page.read_text().splitlines()
        if not line.startswith(("|", "Files: ", "## ", "```"))
    )
    sentences = Counter(one for line in prose for one in re.split(r"(?<=[.:]) ", line))
    twice = [one for one, times in sentences.items() if times > 1]

    assert [one for one in twice if len(one) > A_FEW_WORDS] == []


def test_what_the_pages_print_of_the_records_can_be_printed(tmp_path: Path) -> None:
    RegistryStore(tmp_path)
    for target in (shop_store, accounts, releases, ledger):
        target.seed(tmp_path)
    printing = [
        block.text.replace(TARGETS, f"{tmp_path}/")
        for one in EVERY
        for block in blocks(one.page)
        if TARGETS in block.text
    ]

    assert len(printing) == 12
    for command in printing:
        program, *words = shlex.split(command)
        if program == "sqlite3":
            file, statement = words
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                connection.execute(statement).fetchall()
        else:
            subprocess.run([program, *words], check=True, capture_output=True)

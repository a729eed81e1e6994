"""The pages are complete, lead somewhere, and hold examples that can be used."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.command_values import USAGE
from bot.settings import FROM_FILES, Settings
from storage.rows import DatabaseRows
from tests.docs.pages import PAGES, ROOT, Block, blocks, links, name_of
from workflows.actions.registry import all_actions
from workflows.check import check_text, is_test
from workflows.loading import load_policy, read_policy
from workflows.policy import Policy
from workflows.rehearsal.reading import read_play
from workflows.services import Services

DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
SECTIONS = ["## Context", "## Choice", "## What it costs"]
EXAMPLES = [(page, block) for page in PAGES for block in blocks(page) if block.kind == "yaml"]
VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]
FILE_VARIABLES = [
    f"{Settings.model_fields[name].validation_alias}_FILE" for name in sorted(FROM_FILES)
]
OUTSIDE = ("https://", "http://", "mailto:")
MACHINE = re.compile(r"(?<![\w.])/(tmp|root|home|work)/")


def is_policy(block: Block) -> bool:
    return re.search(r"^rules:", block.text, re.MULTILINE) is not None


def anchors(page: Path) -> set[str]:
    """Return the names under which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    """Say whether a link between pages names a file that is there, and a heading in it."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def policy_of(page: Path) -> Policy | None:
    """Return the first policy that the page shows."""
    shown = [block for at, block in EXAMPLES if at == page and is_policy(block)]
    return load_policy(shown[0].text) if shown else None


def example_id(example: tuple[Path, Block]) -> str:
    page, block = example
    return f"{name_of(page)}:{block.line}"


@pytest.mark.parametrize("example", EXAMPLES, ids=example_id)
def test_every_yaml_example_can_be_used_as_it_stands(example: tuple[Path, Block]) -> None:
    page, block = example
    if is_policy(block):
        assert [str(one) for one in read_policy(block.text, block.file).faults] == []
        return
    if is_test(Path(block.file)):
        assert [str(one) for one in read_play(block.text, block.file).faults] == []
        return
    policy = policy_of(page)
    targets = policy.targets if policy is not None else Services()
    actions = all_actions(targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    definition, faults = check_text(block.text, block.file, actions, policy=policy)

    assert [str(one) for one in faults] == []
    assert definition is not None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    inside = [one for one in links(page) if not one.startswith(OUTSIDE)]

    assert [one for one in inside if not leads_somewhere(page, one)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    assert MACHINE.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("usage", USAGE.values(), ids=list(USAGE))
def test_everything_that_can_be_typed_in_slack_is_in_the_readme(usage: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\|", "|")

    assert f"| `{usage}` |" in readme


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_every_decision_says_why_what_and_at_which_cost(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    number = int(page.name[:4])

    assert text.startswith(f"# {number}. ")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == SECTIONS


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]

    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_setting_that_does_not_exist(page: Path) -> None:
    named = set(re.findall(r"\b(?:INTERLOCK|SLACK)_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    known = {*VARIABLES, *FILE_VARIABLES}

    assert {one for one in named if not one.startswith("INTERLOCK_SECRET_")} <= known


@pytest.mark.parametrize("name", [*VARIABLES, *FILE_VARIABLES])
def test_every_setting_is_documented(name: str) -> None:
    table = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert f"`{name}`" in table.partition("## Settings")[2].partition("\n## ")[0]

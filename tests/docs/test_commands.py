"""What the pages show in a console block runs and prints what they say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from tests.docs.pages import PAGES, ROOT, blocks, commands, is_as_shown, name_of, ran
from tests.docs.quick_program import quick_program

RUNNABLE = [page for page in PAGES if any(one.kind == "console" for one in blocks(page))]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_program(tmp_path_factory.mktemp("bin")) as folder:
        yield folder


def page_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_every_command_of_a_page_prints_what_the_page_shows(
    page: Path, tmp_path: Path, programs: Path
) -> None:
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).parent.mkdir(exist_ok=True)
            (tmp_path / block.file).write_text(block.text)
    shown = [one for block in blocks(page) if block.kind == "console" for one in commands(block)]
    printed = ran(shown, tmp_path, programs)
    wrong = [
        f"$ {one.command}\n{seen}\n— instead of —\n{one.printed}"
        for one, seen in zip(shown, printed, strict=True)
        if not is_as_shown(seen, one.printed)
    ]

    assert not wrong, "\n\n".join(wrong)


def test_the_readme_shows_the_help_as_it_is() -> None:
    shown = [
        command.command
        for block in blocks(ROOT / "README.md")
        if block.kind == "console"
        for command in commands(block)
    ]

    assert "interlock --help" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_is_documented(name: str) -> None:
    table = page_of("docs/operations.md").partition("## Commands")[2].partition("\n## ")[0]

    assert f"`interlock {name}" in table


@pytest.mark.parametrize("room", ["bot", "storage", "workflows"])
def test_no_message_names_a_subcommand_that_does_not_exist(room: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / room).rglob("*.py"))
    named = set(re.findall(r"`interlock ([a-z]+)", text))

    assert named
    assert named <= set(COMMANDS)


def test_a_page_that_shows_something_else_would_be_found() -> None:
    assert is_as_shown("3 file(s), 0 fault(s).\n", "… file(s), 0 fault(s).")
    assert not is_as_shown("3 file(s), 1 fault(s).\n", "… file(s), 0 fault(s).")

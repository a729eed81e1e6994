"""Reads the project's pages: their fenced blocks, their links, and what a console block shows.

A block ```` ```console ```` runs; each line with `$ ` is a command, which a backslash continues in
a line with `>`, and what follows is what it prints, `…` standing for anything. A block
```` ```yaml file=NAME ```` is a file beside them. Blocks of other kinds (`sh`, `text`, `json`) are
only read.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bot

ROOT = Path(bot.__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
MARK = "@@exit-code@@"
SECONDS = 120  # A busy machine takes its time to start ten commands.

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block. `file` is the name it has beside the commands, if it is a file."""

    kind: str
    file: str
    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command and what the page says it prints."""

    command: str
    printed: str


def name_of(page: Path) -> str:
    """Return how a test names the page."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            kind=found[1],
            file=next(iter(re.findall(r"file=(\S+)", found[2])), ""),
            text=found[3],
            line=text.count("\n", 0, found.start()) + 1,
        )
        for found in _BLOCK.finditer(text)
    ]


def links(page: Path) -> list[str]:
    """Return what a page links to, blocks aside."""
    return _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def commands(block: Block) -> Iterator[Shown]:
    """Yield the commands of a console block, each with what it is said to print."""
    for part in re.split(r"^\$ ", block.text.replace("\\\n>", ""), flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield Shown(command=command, printed=printed.rstrip("\n"))


def ran(shown: list[Shown], folder: Path, programs: Path) -> list[str]:
    """Run the commands in one shell in `folder`; return what each of them printed.

    `programs` is where `interlock` is found.
    """
    script = "".join(
        f"{one.command}\nlast=$?; printf '\\n{MARK}\\n'; (exit $last)\n" for one in shown
    )
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=folder,
        env=_environment(programs),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return [one.removeprefix("\n") for one in done.stdout.split(f"\n{MARK}\n")][: len(shown)]


def _environment(programs: Path) -> dict[str, str]:
    kept = {name: one for name, one in os.environ.items() if not _is_setting(name)}
    return {
        **kept,
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), kept["PATH"]]),
    }


def _is_setting(name: str) -> bool:
    return name.startswith(("INTERLOCK_", "SLACK_"))


def is_as_shown(printed: str, shown: str) -> bool:
    """Say whether `printed` is what a page shows, `…` standing for anything."""
    pattern = ".*".join(re.escape(one) for one in shown.split("…"))
    return re.fullmatch(pattern, printed.rstrip("\n"), re.DOTALL) is not None

"""The newcomer's path, walked in the tutorial's own words from nothing to a verified pack.

Blocks are taken in their order: `yaml` are files, `terminal` commands with what they print,
`slack` what people do and see in the pretend Slack, `sh` what goes on in another terminal.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import TypeVar

import pytest

from sandbox.errors import WaitTimeoutError
from sandbox.seed import seed
from sandbox.seen import SeenMessage
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from tests.docs.pages import ROOT, Block, blocks, commands, is_as_shown, ran
from tests.docs.quick_program import quick_program
from tests.forked import Forked

PAGE = ROOT / "docs/tutorial.md"
EARNEST = "## 11. In a real workspace"
PORT = "8199"
PATIENCE = 60.0
# How soon a busy machine answers is not judged here.
CALM = SandboxSettings(ack_seconds=PATIENCE, trigger_seconds=PATIENCE)
T = TypeVar("T")
LINE = re.compile(r"(\w+) (types|presses|submits|sees|is told): (.+)")


class Walk:
    """One newcomer's terminal, Slack and bot."""

    def __init__(self, folder: Path, slack: SandboxServer, stack: ExitStack) -> None:
        self.folder = folder
        self.slack = slack
        self._stack = stack
        self._programs = stack.enter_context(quick_program(folder / "bin"))
        self._exports: list[str] = []
        self._seen: set[tuple[str, str]] = set()

    @property
    def home(self) -> Path:
        """Return where the newcomer is: in the folder that the first commands make."""
        made = self.folder / "tutorial"
        return made if made.exists() else self.folder

    def takes(self, block: Block) -> None:
        """Do what one block says."""
        text = block.text.replace(PORT, self.slack.url.rpartition(":")[2])
        match block.kind:
            case "yaml":
                (self.home / block.file).write_text(text)
            case "terminal":
                self._types(text)
            case "slack":
                for line in text.splitlines():
                    self._acts(line)
            case "sh":
                self._elsewhere(text.strip())
            case other:
                raise AssertionError(f"nobody knows what to do with a block of {other}")

    def _types(self, text: str) -> None:
        shown = [*commands(Block(kind="terminal", file="", text=text, line=0))]
        before = [*commands(Block(kind="", file="", text="".join(self._exports), line=0))]
        printed = ran([*before, *shown], self.home, self._programs)[len(before) :]
        for one, seen in zip(shown, printed, strict=True):
            assert is_as_shown(seen, one.printed), f"$ {one.command}\n{seen}"
            if one.command.startswith("export "):
                self._exports.append(f"$ {one.command}\n")

    def _elsewhere(self, command: str) -> None:
        if command == "interlock serve":
            with chdir(self.home):
                bot = Forked(["serve"], env=self._environment())
            self._stack.callback(bot.wait)
            self._stack.callback(bot.kill)
            self.slack.wait_for_connection(1, timeout=PATIENCE)
        else:
            assert command == f"interlock sandbox --port {self.slack.url.rpartition(':')[2]}"

    def _environment(self) -> dict[str, str]:
        given = " ".join(self._exports).replace("$ export ", "").split()
        return {"PATH": os.environ["PATH"], **dict(one.split("=", 1) for one in given)}

    def _acts(self, line: str) -> None:
        found = LINE.fullmatch(line)
        assert found is not None, line
        name, does, what = found.groups()
        person = self.slack.workspace.person(name)
        if does == "types":
            assert person.command(what, channel="#ops").outcome == "acked"
        elif does == "presses":
            told = person.ephemerals
            message, label = self._waits(lambda one: _button(one, what), f"a button {what}", told)
            person.click(label, message=message)
        elif does == "submits":
            person.wait_for_view(what, timeout=PATIENCE)
            person.submit({})
        elif does == "sees":
            seen = self._waits(lambda one: self._news(one, what), what)
            self._seen.add((seen.ts, what))
        else:
            person.wait_for_ephemeral(what, timeout=PATIENCE)

    def _waits(
        self,
        look: Callable[[SeenMessage], T | None],
        what: str,
        also: Sequence[SeenMessage] = (),
    ) -> T:
        def newest() -> T | None:
            found = (look(one) for one in reversed([*self._messages(), *also]))
            return next((one for one in found if one is not None), None)

        try:
            seen = self.slack.workspace.wait_for(newest, timeout=PATIENCE, what=what)
        except WaitTimeoutError as late:
            there = "\n—\n".join(f"{one.words} {one.buttons}" for one in self._messages())
            raise AssertionError(f"nobody sees {what!r} among\n{there}") from late
        assert seen is not None
        return seen

    def _news(self, message: SeenMessage, words: str) -> SeenMessage | None:
        """Return the message if it has these words, and they were not waited for in it before."""
        return message if words in message.words and (message.ts, words) not in self._seen else None

    def _messages(self) -> list[SeenMessage]:
        workspace = self.slack.workspace
        roots = workspace.messages("#ops")
        return [*roots, *(one for root in roots for one in workspace.messages("#ops", thread=root))]


def _button(message: SeenMessage, label: str) -> tuple[SeenMessage, str] | None:
    found = next((one for one in message.buttons if one.startswith(label)), None)
    return None if found is None else (message, found)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    (tmp_path / "bin").mkdir()
    with SandboxServer(CALM) as slack, ExitStack() as stack:
        seed(slack.workspace)
        yield Walk(tmp_path, slack, stack)


@pytest.mark.slow
def test_a_newcomer_comes_from_nothing_to_a_pack_that_verifies(walk: Walk) -> None:
    last = PAGE.read_text().partition(EARNEST)[0].count("\n")
    for block in blocks(PAGE):
        if block.line < last:
            walk.takes(block)

    assert (walk.home / "pack" / "report.html").exists()

"""The modules of the page for browsers, which share one scope once they are joined."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.evidence.page import MODULES, SOURCE, browser_verifier

NODE = shutil.which("node")
DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|var|class|function\*?) +(\w+|\[[^]]*\]|\{[^}]*\})",
    re.MULTILINE,
)
IMPORTED = re.compile(r"^import \{([^}]*)\} from \"\./(\w+)\.js\";$", re.MULTILINE)
WORD = re.compile(r"\w+")


def declared(text: str) -> list[str]:
    """Return the names that a module declares outside of everything."""
    return [name for found in DECLARED.findall(text) for name in WORD.findall(found)]


def imported(text: str) -> Iterator[tuple[str, str]]:
    """Give each name that a module imports, after the module that has it."""
    for names, module in IMPORTED.findall(text):
        yield from ((module, name.strip()) for name in names.split(","))


def text_of(module: str) -> str:
    return (SOURCE / f"{module}.js").read_text("utf-8")


def joined() -> str:
    """Return the one script of the page."""
    [script] = re.findall(rb"<script type=\"module\">(.*)</script>", browser_verifier(), re.DOTALL)
    return str(script, "utf-8")


def fault(script: str, folder: Path) -> str:
    """Return what is wrong with a script as a module, "" if it can be run."""
    if NODE is None:
        pytest.skip("there is no node here; whether the page parses is left to the browser tests")
    file = folder / "page.mjs"
    file.write_text(script, "utf-8")
    return subprocess.run(
        [NODE, "--check", file], capture_output=True, text=True, check=False, timeout=60
    ).stderr


def test_every_module_is_joined_once() -> None:
    assert sorted(MODULES) == sorted(one.stem for one in SOURCE.glob("*.js"))


def test_no_name_is_declared_twice_in_the_one_scope() -> None:
    names = Counter(declared(joined()))

    assert [name for name, times in names.items() if times > 1] == []
    assert {"sha256", "OBJECT", "TooDeep", "judgeAnchors"} <= set(names)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_finds_what_it_imports_in_one_that_stands_before_it(module: str) -> None:
    text = text_of(module)
    before = MODULES[: MODULES.index(module)]

    for other, name in imported(text):
        assert other in before
        assert name in declared(text_of(other))
    assert text.count("import {") == len(IMPORTED.findall(text))


def test_the_joined_page_parses(tmp_path: Path) -> None:
    assert fault(joined(), tmp_path) == ""


@pytest.mark.parametrize("line", ["const sha256 = 1;", "function sha256() {}", "const = 1;"])
def test_a_page_that_does_not_parse_is_noticed(line: str, tmp_path: Path) -> None:
    assert "SyntaxError" in fault(f"{joined()}\n{line}\n", tmp_path)

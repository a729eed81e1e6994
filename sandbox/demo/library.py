"""The library of workflows in the demo: what they touch, their files, and their rules.

Their policy is put beside the demo's, section by section, so both stay files that can be read.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.demo.errors import DemoError
from sandbox.demo.stage import Stage
from sandbox.targets import ledger
from sandbox.targets.registry import RegistryServer

FOLDER = "library"
POLICY = "policy.yaml"
REGISTRY, LEDGER, PYTHON = (
    "http://127.0.0.1:8402",
    "/srv/interlock-demo/ledger",
    "/usr/bin/python3",
)
SHARED = ("rules", "services", "databases", "programs")
# The end of the demo's rule about all for which there is no rule; the library has its own.
OTHERS = ' && workflow != "roll-back-release"\n'

_SECTION = re.compile(r"^(\w+):[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What the library's workflows touch."""

    registry: RegistryServer
    ledger: Path


@contextmanager
def furnished(stage: Stage, shipped: Path) -> Iterator[Library]:
    """Add the library to a stage whose bot has not started, until the end of a `with`.

    Raises:
        DemoError: a shipped file is not as the demo expects it.
    """
    targets, folder = stage.home / "targets", shipped / FOLDER
    here = ledger.seed(targets)
    with RegistryServer(targets) as registry:
        for file in sorted(folder.glob("*.yaml")):
            if file.name != POLICY:
                shutil.copyfile(file, stage.workflows / file.name)
        text = (folder / POLICY).read_text()
        places = {
            REGISTRY: registry.url,
            LEDGER: str(here.resolve()),
            PYTHON: ledger.program(),
        }
        for placeholder, real in places.items():
            if placeholder not in text:
                raise DemoError(f"{POLICY} no longer holds {placeholder}, which is replaced.")
            text = text.replace(placeholder, real)
        names = [file.stem for file in sorted(folder.glob("*.yaml")) if file.name != POLICY]
        stage.policy.write_text(together(stage.policy.read_text(), text, names))
        yield Library(registry=registry, ledger=here)


def together(policy: str, more: str, names: Sequence[str]) -> str:
    """Return `policy` with what `more` has in the sections that they share.

    `names` are the workflows that `more` has rules for, so that the other's rule about all the
    rest leaves them out.

    Raises:
        DemoError: the policy has no such rule any more.
    """
    if OTHERS not in policy:
        raise DemoError("The demo's policy no longer has a rule about all the rest.")
    without = "".join(f' && workflow != "{name}"' for name in names)
    policy = policy.replace(OTHERS, f"{OTHERS.rstrip()}{without}\n")
    added = _sections(more)
    return _SECTION.sub(lambda one: one[0] + (added[one[1]] if one[1] in SHARED else ""), policy)


def _sections(text: str) -> dict[str, str]:
    """Return what stands below each name at the margin."""
    heads = list(_SECTION.finditer(text))
    ends = [*(one.start() for one in heads[1:]), len(text)]
    return {one[1]: text[one.end() : end] for one, end in zip(heads, ends, strict=True)}

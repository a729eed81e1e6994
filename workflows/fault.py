"""What is wrong with a file, where, and what would be right.

Values only: `yaml_document` makes them from YAML and its shape, `check` from its meaning,
and the command line prints them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

MOST = 100  # Of one file: whoever put these right sees the others.

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a file. A warning does not stop the file from being used."""

    file: str
    line: int
    column: int
    path: str
    what: str
    right: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.is_warning else ""
        advice = f", {self.right}" if self.right else ""
        where = f"{self.path}: " if self.path else ""
        what = self.what.removesuffix(".") if advice else self.what
        return f"{self.file}:{self.line}:{self.column}: {kind}{where}{what}{advice}"


def most_of(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return the faults of one file, of too many the first and how many more there are."""
    if len(faults) <= MOST:
        return tuple(faults)
    what, right = f"has {len(faults) - MOST} more faults", "put those above right first"
    last = replace(faults[MOST], path="", what=what, right=right, is_warning=False)
    return (*faults[:MOST], last)


def written(path: Place) -> str:
    """Return a path as people write it: `steps[1].with.json`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be, if there is one."""
    import difflib  # noqa: PLC0415 - only where something is misspelt.

    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the advice for a name that nothing is called: the nearest one, or all of them."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"known here: {', '.join(names)}" if names else "nothing is known here"

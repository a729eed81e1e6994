"""Finds lists of lines that are nearly others, without comparing each with all of them.

Two lists that share most of their lines share one of their rarest few as well, so only lists
that do are compared line by line: a folder of a thousand files takes a second, not an hour.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Line: TypeAlias = tuple[str, int]  # A line, and which of those that read so it is.


def first_alike(lists: Sequence[Sequence[str]], *, share: float) -> list[int | None]:
    """Return for each list the first earlier one of which it shares so many lines in order."""
    numbered = [_numbered(one) for one in lists]
    spread = Counter(line for lines in numbered for line in lines)
    among: dict[Line, list[int]] = {}
    found: list[int | None] = []
    for index, lines in enumerate(numbered):
        rarest = sorted(lines, key=lambda one: (spread[one], one))[: _enough(len(lines), share)]
        near = sorted({one for line in rarest for one in among.get(line, ())})
        alike = (one for one in near if are_alike(lists[one], lists[index], share=share))
        found.append(next(alike, None))
        for line in rarest:
            among.setdefault(line, []).append(index)
    return found


def are_alike(one: Sequence[str], other: Sequence[str], *, share: float) -> bool:
    """Say whether two lists share so many of their lines, in the same order."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - most have nothing near them.

    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() >= share
        and matcher.quick_ratio() >= share
        and matcher.ratio() >= share
    )


def _numbered(lines: Sequence[str]) -> list[Line]:
    seen: Counter[str] = Counter()
    found: list[Line] = []
    for line in lines:
        seen[line] += 1
        found.append((line, seen[line]))
    return found


def _enough(length: int, share: float) -> int:
    """Return of how many of its rarest lines a list has to share one with any list alike.

    Alike are two of lengths m and n that share at least share x (m + n) / 2 lines, and n is no
    less than what they share: so they share at least share x m / (2 - share).
    """
    shared = share * length / (2 - share)
    return (
        length - math.ceil(shared - 1e-9) + 1
    )  # Fractions are not exact, and one more is none too few.

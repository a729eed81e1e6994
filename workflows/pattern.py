"""Regular expressions over what people type, in RE2, which CEL brings along.

RE2 takes time in proportion to the text. Python's own engine can be made to run for ever by
an innocent pattern and a long answer, and would hold up every other thread meanwhile.
"""

import importlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflows.cel_library import cel


def matches(text: str, pattern: str) -> bool:
    """Say whether `pattern` matches the whole of `text`.

    Raises:
        ValueError: it is no regular expression; look-ahead and back references are none to RE2.
    """
    found = _program().eval(data={"text": text, "pattern": f"^(?:{pattern})$"})
    if found.type() != cel().Type.BOOL:
        why = str(found.plain_value()).partition("regular expression: ")[2]
        raise ValueError(f"is no regular expression: {why or 'it is too large'}")
    return bool(found.plain_value())


def widths(pattern: str) -> tuple[int, int] | None:
    """Return how short and how long a text is that can match; None where nobody can say."""
    try:
        least, most = _PARSER.parse(pattern).getwidth()
    except (re.error, OverflowError, RecursionError):  # Words of RE2 that Python does not know.
        return None
    return int(least), int(most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a pattern is to RE2 at most: how many signs, and nanoseconds until it is put together.

    In the worst case each character of a text is held against each sign.
    """

    signs: int
    work: int


def effort_of(pattern: str | None, *, longest: int) -> Effort:
    """Return what `pattern` is to RE2; None for any pattern that is at most so long."""
    if pattern is None or r"\Q" in pattern:  # Within \Q and \E no sign means what it says.
        signs = longest * _MOST_REPEATED
        return Effort(signs=signs, work=min(signs * _CLASS, _MOST_BUILT) + longest * _CLASS_READ)
    groups = 1
    for count in re.findall(r"\)\{(?:\d+,)?(\d+)", pattern):
        groups = min(groups * max(1, int(count)), _MOST_REPEATED)
    ignores_case = re.search(r"\(\?[a-zA-Z]*i", pattern) is not None
    found = [(one["sign"], int(one["most"] or 1) * groups) for one in _SIGNS.finditer(pattern)]
    work = sum(times * _built(sign, ignores_case=ignores_case) for sign, times in found)
    return Effort(signs=sum(times for _, times in found), work=min(work, _MOST_BUILT))


def _built(sign: str, *, ignores_case: bool) -> int:
    classes = len(re.findall(r"\\[pP]", sign))
    if classes:
        return classes * _CLASS
    is_wide = sign == "." or sign.startswith("[^") or not sign.isascii()
    if is_wide or ":^" in sign or re.search(r"\\[DSWx]", sign):
        return _WIDE * 4 if ignores_case else _WIDE
    return _PLAIN


# What it takes to put one sign together, measured: 0.5 to 2 µs for a letter, 3 to 7 for what
# stands for most of Unicode, 17 where case counts for nothing, 1 ms for a class such as \pL.
_PLAIN, _WIDE, _CLASS, _CLASS_READ = 2_000, 6_000, 1_000_000, 40_000
_MOST_REPEATED = 1_000  # RE2 repeats nothing more often,
_MOST_BUILT = 300_000_000  # and gives up what becomes too large.
_SIGNS = re.compile(
    r"(?P<sign>\\[pPx](?:\{[^}]*\}|.)|\\.|\[\^?\]?(?:\\.|\[:[^:]*:\]|[^\]\\])*\]|.)"
    r"(?:\{(?:\d+,)?(?P<most>\d+),?\})?",
    re.DOTALL,
)

# Only this part of Python's own engine says so, and it is harmless: nothing is matched.
_PARSER: Any = importlib.import_module("re._parser")


@lru_cache(maxsize=1)
def _program() -> Any:  # noqa: ANN401 - the library is untyped.
    text = cel().Type.STRING
    environment = cel().NewEnv(variables={"text": text, "pattern": text})
    return environment.compile("text.matches(pattern)")

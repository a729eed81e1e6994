"""Regular expressions over what people type, in RE2, which CEL brings along.

RE2 takes time in proportion to the text. Python's own engine can be made to run for ever by
an innocent pattern and a long answer, and would hold up every other thread meanwhile.
"""

import importlib
import re
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


# Only this part of Python's own engine says so, and it is harmless: nothing is matched.
_PARSER: Any = importlib.import_module("re._parser")


@lru_cache(maxsize=1)
def _program() -> Any:  # noqa: ANN401 - the library is untyped.
    text = cel().Type.STRING
    environment = cel().NewEnv(variables={"text": text, "pattern": text})
    return environment.compile("text.matches(pattern)")

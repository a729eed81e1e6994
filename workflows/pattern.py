"""Regular expressions over what people type, in RE2, which CEL brings along.

RE2 takes time in proportion to the text. Python's own engine can be made to run for ever by
an innocent pattern and a long answer, and would hold up every other thread meanwhile.
"""

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


@lru_cache(maxsize=1)
def _program() -> Any:  # noqa: ANN401 - the library is untyped.
    text = cel().Type.STRING
    environment = cel().NewEnv(variables={"text": text, "pattern": text})
    return environment.compile("text.matches(pattern)")

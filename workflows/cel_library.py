"""The library behind expressions and patterns, loaded by whoever needs it first.

It takes 8 MB of a process, and a bot that only waits evaluates nothing.
"""

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def cel() -> Any:  # noqa: ANN401 - the library is untyped.
    """Return the CEL library."""
    from cel_expr_python import cel as library  # type: ignore[import-untyped]  # noqa: PLC0415

    return library

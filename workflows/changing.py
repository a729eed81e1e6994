"""Changes frozen values as `dataclasses.replace` does, in less than half of its time.

It is for what is changed with every entry of a run: dataclasses with slots, whose fields need
nothing of an `__init__`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

T = TypeVar("T")
Put = Callable[[object, object], None]


def changed(value: T, **news: Any) -> T:  # noqa: ANN401 - as in dataclasses.
    """Return `value` with other values in the fields that `news` names.

    Raises:
        TypeError: it has no field of such a name.
    """
    kind = type(value)
    puts = _puts(cast("type", kind))
    if not news.keys() <= puts.keys():
        raise TypeError(f"{kind.__name__} has not all of the fields {sorted(news)}.")
    one = object.__new__(kind)
    for name, put in puts.items():
        put(one, news[name] if name in news else getattr(value, name))
    return one


@lru_cache(maxsize=16)
def _puts(kind: type) -> dict[str, Put]:
    """Return what fills each slot; a frozen value cannot refuse it."""
    return {name: getattr(kind, name).__set__ for name in kind.__slots__}  # type: ignore[attr-defined]

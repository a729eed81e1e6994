"""How a list is written: as a list, as JSON, one item a line, or with commas between.

A form sends lines, a command line commas, a program a list. Which items fit is for
`input_values`.
"""

import json
from collections.abc import Sequence


def items_in(given: object) -> Sequence[object]:
    """Return the items of a list, however it is written; blank ones are left out of a text.

    Raises:
        ValueError: it is no list.
    """
    if isinstance(given, list | tuple):
        return given
    if not isinstance(given, str):
        raise ValueError("must be a list, such as a,b,c")  # noqa: TRY004 - one kind of refusal for every field.
    if given.lstrip().startswith("["):
        return _from_json(given)
    parts = given.splitlines() if "\n" in given else given.split(",")
    return [one.strip() for one in parts if one.strip()]


def _from_json(text: str) -> list[object]:
    try:
        found: list[object] = json.loads(text)  # What begins so is a list, or no JSON.
    except (ValueError, RecursionError):
        hint = 'begins with [ and so has to be JSON, such as ["a, b", "c"]'
        raise ValueError(hint) from None
    return found

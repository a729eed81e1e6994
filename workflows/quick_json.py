"""JSON as we write and read it ourselves: sorted, without spaces, by orjson.

What others send is read where it comes in, by rules of its own.
"""

from typing import Any

import orjson

_AS_JSON_HAS_THEM = (
    orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)


def dumped(value: object) -> bytes | None:
    """Return `value` as JSON, its members in the order of their code points.

    None where that is not done quickly: half a character, 255 levels, keys that are no plain
    `str`, what is no JSON. NaN and infinities become `null`: whoever may have some looks for
    them.
    """
    try:
        return orjson.dumps(value, option=_AS_JSON_HAS_THEM)
    except orjson.JSONEncodeError:
        return None


def loaded(text: str | bytes) -> Any:  # noqa: ANN401  any JSON value
    """Return the value of JSON that we wrote.

    Raises:
        ValueError: it is none.
    """
    return orjson.loads(text)

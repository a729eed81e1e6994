"""Reads the JSON that programs send, strictly: what could be read in two ways is refused."""

import json
import math
from typing import Any, NoReturn

from workflows.entry import Json
from workflows.errors import InterlockError

DEEPEST = 32


class BodyError(InterlockError):
    """A request's body is not the JSON object that is asked for."""


def read_object(body: bytes) -> dict[str, Json]:
    """Return the JSON object that `body` writes in UTF-8.

    Raises:
        BodyError: it writes none, holds what no text can, or is nested too deeply.
    """
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_named_once,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
        json.dumps(found, ensure_ascii=False).encode()  # Half a character cannot be written.
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise BodyError(f"The body is no JSON: {error}.", hint="Send one JSON object.") from None
    if not isinstance(found, dict):
        raise BodyError("The body is no JSON object.", hint="Send one JSON object.")
    _refuse_depth(found, DEEPEST)
    return found


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _whole(text: str) -> int:
    if len(text) > 19:  # noqa: PLR2004 - no 64-bit number is longer.
        raise ValueError("a whole number is too long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_depth(value: Json, left: int) -> None:
    if left == 0:
        raise _too_deep()
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        _refuse_depth(one, left - 1)


def _too_deep() -> BodyError:
    return BodyError(
        f"The body is nested deeper than {DEEPEST} levels.", hint="Send it less deeply nested."
    )

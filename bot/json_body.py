"""Reads the JSON that programs send, strictly: what could be read in two ways is refused."""

import json
import math
from typing import Any, NoReturn

from workflows.entry import Json
from workflows.errors import InterlockError

DEEPEST = 32
_AS_TEXT = "Send a smaller number, or a text if the input takes one."


class BodyError(InterlockError):
    """A request's body is not the JSON object that is asked for."""


def read_object(body: bytes) -> dict[str, Json]:
    """Return the JSON object that `body` writes in UTF-8.

    Raises:
        BodyError: it writes none, holds what no text can, or is nested too deeply.
    """
    text = _text(body)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_named_once,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise _too_deep() from None
    except UnicodeEncodeError:
        raise BodyError(
            "The body holds half a character.", hint="Send both halves of a \\u pair."
        ) from None
    except ValueError as error:
        raise BodyError(f"The body is no JSON: {error}.", hint="Send one JSON object.") from None
    if not isinstance(found, dict):
        raise BodyError("The body is no JSON object.", hint="Send one JSON object.")
    _refuse_depth(found, DEEPEST)
    return found


def _text(body: bytes) -> str:
    if not body:
        raise BodyError("The body is empty.", hint="Send one JSON object.")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BodyError("The body is no UTF-8.", hint="Send one JSON object in UTF-8.") from None
    if text.startswith("\ufeff"):
        raise BodyError("The body begins with a byte order mark.", hint="Send it without.")
    return text


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyError(
            "A name stands twice in one object of the body.", hint="Send each name once."
        )
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _whole(text: str) -> int:
    if len(text) > 19:  # noqa: PLR2004 - no 64-bit number is longer.
        raise BodyError("A whole number in the body is too long.", hint=_AS_TEXT)
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BodyError("A number in the body is too large.", hint=_AS_TEXT)
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

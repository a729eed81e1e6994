"""Takes held secrets out of JSON, so that what is left is JSON still.

A secret of digits may stand there as a number, or inside of one. Taken out of the text it would
leave a hole that nothing reads.
"""

import json
from collections.abc import Callable

from workflows.binding import json_bytes
from workflows.entry import Json
from workflows.quick_json import loaded
from workflows.redaction import MARK

Redact = Callable[[str], str]


def redacted_json(value: Json, redact: Redact) -> str:
    """Return `value` as JSON without secrets; a number in which one stands becomes the mark.

    Raises:
        ValueError: a number that RFC 8785 cannot write.
    """
    text = json_bytes(value).decode()
    if redact(text) == text:
        return text
    text = json_bytes(_without(value, redact)).decode()
    # A secret that is JSON itself stands across several values.
    told = redact(text)
    return told if told == text or _is_json(told) else json.dumps(MARK)


def _without(value: Json, redact: Redact) -> Json:
    match value:
        case str():
            return redact(value)
        case list():
            return [_without(one, redact) for one in value]
        case dict():
            return {redact(name): _without(one, redact) for name, one in value.items()}
        case None | bool():
            return value
    text = json_bytes(value).decode()
    return value if redact(text) == text else MARK


def _is_json(text: str) -> bool:
    try:
        loaded(text)
    except ValueError:
        return False
    return True

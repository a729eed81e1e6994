"""How an answer of a service is read: its status, its limits, and what is kept of it."""

import json
from collections.abc import Iterable
from typing import NoReturn

from pydantic import Field, JsonValue

from workflows.actions.base import Model
from workflows.errors import ActionFailedError, InDoubtError, TransientReadError

KEPT_HEADERS = frozenset(
    {"content-type", "etag", "last-modified", "location", "retry-after", "x-request-id"}
)
PASSING = frozenset({408, 425, 429})
NOT_MOVED = frozenset({307, 308})
LARGEST_INTEGER = 2**53 - 1
SHOWN = 200


class HttpAnswer(Model):
    """What `http.request` gives: `body` is JSON where the service says so, else text.

    `is_cut` marks an answer to an effect that was too long: `body` is then the beginning,
    as text. Whole numbers beyond 2^53 arrive as text, because the trail cannot hold them.
    """

    status: int
    body: JsonValue = None
    headers: dict[str, str] = Field(default_factory=dict)
    is_cut: bool = False


class UnreadableError(Exception):
    """The answer is not what it says it is."""


def read_within(chunks: Iterable[bytes], limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes, and whether there were more."""
    raw = bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > limit:
            return bytes(raw[:limit]), True
    return bytes(raw), False


def kept(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers worth keeping, by lower-case name."""
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return {name: value for name, value in named if name in KEPT_HEADERS}


def answer_to_read(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    content: tuple[bytes, bool],
    *,
    accept: Iterable[int] = (),
) -> HttpAnswer:
    """Return the answer to a read.

    Raises:
        TransientReadError: the service is in trouble, or the answer cannot be read.
        ActionFailedError: the service refuses, or the answer is too long.
    """
    raw, is_cut = content
    chosen = kept(headers)
    if status >= 500 or status in PASSING:  # noqa: PLR2004  statuses are their own names
        raise TransientReadError(f"The service answered {status}.", error_class=f"http_{status}")
    if not _is_answer(status, accept):
        raise ActionFailedError(_refusal(status, raw), error_class=f"http_{status}")
    if is_cut:
        raise ActionFailedError(
            f"The answer is longer than {len(raw)} bytes.",
            error_class="too_large",
            hint="Ask for less, for example by page.",
        )
    try:
        return HttpAnswer(status=status, body=_body(raw, chosen), headers=chosen)
    except UnreadableError as fault:
        raise TransientReadError(str(fault), error_class="garbage") from fault


def answer_to_effect(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    content: tuple[bytes, bool],
    *,
    accept: Iterable[int] = (),
) -> HttpAnswer:
    """Return the answer to an effect; one that cannot be read in full is kept as text.

    Raises:
        ActionFailedError: the service refused, nothing was done.
        InDoubtError: the status does not say whether it was done.
    """
    raw, is_cut = content
    chosen = kept(headers)
    if not _is_answer(status, accept):
        _fail_effect(status, raw)
    try:
        body = _text(raw) if is_cut else _body(raw, chosen)
    except UnreadableError:
        body = _text(raw)
    return HttpAnswer(status=status, body=body, headers=chosen, is_cut=is_cut)


def _is_answer(status: int, accept: Iterable[int]) -> bool:
    return 200 <= status < 300 or status in set(accept)  # noqa: PLR2004  statuses name themselves


def _fail_effect(status: int, raw: bytes) -> NoReturn:
    # 307 and 308 ask for the same request elsewhere, so nothing was done; other redirects
    # may well follow something that was.
    if 400 <= status < 500 or status in NOT_MOVED:  # noqa: PLR2004  statuses name themselves
        raise ActionFailedError(_refusal(status, raw), error_class=f"http_{status}")
    raise InDoubtError(
        f"The service answered {status}, which does not say whether it was done.",
        error_class="reply_lost",
    )


def _refusal(status: int, raw: bytes) -> str:
    said = " ".join(_text(raw[: 4 * SHOWN]).split())[:SHOWN]
    return f"The service answered {status}: {said}" if said else f"The service answered {status}."


def _body(raw: bytes, headers: dict[str, str]) -> JsonValue:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return _json(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError as fault:
        raise UnreadableError("The answer is not text.") from fault


def _json(raw: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(raw, parse_int=_integer, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as fault:  # Broken UTF-8 is a ValueError too.
        raise UnreadableError("The answer says it is JSON and is not.") from fault
    return value


def _integer(digits: str) -> int | str:
    number = int(digits)  # Python refuses thousands of digits here, with a ValueError.
    return number if abs(number) <= LARGEST_INTEGER else digits


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")

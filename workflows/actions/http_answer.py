"""How an answer of a service is read: its status, its limits, and what is kept of it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from pydantic import Field, JsonValue

from workflows.actions.base import MARGIN, Model
from workflows.actions.depth import refuse_depth
from workflows.actions.kept_text import kept_text
from workflows.errors import ActionFailedError, InDoubtError, TransientReadError

KEPT_HEADERS = frozenset(
    {"content-type", "etag", "last-modified", "location", "retry-after", "x-request-id"}
)
PASSING = frozenset({408, 425, 429})
NOT_MOVED = frozenset({307, 308})
LARGEST_INTEGER = 2**53 - 1
SHOWN = 200

Redact: TypeAlias = Callable[[str], str]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of an answer, somewhat more than `limit` of them if there are that many."""

    raw: bytes
    limit: int
    redact: Redact

    @property
    def is_cut(self) -> bool:
        """Whether it is longer than what is kept."""
        return len(self.raw) > self.limit

    @property
    def text(self) -> str:
        """Return it as text without secrets, cut to the limit after that."""
        return kept_text(self.raw, self.limit, self.redact)

    @property
    def line(self) -> str:
        """Return the beginning of it on one line."""
        return " ".join(self.text.split())[:SHOWN]


def read_within(chunks: Iterable[bytes], limit: int, redact: Redact) -> Content:
    """Return the answer as far as it is looked at."""
    raw = bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > limit + MARGIN:
            break
    return Content(raw=bytes(raw[: limit + MARGIN]), limit=limit, redact=redact)


def kept(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers worth keeping, by lower-case name."""
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return {name: value for name, value in named if name in KEPT_HEADERS}


def answer_to_read(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    content: Content,
    *,
    accept: Iterable[int] = (),
) -> HttpAnswer:
    """Return the answer to a read.

    Raises:
        TransientReadError: the service is in trouble, or the answer cannot be read.
        ActionFailedError: the service refuses, or the answer is too long.
    """
    chosen = kept(headers)
    if status >= 500 or status in PASSING:  # noqa: PLR2004  statuses are their own names
        raise TransientReadError(f"The service answered {status}.", error_class=f"http_{status}")
    if not _is_answer(status, accept):
        raise ActionFailedError(_refusal(status, content), error_class=f"http_{status}")
    if content.is_cut:
        raise ActionFailedError(
            f"The answer is longer than {content.limit} bytes.",
            error_class="too_large",
            hint="Ask for less, for example by page.",
        )
    try:
        return HttpAnswer(status=status, body=_body(content.raw, chosen), headers=chosen)
    except UnreadableError as fault:
        raise TransientReadError(str(fault), error_class="garbage") from fault


def answer_to_effect(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    content: Content,
    *,
    accept: Iterable[int] = (),
) -> HttpAnswer:
    """Return the answer to an effect; one that cannot be read in full is kept as text.

    Raises:
        ActionFailedError: the service refused, nothing was done.
        InDoubtError: the status does not say whether it was done.
    """
    chosen = kept(headers)
    if not _is_answer(status, accept):
        _fail_effect(status, content)
    try:
        body = content.text if content.is_cut else _body(content.raw, chosen)
    except UnreadableError:
        body = content.text
    return HttpAnswer(status=status, body=body, headers=chosen, is_cut=content.is_cut)


def _is_answer(status: int, accept: Iterable[int]) -> bool:
    return 200 <= status < 300 or status in set(accept)  # noqa: PLR2004  statuses name themselves


def _fail_effect(status: int, content: Content) -> NoReturn:
    # 307 and 308 ask for the same request elsewhere, so nothing was done; other redirects
    # may well follow something that was.
    if 400 <= status < 500 or status in NOT_MOVED:  # noqa: PLR2004  statuses name themselves
        raise ActionFailedError(_refusal(status, content), error_class=f"http_{status}")
    raise InDoubtError(
        f"The service answered {status}, which does not say whether it was done.",
        error_class=f"http_{status}",
    )


def _refusal(status: int, content: Content) -> str:
    said = f": {content.line}" if content.line else "."
    return f"The service answered {status}{said}"


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
        refuse_depth(value)
    except (ValueError, RecursionError) as fault:  # Broken UTF-8 is a ValueError too.
        raise UnreadableError("The answer says it is JSON and is not.") from fault
    return value


def _integer(digits: str) -> int | str:
    number = int(digits)  # Python refuses thousands of digits here, with a ValueError.
    return number if abs(number) <= LARGEST_INTEGER else digits


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)

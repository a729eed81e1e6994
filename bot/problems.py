"""Refusals as answers over HTTP: `application/problem+json` (RFC 9457), with our own hint.

`detail` says what happened, `hint` what to do, `kind` is for programs. Anything that is no
refusal is a defect: it is logged by whoever caught it, and the answer says nothing of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from bot.json_body import BodyError
from bot.webhook_signature import SignatureError
from workflows.entry import Json
from workflows.errors import (
    ExpressionError,
    InputsError,
    InputsUnreadableError,
    InterlockError,
    KeyReusedError,
    NotAllowedError,
    PeopleUnreadableError,
    RequestClosedError,
    SecretError,
    StorageError,
    UnknownRunError,
    UnknownWorkflowError,
)

PROBLEM = "application/problem+json"
SOON = {"Retry-After": "5"}
# Python 3.13 calls these as RFC 9110 does, earlier ones as RFC 7231 did. A program is told the
# same by each: the title of RFC 9110, and the kind that it knows.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_KINDS = {413: "request-entity-too-large", 422: "unprocessable-entity"}

_STATUS: tuple[tuple[type[InterlockError], HTTPStatus], ...] = (
    (BodyError, HTTPStatus.BAD_REQUEST),
    (SignatureError, HTTPStatus.UNAUTHORIZED),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (UnknownWorkflowError, HTTPStatus.NOT_FOUND),
    (UnknownRunError, HTTPStatus.NOT_FOUND),
    (KeyReusedError, HTTPStatus.CONFLICT),
    (RequestClosedError, HTTPStatus.CONFLICT),
    (InputsUnreadableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (InputsError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ExpressionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SecretError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PeopleUnreadableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageError, HTTPStatus.SERVICE_UNAVAILABLE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a program is told: a status, JSON, and further headers."""

    status: int
    data: Mapping[str, Json]
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


class DoorError(InterlockError):
    """A request that is refused for its form, before anything is asked of the bot."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = headers or {}


class FieldsError(InterlockError):
    """Fields of a request that do not fit, beside those of the workflow's own inputs."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Some fields do not fit.", hint="Correct them, then send it again.")
        self.fields = dict(fields)


def problem_of(error: InterlockError) -> Answer:
    """Return a refusal as an answer."""
    status = status_of(error)
    more: dict[str, Json] = {}
    if isinstance(error, InputsError):
        more["errors"] = [_fault(f"/inputs/{name}", why) for name, why in error.fields.items()]
    if isinstance(error, FieldsError):
        more["errors"] = [_fault(f"/{name}", why) for name, why in error.fields.items()]
    if isinstance(error, KeyReusedError) and error.run:
        more["run"] = error.run
    return problem(
        status,
        kind=_kind(error),
        detail=error.message,
        hint=error.hint,
        headers=_headers(error, status),
        more=more,
    )


def problem(
    status: HTTPStatus,
    *,
    kind: str,
    detail: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Json] | None = None,
) -> Answer:
    """Return a problem document. Its type is the status itself; `kind` says more."""
    data: dict[str, Json] = {
        "type": "about:blank",
        "title": _TITLES.get(status, status.phrase),
        "status": status.value,
        "detail": detail,
        "kind": kind,
        **({"hint": hint} if hint else {}),
        **(more or {}),
    }
    return Answer(status=status, data=data, headers=headers or {}, media_type=PROBLEM)


def status_of(error: InterlockError) -> HTTPStatus:
    """Return the status that says what sort of refusal it is."""
    if isinstance(error, DoorError):
        return error.status
    if isinstance(error, FieldsError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    found = (status for kind, status in _STATUS if isinstance(error, kind))
    return next(found, HTTPStatus.UNPROCESSABLE_ENTITY)


def kind_of(status: HTTPStatus) -> str:
    """Return the name for programs of a refusal that its status alone tells from others."""
    return _KINDS.get(status, status.name.lower().replace("_", "-"))


def _fault(pointer: str, why: str) -> Json:
    return {"pointer": f"#{pointer}", "detail": why}


def _headers(error: InterlockError, status: HTTPStatus) -> Mapping[str, str]:
    if isinstance(error, DoorError):
        return error.headers
    return SOON if status is HTTPStatus.SERVICE_UNAVAILABLE else {}


def _kind(error: InterlockError) -> str:
    """Return the name of a refusal for programs: `KeyReusedError` is `key-reused`."""
    if isinstance(error, DoorError):
        return kind_of(error.status)
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()

"""`http.request`: one request to a named service.

The definition names the service, the method and the path; where that is and which secret
goes along stands in `policy.yaml` (`workflows/services`). How the request is written is for
`http_request`, what happens on the wire for `http_exchange`.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, field_validator

from workflows.actions.base import Action, Busy, Call, Effect, Happened, Model, Plan
from workflows.actions.calls import needed_by, settled_effect
from workflows.actions.http_answer import HttpAnswer
from workflows.actions.valve import Valve
from workflows.entry import Json
from workflows.errors import ActionError, ActionFailedError
from workflows.services import HeaderName, Service, Services

READS = frozenset({"GET", "HEAD"})
OUR_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te"}
)
DOTS = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)
HIDDEN_SLASH = re.compile(r"%2f|%5c|\\", re.IGNORECASE)
NOT_IN_A_PATH = re.compile(r"//|[?#\s\x00-\x1f\x7f]")

Scalar = str | int | float | bool
Header = Annotated[str, StringConstraints(pattern=r"^[\t\x20-\x7e]*$", max_length=4096)]


class HttpCall(Model):
    """What `http.request` takes.

    `accept` lists statuses from 400 to 499 that are an answer here and not a failure, such
    as a 409 that says "done already".
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    service: str
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    body: JsonValue = Field(default=None, alias="json")
    headers: dict[HeaderName, Header] = Field(default_factory=dict)
    accept: tuple[Annotated[int, Field(ge=400, le=499)], ...] = ()

    @field_validator("path")
    @classmethod
    def _stays_below_its_base(cls, path: str) -> str:
        if not path.startswith("/") or NOT_IN_A_PATH.search(path):
            raise ValueError("a path starts with one / and holds no space, ? or #; see query")
        if DOTS.search(path) or HIDDEN_SLASH.search(path):
            raise ValueError("a path holds no . or .. by itself and no hidden slash")
        return path

    @field_validator("headers")
    @classmethod
    def _leaves_ours_alone(cls, headers: dict[str, str]) -> dict[str, str]:
        if ours := sorted(name for name in headers if name.lower() in OUR_HEADERS):
            raise ValueError(f"{', '.join(ours)} cannot be set here")
        return headers


class HttpRequest(Action[HttpCall, HttpAnswer]):
    """Sends one request to a named service and returns its answer."""

    name = "http.request"
    effect = Effect.READ
    takes = HttpCall
    gives = HttpAnswer
    plans_alone = True

    def __init__(self, services: Services) -> None:
        self._services = services.services
        self._valves = {
            name: Valve(name, one.rate, one.breaker) for name, one in self._services.items()
        }

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        """Return read for GET and HEAD, write for anything else."""
        return Effect.READ if arguments.get("method", "GET") in READS else Effect.WRITE

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        """Return the secret of the named service; of an expression, that of every service."""
        return needed_by(arguments.get("service"), self._services, lambda one: one.needs)

    def admit(self, arguments: HttpCall) -> None:
        self._service(arguments)

    def describe(self, arguments: HttpCall) -> str:
        return f"{arguments.method} {arguments.service} {arguments.path}"

    def plan(self, arguments: HttpCall, call: Call) -> Plan:
        del call
        service = self._service(arguments)
        lines = [f"{arguments.method} {service.base_url}{arguments.path}"]
        # By the alphabet: the same version may be read from its file, or as it was stored.
        lines += [f"{name} = {value}" for name, value in sorted(arguments.query.items())]
        if arguments.body is not None:
            body = json.dumps(arguments.body, indent=2, ensure_ascii=False, sort_keys=True)
            lines += body.splitlines()
        data: Json = {**arguments.model_dump(mode="json"), "base_url": service.base_url}
        return Plan(summary=self.describe(arguments), lines=tuple(lines), data=data)

    def perform(self, arguments: HttpCall, call: Call) -> HttpAnswer:
        from workflows.actions.http_request import send  # noqa: PLC0415 - 4 MB that a bot at rest does not need.

        is_read = settled_effect(self, arguments, call) is Effect.READ
        service = self._service(arguments)
        with self._valves[arguments.service].passage(is_read=is_read):
            return send(arguments, service, call, is_read=is_read)

    def load(self) -> None:
        from workflows.actions import http_request  # noqa: F401, PLC0415 - as above.

    def busy(self, arguments: HttpCall) -> Busy | None:
        valve = self._valves.get(arguments.service)
        return None if valve is None else valve.busy()

    def is_once(self, arguments: HttpCall) -> bool:
        """Say what the policy says of the service."""
        return self._service(arguments).honours_idempotency_key

    def probe(self, arguments: HttpCall, call: Call) -> Happened:
        """Ask the service's own `probe` path: 200 is yes, 404 is no."""
        from workflows.actions.http_request import look  # noqa: PLC0415 - as above.

        service = self._services.get(arguments.service)
        if service is None or service.probe is None:
            return Happened.UNKNOWN
        path = service.probe.replace("{key}", quote(call.key, safe=""))
        try:
            answer = look(service, path, call, accept=(404,))
        except ActionError:
            return Happened.UNKNOWN
        return {200: Happened.YES, 404: Happened.NO}.get(answer.status, Happened.UNKNOWN)

    def _service(self, arguments: HttpCall) -> Service:
        service = self._services.get(arguments.service)
        if service is None:
            raise ActionFailedError(
                f"There is no service named {arguments.service}.",
                error_class="unknown_service",
                hint="Services are named in policy.yaml.",
            )
        if not service.allows_path(arguments.path):
            raise ActionFailedError(
                f"{arguments.path} is none of the paths allowed at {arguments.service}.",
                error_class="path_refused",
                hint="Allowed paths are listed in policy.yaml.",
            )
        return service

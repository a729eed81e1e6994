"""Answers Web API calls: token, scope, rate, arguments, then the method itself.

The order is Slack's: what a caller is told first is what stands first here. Ordered faults
strike around it; how a fault reaches the caller's socket is left to `http`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.faults import Fault
from sandbox.grants import refusal_of
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.methods import (
    auth,
    chat,
    conversations,
    files,
    functions,
    oauth,
    reactions,
    usergroups,
    users,
    views,
)
from sandbox.methods.table import ALWAYS, FLAGS, JSON_ARGUMENTS, METHODS, NUMBERS, Method

FAMILIES = (
    auth,
    chat,
    conversations,
    files,
    functions,
    oauth,
    reactions,
    usergroups,
    users,
    views,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back to the caller; with `cut` the line is cut instead."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False


def answer_call(hub: Hub, name: str, token: str, arguments: Mapping[str, Any]) -> Answer:
    """Perform one call and return its answer, both kept by the recorder."""
    call = hub.recorder.add_call(name, dict(arguments))
    fault = hub.faults.take(name, arguments)
    call.fault = fault.kind if fault else None
    answer = _spoiled(fault) if fault else None
    if answer is None:
        answer = _performed(hub, name, token, arguments)
        call.arguments = _decoded(arguments)
    call.answer, call.status = answer.body, answer.status
    hub.state.changed("call", method=name, ok=bool(answer.body.get("ok")))
    if fault is not None and fault.kind == "lose_answer":
        return Answer(body=answer.body, cut=True)
    if fault is not None and fault.kind == "slow":
        return Answer(
            body=answer.body, status=answer.status, headers=answer.headers, seconds=fault.seconds
        )
    return answer


def _spoiled(fault: Fault) -> Answer | None:
    if fault.kind == "reset":
        return Answer(body={"ok": False, "error": "connection_reset"}, cut=True)
    if fault.kind == "status":
        return Answer(body={"ok": False, "error": "internal_error"}, status=fault.status)
    if fault.kind == "error":
        return Answer(
            body={"ok": False, "error": fault.error},
            status=fault.status,
            headers=fault.headers or {},
        )
    return None


def _performed(hub: Hub, name: str, token: str, arguments: Mapping[str, Any]) -> Answer:
    method = METHODS.get(name)
    if method is None:
        hub.recorder.blame("no such method", name)
        return Answer(body={"ok": False, "error": "unknown_method", "req_method": name})
    try:
        with hub.state.lock:
            _check_token(hub, method, token)
            _check_scope(hub, method)
            read = _decoded(arguments)
            if (wait := _wait(hub, method, read)) is not None:
                headers = {"Retry-After": str(wait)}
                body = {"ok": False, "error": "ratelimited"}
                return Answer(body=body, status=429, headers=headers)
            _check_arguments(hub, method, read)
            body = {"ok": True, **method.perform(hub, read)}
            return Answer(body=body, headers=_granted(hub, method))
    except SlackError as refusal:
        return Answer(body=refusal.body())


def _check_token(hub: Hub, method: Method, token: str) -> None:
    if method.public:
        return
    if not token:
        raise SlackError("not_authed")
    if _is_of_a_step(hub, method, token):
        return
    is_apps = token == hub.app.app_token
    if not is_apps and (refusal := refusal_of(hub.state, token)) is not None:
        raise SlackError(refusal)
    if is_apps != method.app_token:
        raise SlackError("not_allowed_token_type")


def _is_of_a_step(hub: Hub, method: Method, token: str) -> bool:
    """Say whether the token was given with a step; it ends soon, and is for that step alone."""
    found = next((one for one in hub.state.executions.values() if one.token == token), None)
    if found is None:
        return False
    if hub.state.now() > found.token_expires or found.state != "running":
        raise SlackError("token_expired")
    if not method.name.startswith("functions."):
        hub.recorder.blame("a step's token is for completing the step", method.name)
    return True


def _check_scope(hub: Hub, method: Method) -> None:
    if method.scopes and not method.scopes & hub.state.scopes:
        raise SlackError(
            "missing_scope",
            extra={
                "needed": ",".join(sorted(method.scopes)),
                "provided": ",".join(sorted(hub.state.scopes)),
            },
        )


def _granted(hub: Hub, method: Method) -> Mapping[str, str]:
    """Return the header in which Slack lists what a bot token may do."""
    is_bots = not (method.app_token or method.public)
    return {"X-OAuth-Scopes": ",".join(sorted(hub.state.scopes))} if is_bots else {}


def _wait(hub: Hub, method: Method, arguments: Json) -> int | None:
    per_minute = limits.TIERS[method.tier] if method.tier else limits.SPECIAL_PER_MINUTE
    channel = str(arguments.get("channel")) if method.posts else None
    return hub.rates.take(method.name, per_minute, channel=channel)


def _check_arguments(hub: Hub, method: Method, arguments: Json) -> None:
    unknown = arguments.keys() - method.required - method.optional - ALWAYS
    for name in sorted(unknown):
        hub.recorder.blame(f"unknown argument {name}", method.name)
    missing = [name for name in sorted(method.required) if arguments.get(name) in (None, "")]
    if missing:
        raise SlackError(
            "invalid_arguments", [f"[ERROR] missing required field: {one}" for one in missing]
        )


def _decoded(arguments: Mapping[str, Any]) -> Json:
    return {name: _read(name, value) for name, value in arguments.items() if value is not None}


def _read(name: str, value: Unchecked) -> Unchecked:
    if not isinstance(value, str):
        return value
    if name in JSON_ARGUMENTS:
        return _parsed(value)
    if name in FLAGS:
        return value.lower() in {"1", "true"}
    if name in NUMBERS:
        return int(value) if value.lstrip("-").isdigit() else value
    return value


def _parsed(value: str) -> Unchecked:
    try:
        return json.loads(value) if value else None
    except ValueError:
        return value

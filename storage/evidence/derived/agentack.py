"""One run as a trace of AgentAck, schema version 2: for a second opinion on its approvals.

The form is public (docs/trace-format.md of that project). An action there is a binding here: the
digest over exactly what was shown, so whoever compares the action that was presented with the
one that was executed compares what Interlock bound the approval to.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage.evidence.derived.sealed import Sealed
from workflows.binding import canonical
from workflows.entry import Json

VERSION = 2
BLOCKED: Mapping[str, str] = {
    "approval.expired": "the request expired",
    "approval.withdrawn": "the request was withdrawn",
    "approval.edited": "the request was replaced by an edited one",
}
ENDED = frozenset({"run.finished", "run.cancelled"})


def trace(entries: Iterable[Sealed]) -> Iterator[bytes]:
    """Yield the events of one run's entries, as lines without their ends."""
    run = _Run()
    for entry in entries:
        for event in run.events(entry):
            yield canonical(
                {
                    "schema_version": VERSION,
                    "timestamp": entry.ts,
                    "session_id": str(entry.members.get("run")),
                    **event,
                }
            )


class _Run:
    """What was asked and announced so far, so that later entries can be told in full."""

    def __init__(self) -> None:
        self._asked: dict[Any, dict[str, Json]] = {}  # The action of each request.
        self._until: dict[Any, Json] = {}
        self._intents: dict[tuple[Any, Any], Sealed] = {}

    def events(self, entry: Sealed) -> Iterator[dict[str, Json]]:
        data, kind = entry.data, entry.kind
        if kind == "approval.requested":
            yield from self._request(data)
        elif kind in {"approval.granted", "approval.denied"} and data.get("settles"):
            yield from self._decision(data, is_allowed=kind == "approval.granted")
        elif kind == "break_glass.used" and data.get("settles"):
            yield from self._decision(data, is_allowed=True)
        elif kind in BLOCKED:
            names = _names(data)
            yield {"type": "action_blocked", **names, "reason": BLOCKED[kind]}
        elif kind == "action.intended":
            self._intents[data.get("idem"), data.get("attempt")] = entry
            if data.get("request") is None:
                yield {"type": "action_proposed", **_free(data), "action": _action(data)}
        elif _happened(entry):
            yield from self._execution(data)
        elif kind in ENDED:
            yield from _end(entry)

    def _request(self, data: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        name = data.get("request")
        self._asked[name], self._until[name] = _action(data), data.get("expires")
        action = self._asked[name]
        yield {"type": "action_proposed", "action_id": str(name), "action": action}
        yield {"type": "approval_requested", **_names(data), "action": action}

    def _decision(self, data: Mapping[str, Any], *, is_allowed: bool) -> Iterator[dict[str, Json]]:
        event: dict[str, Json] = {
            "type": "approval_decision",
            **_names(data),
            "decision": "allow" if is_allowed else "deny",
        }
        until = self._until.get(data.get("request"))
        yield {**event, "expires_at": until} if is_allowed and until else event
        if not is_allowed:
            yield {"type": "action_blocked", **_names(data), "reason": "denied"}

    def _execution(self, data: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
        intent = self._intents.get((data.get("idem"), data.get("attempt")))
        if intent is None:
            return
        told = intent.data
        names = _names(told) if told.get("request") is not None else _free(told)
        yield {"type": "action_executed", **names, "action": _action(told)}


def _happened(entry: Sealed) -> bool:
    match entry.kind:
        case "action.executed":
            return True
        case "action.failed":
            return entry.data.get("performed") == "partly"
        case "action.resolved":
            return entry.data.get("happened") == "yes"
    return False


def _end(entry: Sealed) -> Iterator[dict[str, Json]]:
    if entry.kind == "run.cancelled":
        yield {"type": "interrupt", "reason": "the run was cancelled"}
    yield {"type": "session_end", "reason": str(entry.data.get("outcome", "cancelled"))}


def _names(data: Mapping[str, Any]) -> dict[str, Json]:
    request = str(data.get("request"))
    return {"action_id": request, "approval_id": request}


def _free(data: Mapping[str, Any]) -> dict[str, Json]:
    """Name an action that nobody had to approve."""
    return {"action_id": f"{data.get('idem')}/{data.get('attempt')}"}


def _action(data: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "tool": str(data.get("action") or "step"),
        "operation": str(data.get("effect") or "perform"),
        "parameters": {"step": data.get("step"), "binding": data.get("binding")},
    }

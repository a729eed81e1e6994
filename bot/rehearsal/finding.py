"""What came of a rehearsal, read from the entries that it left."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from storage.store import SqlStore
from workflows.definition import Definition
from workflows.definition_flow import ForEach, Parallel
from workflows.entry import Entry, Json, Ref, RunId
from workflows.flow import loop_output
from workflows.rehearsal.found import Found, Gate
from workflows.rehearsal.people import handle_of
from workflows.replay import replay
from workflows.run import RunState

_DONE = frozenset({"action.executed", "wait.ended", "question.answered"})
_ENDS = {
    "approval.granted": "approved",
    "approval.denied": "denied",
    "approval.expired": "expired",
    "approval.withdrawn": "withdrawn",
    "approval.edited": "superseded",
}
_UNVERIFIED = frozenset({"verification.failed", "verification.unknown"})


class Finding:
    """Gathers what runs did."""

    def __init__(self, store: SqlStore, shown: Callable[[str, str], str]) -> None:
        """`shown` says how a step of a workflow is named."""
        self._store = store
        self._shown = shown
        self._gates: dict[str, Gate] = {}
        self.found = Found()
        self.said: dict[str, str] = {}  # Why steps failed, in the words of their entries.

    def take(self, run: RunId, definition: Definition) -> None:
        """Take up everything that is recorded of a run."""
        entries = self._store.history(run)[1]
        for entry in entries:
            self._take_entry(entry, definition)
        state = replay(run, entries)
        self.found.outputs |= {
            self._shown(definition.workflow, name): _output(definition, state, name)
            for name in state.steps
            if state.gave(name)
        }

    def _take_entry(self, entry: Entry, definition: Definition) -> None:
        named = entry.data.get("step")
        name = self._shown(definition.workflow, named) if isinstance(named, str) else ""
        self._take_gate(entry, name)
        self._take_failure(entry, name)
        is_form = bool(named) and isinstance(definition.form(str(named)), ForEach | Parallel)
        if _is_done(entry) and name not in self.found.steps and not is_form:
            self.found.steps.append(name)
        if entry.kind == "decision.made" and entry.data["decision"] == "skip":
            self.found.skipped.append(name)
        given = entry.parts.get("args")
        if given is not None and given.value is not None and name:
            self.found.arguments[name] = json.loads(given.value)

    def _take_gate(self, entry: Entry, name: str) -> None:
        request = str(entry.data.get("request") or "")
        if entry.kind == "approval.requested":
            self._gates[request] = Gate(
                step=name,
                rules=tuple(map(str, _list(entry.data.get("rules")))),
                stages=tuple(self._stage(one) for one in _list(entry.data["stages"])),
            )
            self.found.gates.append(self._gates[request])
        elif entry.kind in _ENDS and request in self._gates and _settles(entry):
            self._gates[request].outcome = _ENDS[entry.kind]

    def _stage(self, stage: Json) -> Mapping[str, Json]:
        told = stage if isinstance(stage, dict) else {}
        people = [self._store.person(Ref(str(one))) for one in _list(told.get("people"))]
        names: list[Json] = [*sorted(handle_of(one) for one in people if one is not None)]
        return {"from": told.get("from"), "approve": told.get("approve"), "people": names}

    def _take_failure(self, entry: Entry, name: str) -> None:
        data = entry.data
        if entry.kind in _UNVERIFIED:
            self.found.fails[f"{name}/verify"] = entry.kind.replace(".", "_")
        elif entry.kind == "action.in_doubt":
            self.found.fails[name] = str(data["cause"])
        elif data.get("error_class") and entry.kind in ("step.observed", "action.failed"):
            self.found.fails[name] = str(data["error_class"])
            self.said[name] = failure_words(entry)
        elif entry.kind == "decision.made" and data["decision"] == "exception":
            self.found.fails.setdefault(name, str(data["rule"]))
            self.said.setdefault(name, failure_words(entry))


def failure_words(entry: Entry) -> str:
    """Return what an entry says of a failure, empty where it says nothing."""
    for name in ("reason", "output"):
        part = entry.parts.get(name)
        if part is not None and part.value is not None:
            return _words(part.value.decode())
    return ""


def _words(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return str(found.get("error", "")) if isinstance(found, dict) else str(found)


def _is_done(entry: Entry) -> bool:
    if entry.kind == "step.observed":
        return entry.data["outcome"] == "ok"
    if entry.kind == "action.resolved":
        return entry.data["happened"] == "yes"
    return entry.kind in _DONE


def _settles(entry: Entry) -> bool:
    return entry.kind not in ("approval.granted", "approval.denied") or bool(
        entry.data.get("settles")
    )


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else []


def _output(definition: Definition, state: RunState, name: str) -> Json:
    if isinstance(definition.form(name), ForEach):
        return loop_output(definition, state, name)
    return state.step(name).output


def in_order(runs: Iterable[RunId], first: RunId) -> list[RunId]:
    """Return `first`, then the others as they came."""
    return [first, *(one for one in runs if one != first)]

"""How a run stands after a person has changed what it is: its inputs, or its version. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from workflows.entry import Entry, Json, Ref, RequestId
from workflows.instances import step_of
from workflows.run import RunState, StepState


def edited(state: RunState, entry: Entry) -> Mapping[str, Any]:
    """Take the new inputs, and begin the steps anew that rest on them or wait for a decision."""
    named, request = entry.data.get("steps"), entry.data["request"]
    again = set(map(str, named)) if isinstance(named, list) else set()
    following = RequestId(str(entry.data["next"]))
    steps = {
        name: _anew(one, following if one.request == request else one.next_request)
        if step_of(name) in again
        else one
        for name, one in state.steps.items()
    }
    return {
        "inputs": inputs_in(entry),
        "editors": _and_editor(state, entry),
        "steps": steps,
        "marked": {name: one for name, one in state.marked.items() if step_of(name) not in again},
    }


def _anew(step: StepState, following: RequestId | None) -> StepState:
    """Return a step as if it had not begun; attempts go on counting, and what was shown stays."""
    return StepState(
        attempt=step.attempt,
        asked=step.asked,
        next_request=following,
        approvals_void=step.approvals_void,
    )


def moved(state: RunState, entry: Entry) -> Mapping[str, Any]:
    """Go by another version from now on; whoever saw to that decides nothing of what follows.

    A run that waits for its lock or its place goes on waiting for it.
    """
    return {
        "is_queued": state.is_queued,
        "version": str(entry.data["to"]),
        "inputs": inputs_in(entry) if "input" in entry.parts else state.inputs,
        "editors": _and_editor(state, entry),
    }


def _and_editor(state: RunState, entry: Entry) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys((*state.editors, Ref(entry.actor.ref))))


def inputs_in(entry: Entry) -> Mapping[str, Json]:
    """Return the values that an entry gives a run, none once they were erased."""
    part = entry.parts.get("input")
    return json.loads(part.value) if part is not None and part.value is not None else {}

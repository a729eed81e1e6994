"""What is known of a workflow before its file is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workflows.actions.base import Effect
from workflows.entry import Json

PART_OF_A_PATH: Mapping[str, Json] = {
    "pattern": "^[A-Za-z0-9_-]+$",
    "max_length": 80,
    "example": "abc-123",
}
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A read that shows an effect: what has to stand where in the answer, such as 404 in status."""

    path: str
    field: str
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a named service."""

    service: str
    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftStep:
    """One step: its request, what it does to the world, its proof, and what takes it back."""

    id: str
    request: Request
    effect: Effect
    title: str = ""
    proof: Proof | None = None
    undo: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A workflow about to be written; `inputs` as a file has them."""

    workflow: str
    title: str
    owner: str
    deputy: str
    channel: str = ""
    run_by: tuple[str, ...] = ()
    inputs: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    steps: tuple[DraftStep, ...] = ()


def guarded(draft: Draft) -> Draft:
    """Return `draft` with a form for each text that stands in a path, so that it stays one part."""
    paths = [one for step in draft.steps for one in _paths(step)]
    in_paths = {name for path in paths for name in _PLACE.findall(path)}
    inputs = {
        name: {**spec, **PART_OF_A_PATH}
        if name in in_paths and spec["type"] == "string" and "pattern" not in spec
        else spec
        for name, spec in draft.inputs.items()
    }
    return replace(draft, inputs=inputs)


def _paths(step: DraftStep) -> list[str]:
    undo = [] if step.undo is None else [step.undo.path]
    proof = [] if step.proof is None else [step.proof.path]
    return [step.request.path, *proof, *undo]


def filled(path: str) -> str:
    """Return a path with `{account}` written as the input of that name."""
    return _PLACE.sub(lambda one: f"${{{{ inputs.{one[1]} }}}}", path)

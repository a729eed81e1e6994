"""What is known of a workflow before its file is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

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
    """A read that shows an effect: what has to stand where in the answer, such as 404 in status.

    `asks` is a path, or a query whose first row is looked at.
    """

    asks: str
    field: str
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a named service."""

    service: str
    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement to a named database."""

    database: str
    sql: str


Asked: TypeAlias = Request | Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftStep:
    """One step: what it asks for, what that does to the world, its proof, what takes it back."""

    id: str
    asked: Asked
    effect: Effect
    title: str = ""
    proof: Proof | None = None
    undo: Asked | None = None


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
    paths = [one.path for one in (step.asked, step.undo) if isinstance(one, Request)]
    proof = [step.proof.asks] if step.proof is not None else []
    return [*paths, *proof] if isinstance(step.asked, Request) else paths


def filled(path: str) -> str:
    """Return a path with `{account}` written as the input of that name."""
    return _PLACE.sub(lambda one: f"${{{{ inputs.{one[1]} }}}}", path)


def bound(sql: str) -> tuple[str, dict[str, Json]]:
    """Return a statement with `{days}` as the parameter `:days`, and its parameters."""
    names = dict.fromkeys(_PLACE.findall(sql))
    return _PLACE.sub(r":\1", sql), {one: f"${{{{ inputs.{one} }}}}" for one in names}

"""Definitions and policies as a dry run walks them: nobody is kept from saying yes.

What people would have to write, at which hours they could, and with which code is left out, and
so is the proof of effects, since none of them happens. What really holds is explained beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from workflows.definition import Definition
from workflows.definition_flow import ForEach, Parallel
from workflows.definition_steps import Step
from workflows.policy import Policy

_FREE = {"reason": "optional", "hours": None, "step_up": None}
M = TypeVar("M", bound=BaseModel)


def relaxed(policy: Policy) -> Policy:
    """Return `policy` asking the same people, without terms for how they agree."""
    rules = tuple(one.model_copy(update=_FREE) for one in policy.rules)
    return _with(policy, {"rules": rules, "freezes": None})


def unproven(definition: Definition) -> Definition:
    """Return `definition` without proofs of its effects."""
    return _with(definition, {"steps": _steps(definition.steps)})


def _with(model: M, changed: Mapping[str, object]) -> M:
    """Return a copy that remembers nothing of what was worked out from the model before."""
    own = {name: getattr(model, name) for name in type(model).model_fields}
    return type(model).model_construct(**{**own, **changed})


def _steps(steps: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(_step, steps))


def _step(step: Any) -> Any:  # noqa: ANN401 - any form of a step, and the same form again.
    if isinstance(step, Step):
        approval = step.approval
        eased = None if approval is None else approval.model_copy(update={"reason": "optional"})
        return step.model_copy(update={"verify": None, "approval": eased})
    if isinstance(step, Parallel):
        branches = {name: _steps(one) for name, one in step.parallel.items()}
        return step.model_copy(update={"parallel": branches})
    if isinstance(step, ForEach):
        return step.model_copy(update={"steps": _steps(step.steps)})
    return step

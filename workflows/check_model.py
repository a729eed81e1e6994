"""Keeps the words of a language model away from every decision.

A model's answer may fill the arguments of steps whose own definition asks people, since those
see what would run. Nowhere else may it stand: neither in a condition, which decides whether a
gate is asked at all, nor where a loop, a pause, a question or another workflow begins with it.
"""

from collections.abc import Iterator
from contextlib import suppress

from workflows.check_steps import Checking
from workflows.definition_flow import Flow
from workflows.definition_steps import Step, Undo, Work
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place
from workflows.model_words import touches
from workflows.outline import Node
from workflows.step_scope import templates_of
from workflows.template import references

_WHAT = "rests on what a language model answered"
_RIGHT = "decide by what was read or by what people say"


def model_faults(checking: Checking, node: Node) -> Iterator[Fault]:
    """Yield where a model's answer stands in this step and may not."""
    step = node.step
    if isinstance(step, Step):
        yield from _returns_faults(checking, node, step)
    models = checking.scopes.models
    if not models:
        return
    before = checking.scopes.before(step.id)
    if step.when is not None and _decides(step.when, before, models):
        yield checking.document.fault((*node.path, "when"), _WHAT, _RIGHT)
    if isinstance(step, Step):
        yield from _step_faults(checking, node.path, step, models)
    elif _begins_with(step, before, models):
        yield checking.document.fault(node.path, _WHAT, _RIGHT)


def _returns_faults(checking: Checking, node: Node, step: Step) -> Iterator[Fault]:
    action = checking.action(step)
    if action is not None and action.is_model and "answer" not in (step.returns or {}):
        what = f"is missing: {step.uses} has to say what the model answers"
        right = "add it, as in returns: {answer: {urgent: boolean, summary: string}}"
        yield checking.document.fault((*node.path, "returns"), what, right)


def _step_faults(
    checking: Checking, path: Place, step: Step, models: frozenset[str]
) -> Iterator[Fault]:
    scopes = checking.scopes
    yield from _work_faults(checking, path, step, scopes.before(step.id), models)
    if step.verify is not None:
        if _takes(step.verify, scopes.after(step.id), models):
            yield checking.document.fault((*path, "verify", "with"), _WHAT, _RIGHT)
        if _decides(step.verify.expect, scopes.verifying(step.id), models):
            yield checking.document.fault((*path, "verify", "expect"), _WHAT, _RIGHT)
    if isinstance(step.undo, Undo):
        here = (*path, "undo")
        yield from _work_faults(checking, here, step.undo, scopes.after(step.id), models)


def _work_faults(
    checking: Checking,
    path: Place,
    work: Step | Undo,
    environment: Environment,
    models: frozenset[str],
) -> Iterator[Fault]:
    if work.approval is None and _takes(work, environment, models):
        what = "takes what a language model answered, and nobody is asked before it runs"
        right = "add an approval to this step, so that people see what the model wrote"
        yield checking.document.fault((*path, "with"), what, right)


def _begins_with(form: Flow, environment: Environment, models: frozenset[str]) -> bool:
    with suppress(ExpressionError):  # What does not compile is told elsewhere.
        return touches(references(templates_of(form), environment), models)
    return False


def _takes(work: Work, environment: Environment, models: frozenset[str]) -> bool:
    with suppress(ExpressionError):
        return touches(references(dict(work.arguments), environment), models)
    return False


def _decides(condition: str, environment: Environment, models: frozenset[str]) -> bool:
    with suppress(ExpressionError):
        return touches(environment.references(condition), models)
    return False

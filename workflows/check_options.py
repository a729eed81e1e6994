"""Checks the options of inputs: the action that reads them, and what is made of its answer."""

from collections.abc import Iterator, Mapping

from workflows.actions.base import Effect
from workflows.check_arguments import argument_faults
from workflows.check_steps import Checking
from workflows.definition_flow import Ask
from workflows.definition_inputs import Input, ListInput, TextInput
from workflows.definition_options import Options
from workflows.errors import DefinitionError, ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place, suggestion
from workflows.option_scope import argument_scope, choice_scope, list_scope
from workflows.shapes import Kind
from workflows.step_scope import output_shape


def option_faults(checking: Checking) -> Iterator[Fault]:
    """Yield what is wrong with the options of a workflow's inputs, and of its questions'."""
    yield from _faults_of(checking, ("inputs",), checking.definition.inputs)
    for node in checking.definition.outline.values():
        if isinstance(node.step, Ask):
            yield from _faults_of(checking, (*node.path, "ask", "fields"), node.step.ask.fields)


def _faults_of(checking: Checking, path: Place, inputs: Mapping[str, Input]) -> Iterator[Fault]:
    for name, spec in inputs.items():
        inner = spec.of if isinstance(spec, ListInput) else spec
        here = (*path, name, "of") if isinstance(spec, ListInput) else (*path, name)
        if isinstance(inner, TextInput) and inner.options is not None:
            yield from _option_faults(checking, (*here, "options"), inner.options)


def _option_faults(checking: Checking, path: Place, options: Options) -> Iterator[Fault]:
    document, action = checking.document, checking.actions.get(options.uses)
    if action is None:
        right = suggestion(options.uses, checking.actions)
        yield document.fault((*path, "uses"), f"there is no action {options.uses!r}", right)
        return
    # Without the policy nobody knows which arguments of a program only look.
    knows = checking.policy is not None
    effect = action.effect_of(options.arguments) if knows else action.effect
    if effect is not Effect.READ:
        what = f"{options.uses} with these arguments does not only read"
        yield document.fault((*path, "uses"), what, "read the choices of a form, change nothing")
    yield from argument_faults(
        document,
        (*path, "with"),
        options.arguments,
        action=action,
        environment=argument_scope(),
    )
    yield from _answer_faults(checking, path, options)


def _answer_faults(checking: Checking, path: Place, options: Options) -> Iterator[Fault]:
    try:
        shape = output_shape(options, checking.actions)
    except DefinitionError as error:
        yield checking.document.fault((*path, "returns"), error.message, error.hint)
        return
    lists, choice = list_scope(shape), choice_scope(options, shape)
    yield from _kind_fault(checking, (*path, "items"), options.items, lists, {Kind.LIST})
    shown = {Kind.STRING, Kind.INTEGER}
    yield from _kind_fault(checking, (*path, "value"), options.value, choice, shown)
    if options.label is not None:
        yield from _kind_fault(checking, (*path, "label"), options.label, choice, shown)


def _kind_fault(
    checking: Checking, path: Place, text: str, environment: Environment, wanted: set[Kind]
) -> Iterator[Fault]:
    try:
        kind = environment.kind_of(text)
    except ExpressionError as error:
        yield checking.document.fault(path, error.message, error.hint)
        return
    if kind not in {*wanted, Kind.ANY}:
        names = " or ".join(sorted(one.value for one in wanted))
        yield checking.document.fault(path, f"gives {kind.value}, but {names} is needed")

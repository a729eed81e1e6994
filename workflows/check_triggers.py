"""Checks what starts a workflow by itself: the inputs that each trigger gives."""

from collections.abc import Iterator

from workflows.check_arguments import text_faults
from workflows.check_steps import Checking
from workflows.definition_inputs import is_open
from workflows.entry import Json
from workflows.errors import ExpressionError, InputsError
from workflows.fault import Fault, Place, suggestion
from workflows.input_shapes import shape_of_input
from workflows.input_values import read_inputs
from workflows.template import has_expression
from workflows.triggers import AnyTrigger, WebhookTrigger
from workflows.webhook_mapping import delivery_environment


def trigger_faults(checking: Checking) -> Iterator[Fault]:
    """Yield what is wrong with the triggers of a definition."""
    for index, trigger in enumerate(checking.definition.triggers):
        path: Place = ("triggers", index)
        if isinstance(trigger, WebhookTrigger):
            yield from _webhook_faults(checking, path, trigger)
            yield from _expression_faults(checking, (*path, "inputs"), trigger)
        yield from _input_faults(checking, (*path, "inputs"), trigger)


def _input_faults(checking: Checking, path: Place, trigger: AnyTrigger) -> Iterator[Fault]:
    inputs = checking.definition.inputs
    for name, spec in inputs.items():
        if is_open(spec) and name not in trigger.inputs:
            what = f"leaves the required input {name!r} open"
            right = "give it here, or give the input a default"
            yield checking.document.fault(path, what, right)
    for name in trigger.inputs.keys() - inputs.keys():
        right = suggestion(name, inputs)
        yield checking.document.fault((*path, name), "is no input", right, at_key=True)
    given = {
        name: one
        for name, one in trigger.inputs.items()
        if name in inputs and not _comes_later(trigger, one)
    }
    try:
        read_inputs({name: inputs[name] for name in given}, given)
    except InputsError as error:
        for name, why in error.fields.items():
            yield checking.document.fault((*path, name), why)


def _comes_later(trigger: AnyTrigger, value: Json) -> bool:
    return isinstance(trigger, WebhookTrigger) and has_expression(value)


def _webhook_faults(checking: Checking, path: Place, trigger: WebhookTrigger) -> Iterator[Fault]:
    known = checking.policy.webhooks if checking.policy is not None else None
    if checking.policy is not None and trigger.webhook not in (known or {}):
        right = suggestion(trigger.webhook, known or {}) if known else "add it there"
        what = f"the policy knows no webhook {trigger.webhook!r}"
        yield checking.document.fault((*path, "webhook"), what, right)
    if trigger.when is not None:
        try:
            delivery_environment().check_condition(trigger.when)
        except ExpressionError as error:
            yield checking.document.fault((*path, "when"), error.message, error.hint)


def _expression_faults(checking: Checking, path: Place, trigger: WebhookTrigger) -> Iterator[Fault]:
    inputs, environment = checking.definition.inputs, delivery_environment()
    for name, value in trigger.inputs.items():
        if name in inputs and isinstance(value, str) and has_expression(value):
            expected = shape_of_input(inputs[name])
            place = (*path, name)
            yield from text_faults(checking.document, place, value, environment, expected=expected)

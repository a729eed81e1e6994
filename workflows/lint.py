"""Warnings: what may be meant, but should be looked at or said aloud."""

import json
import re
from collections.abc import Iterator

from workflows.actions.base import Effect
from workflows.check_steps import Checking
from workflows.definition import meaning
from workflows.definition_flow import Call
from workflows.definition_inputs import TextInput
from workflows.definition_steps import Step, Undo, Verify
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.fault import Fault, Place
from workflows.left_open import left_open
from workflows.shapes import Kind
from workflows.template import has_expression, pieces, texts
from workflows.triggers import LOCAL_ZONE, WebhookTrigger

# What other tools take for an expression: two braces alone, or a dollar with one.
_ALMOST = re.compile(r"(?:\{\{|\$\{)\s*(?:inputs|steps|item|run)\.[\w.]*")


def lint(checking: Checking) -> Iterator[Fault]:
    """Yield everything in one definition that deserves a second look."""
    yield from _lone_owner(checking)
    yield from _unused_inputs(checking)
    yield from _schedules(checking)
    yield from _almost_expressions(checking)
    yield from left_open(checking)
    for node in checking.definition.outline.values():
        if isinstance(node.step, Step):
            yield from _silent_undo(checking, node.path, node.step)
            if checking.effect(node.step) not in (None, Effect.READ):
                yield from _numbers(checking, node.path, node.step)


def _lone_owner(checking: Checking) -> Iterator[Fault]:
    definition = checking.definition
    if definition.owner == definition.deputy:
        yield checking.document.fault(
            ("deputy",),
            "is the owner too, so nobody answers when the owner is away",
            "name somebody else",
            warning=True,
        )


def _unused_inputs(checking: Checking) -> Iterator[Fault]:
    said = json.dumps([meaning(checking.definition.steps), checking.definition.lock])
    for name, spec in checking.definition.inputs.items():
        if isinstance(spec, TextInput) and spec.multiline:
            continue  # Words for whoever decides; the card shows them.
        if not re.search(rf"\binputs\.{name}\b", said):
            yield checking.document.fault(
                ("inputs", name),
                "is asked for but never used",
                "use it or leave it out",
                at_key=True,
                warning=True,
            )


def _almost_expressions(checking: Checking) -> Iterator[Fault]:
    """Yield what looks like an expression and would be taken as it stands."""
    definition = checking.definition
    said: list[tuple[Place, Json]] = [(("lock",), definition.lock)]
    for node in definition.outline.values():
        if isinstance(node.step, Call):
            said.append(((*node.path, "inputs"), node.step.inputs))
        if isinstance(node.step, Step):
            said.append(((*node.path, "with"), node.step.arguments))
            for name, work in (("verify", node.step.verify), ("undo", node.step.undo)):
                if isinstance(work, Verify | Undo):
                    said.append(((*node.path, name, "with"), work.arguments))
    for path, value in said:
        for place, text in texts(value):
            found = _ALMOST.search(_plain(text))
            if found is not None:
                yield checking.document.fault(
                    (*path, *place),
                    f"is no expression: {found.group()}",
                    "write it as ${{ … }}",
                    warning=True,
                )


def _plain(text: str) -> str:
    """Return a text without its expressions; one that is broken has a fault of its own."""
    try:
        return " ".join(one for is_one, one in pieces(text) if not is_one)
    except ExpressionError:
        return ""


def _schedules(checking: Checking) -> Iterator[Fault]:
    for index, trigger in enumerate(checking.definition.triggers):
        if isinstance(trigger, WebhookTrigger):
            continue
        path: Place = ("triggers", index)
        if LOCAL_ZONE.fullmatch(trigger.timezone):
            yield checking.document.fault(
                (*path, "timezone"),
                "means another time zone on each machine, or none",
                "name one such as Europe/Berlin",
                warning=True,
            )
        for place, text in texts(dict(trigger.inputs)):
            if has_expression(text):
                yield checking.document.fault(
                    (*path, "inputs", *place),
                    "is given as it stands here, since a schedule has nothing to take a value from",
                    "write the value, or have a step read it",
                    warning=True,
                )


def _silent_undo(checking: Checking, path: Place, step: Step) -> Iterator[Fault]:
    effect = checking.effect(step)
    if step.undo is None and effect in (Effect.WRITE, Effect.DESTRUCTIVE):
        yield checking.document.fault(
            (*path, "undo"),
            "is not said",
            "write undo: none if it cannot be taken back, or the step that takes it back",
            warning=True,
        )


def _numbers(checking: Checking, path: Place, step: Step | Undo) -> Iterator[Fault]:
    found = [*_fractions(step.arguments), *_number_expressions(checking, step)]
    for place in found:
        yield checking.document.fault(
            (*path, "with", *place),
            "is a number with a fraction in an effect",
            "use whole numbers of the smallest unit for money",
            warning=True,
        )


def _fractions(value: object, path: Place = ()) -> Iterator[Place]:
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _fractions(one, (*path, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _fractions(one, (*path, index))


def _number_expressions(checking: Checking, step: Step | Undo) -> Iterator[Place]:
    if not isinstance(step, Step):
        return
    environment = checking.scopes.before(step.id)
    for place, text in texts(dict(step.arguments)):
        try:
            kinds = [environment.kind_of(one) for is_one, one in pieces(text) if is_one]
        except ExpressionError:
            continue  # It has a fault of its own.
        if Kind.NUMBER in kinds:
            yield place

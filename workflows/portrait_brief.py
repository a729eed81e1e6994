"""A definition in a few lines, for whoever reads its first version on a card.

`portrait` tells all of it; here is who answers, what is asked of a requester, what starts it,
and each step's effect and gate.
"""

from collections.abc import Iterator

from workflows.definition import Definition
from workflows.definition_flow import Ask, Call, Flow, ForEach, Wait
from workflows.definition_steps import Step, Undo
from workflows.own_workflows import IN_FULL
from workflows.portrait import UNKNOWN, Known, approval_words, effect_of
from workflows.triggers import AnyTrigger, WebhookTrigger


def brief(definition: Definition, known: Known) -> Iterator[str]:
    """Yield it in short, a line for each step, and last that the whole follows."""
    run_by = ", ".join(definition.may_run)
    yield f"Owner {definition.owner}, deputy {definition.deputy}; started by {run_by}"
    if definition.inputs:
        yield f"Asks for {', '.join(definition.inputs)}"
    if definition.triggers:
        yield f"Starts by itself: {', '.join(map(_trigger, definition.triggers))}"
    for number, node in enumerate(definition.outline.values(), start=1):
        yield f"{number}. {node.step.id}: {_does(node.step, known)}"
    yield IN_FULL


def _trigger(one: AnyTrigger) -> str:
    if isinstance(one, WebhookTrigger):
        return f"webhook {one.webhook}"
    return f"{one.cron} {one.timezone}"


def _does(form: Flow, known: Known) -> str:
    if isinstance(form, Step):
        return "; ".join(_work(form, known))
    if isinstance(form, Call):
        return f"starts {form.workflow}"
    if isinstance(form, Ask):
        return f"asks {', '.join(form.ask.asked)} a question"
    if isinstance(form, Wait):
        return "waits"
    if isinstance(form, ForEach):
        return f"for each of {form.foreach}: {', '.join(one.id for one in form.steps)}"
    return f"side by side: {', '.join(form.parallel)}"


def _work(step: Step, known: Known) -> Iterator[str]:
    effect = effect_of(step, known.actions)
    yield f"{UNKNOWN if effect is None else effect.value}, by {step.uses}"
    if step.approval is not None:
        yield f"asks {approval_words(step.approval)}"
    if step.verify is not None:
        yield "verified"
    if step.undo is not None:
        yield f"undo by {step.undo.uses}" if isinstance(step.undo, Undo) else "undo: none"

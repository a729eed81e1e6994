"""Which secrets a definition may need, by its own words and the targets they name."""

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.definition_steps import Step, Undo, Work

Actions = Mapping[str, Action[Any, Any]]


def secrets_of(definition: Definition, actions: Actions) -> frozenset[str]:
    """Return the names of all secrets that a run of it may use."""
    found = [secrets_of_work(work, actions) for step in definition.works for work in works_of(step)]
    for given in definition.inputs.values():
        options = getattr(given, "options", None)
        if options is not None and options.uses in actions:
            found.append(actions[options.uses].secrets_of(options.arguments))
    return frozenset[str]().union(*found)


def secrets_of_work(work: Work, actions: Actions) -> frozenset[str]:
    """Return the names of the secrets that one call may need."""
    action = actions.get(work.uses)
    return frozenset() if action is None else action.secrets_of(work.arguments)


def works_of(step: Step) -> Iterator[Work]:
    """Yield a step, its proof, its undoing, and the proof of that."""
    yield step
    if step.verify is not None:
        yield step.verify
    if isinstance(step.undo, Undo):
        yield step.undo
        if step.undo.verify is not None:
            yield step.undo.verify

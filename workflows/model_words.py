"""Which arguments of a step take a language model's words; which steps give them: `StepScopes`."""

from workflows.definition import Definition
from workflows.definition_steps import Step
from workflows.step_scope import StepScopes
from workflows.template import references


def touches(paths: frozenset[str], models: frozenset[str]) -> bool:
    """Say whether one of the paths leads to a model's words; `steps` alone leads everywhere."""
    return any(path == "steps" or path.split(".")[1] in models for path in _of_steps(paths))


def words_taken(definition: Definition, scopes: StepScopes, step: str) -> tuple[str, ...]:
    """Return the arguments of a step that a model's words fill, in their order.

    Raises:
        ExpressionError: an expression among them does not compile.
    """
    if not scopes.models or not isinstance(definition.form(step), Step):
        return ()
    environment = scopes.before(step)
    return tuple(
        name
        for name, one in definition.step(step).arguments.items()
        if touches(references(one, environment), scopes.models)
    )


def _of_steps(paths: frozenset[str]) -> frozenset[str]:
    return frozenset(path for path in paths if path.split(".")[0] == "steps")

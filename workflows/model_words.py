"""Which steps of a definition give a language model's words, and which arguments take them."""

from workflows.definition import Definition
from workflows.definition_steps import Step
from workflows.step_scope import Actions, StepScopes
from workflows.template import references


def model_steps(definition: Definition, actions: Actions) -> frozenset[str]:
    """Return the steps that give a model's words, the loops around them included.

    A loop gives the last output of each item, so it may give what stands within it.
    """
    found: set[str] = set()
    for node in definition.outline.values():
        action = actions.get(node.step.uses) if isinstance(node.step, Step) else None
        if action is not None and action.is_model:
            found |= {node.step.id, *(loop.id for loop in node.loops)}
    return frozenset(found)


def touches(paths: frozenset[str], models: frozenset[str]) -> bool:
    """Say whether one of the paths leads to a model's words; `steps` alone leads everywhere."""
    return any(path == "steps" or path.split(".")[1] in models for path in _of_steps(paths))


def words_taken(
    definition: Definition, scopes: StepScopes, actions: Actions, step: str
) -> tuple[str, ...]:
    """Return the arguments of a step that a model's words fill, in their order.

    Raises:
        ExpressionError: an expression among them does not compile.
    """
    models = model_steps(definition, actions)
    if not models or not isinstance(definition.form(step), Step):
        return ()
    environment = scopes.before(step)
    return tuple(
        name
        for name, one in definition.step(step).arguments.items()
        if touches(references(one, environment), models)
    )


def _of_steps(paths: frozenset[str]) -> frozenset[str]:
    return frozenset(path for path in paths if path.split(".")[0] == "steps")

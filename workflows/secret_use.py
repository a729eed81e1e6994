"""Which secrets a definition may need, and whether its file and the policy give it those."""

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.definition_flow import Ask
from workflows.definition_inputs import Input, ListInput, TextInput
from workflows.definition_options import Options
from workflows.definition_steps import Step, Undo, Work
from workflows.policy import Policy
from workflows.policy_secrets import SecretGrant
from workflows.secret_book import plain

Actions = Mapping[str, Action[Any, Any]]


def secrets_of(definition: Definition, actions: Actions) -> frozenset[str]:
    """Return the plain names of all secrets that a run of it may use."""
    works = [work for step in definition.works for work in _works_of(step)]
    asked = [*works, *_options_of(definition)]
    needs = (actions[one.uses].secrets_of(one.arguments) for one in asked if one.uses in actions)
    return frozenset(plain(name) for names in needs for name in names)


def why_not(name: str, definition: Definition, policy: Policy) -> str | None:
    """Return why a workflow may not use a secret, None if it may."""
    own = definition.secrets
    if own is not None and plain(name) not in {plain(one) for one in own}:
        return f"The secrets that {definition.workflow} names do not include {plain(name)}."
    if policy.secrets is None:
        return None
    if own is None:
        return f"{definition.workflow} names no secrets, and the policy wants that it does."
    grant = grant_of(name, policy)
    if grant is None:
        return f"The policy gives the secret {plain(name)} to no workflow."
    if grant.workflows is not None and definition.workflow not in grant.workflows:
        return f"The policy does not give the secret {plain(name)} to {definition.workflow}."
    return None


def grant_of(name: str, policy: Policy) -> SecretGrant | None:
    """Return what the policy says of a secret, None if nothing."""
    grants = {plain(one): grant for one, grant in (policy.secrets or {}).items()}
    return grants.get(plain(name))


def publishers_of(
    definition: Definition, policy: Policy, actions: Actions
) -> dict[str, tuple[str, ...]]:
    """Return for each secret of a workflow who may publish it; nothing where any may.

    Whoever publishes it has to be among them for every one of its secrets.
    """
    needed = secrets_of(definition, actions)
    grants = {name: grant_of(name, policy) for name in sorted(needed)}
    return {name: one.publishers for name, one in grants.items() if one is not None}


def _works_of(step: Step) -> Iterator[Work]:
    """Yield a step, its proof, its undoing, and the proof of that."""
    yield step
    if step.verify is not None:
        yield step.verify
    if isinstance(step.undo, Undo):
        yield step.undo
        if step.undo.verify is not None:
            yield step.undo.verify


def _options_of(definition: Definition) -> Iterator[Options]:
    """Yield what reads the choices of forms."""
    asks = [node.step for node in definition.outline.values() if isinstance(node.step, Ask)]
    forms: list[Mapping[str, Input]] = [definition.inputs, *(one.ask.fields for one in asks)]
    for form in forms:
        for spec in form.values():
            inner = spec.of if isinstance(spec, ListInput) else spec
            if isinstance(inner, TextInput) and inner.options is not None:
                yield inner.options

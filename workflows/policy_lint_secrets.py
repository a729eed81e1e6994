"""What a policy says of secrets, held against its targets and the workflows at hand."""

from collections.abc import Iterator

from workflows.definition_file import Document
from workflows.fault import Fault, suggestion
from workflows.policy import Policy
from workflows.policy_lint_steps import Around
from workflows.secret_book import plain
from workflows.secret_use import grant_of, why_not


def secret_faults(policy: Policy, document: Document, around: Around | None) -> Iterator[Fault]:
    """Yield secrets that are given and not needed, needed and not given, or given to nobody."""
    if policy.secrets is None:
        return
    needed = {plain(one) for one in policy.needed_secrets}
    for name in policy.secrets:
        if plain(name) not in needed:
            what = "is a secret that no target here needs"
            yield document.fault(("secrets", name), what, at_key=True, warning=True)
    for name in sorted({plain(one) for one in policy.targets.secrets}):
        if grant_of(name, policy) is None:
            what = f"gives {name} to no workflow, and a target needs it"
            yield document.fault(("secrets",), what, "say who gets it", at_key=True, warning=True)
    if around is not None:
        yield from _held_against(policy, document, around)


def _held_against(policy: Policy, document: Document, around: Around) -> Iterator[Fault]:
    names = [one.workflow for one in around.definitions]
    for name, grant in (policy.secrets or {}).items():
        for index, workflow in enumerate(grant.workflows or ()):
            if workflow not in names:
                what = f"names {workflow}, and no workflow here is called that"
                here = ("secrets", name, "workflows", index)
                yield document.fault(here, what, suggestion(workflow, names), warning=True)
    for definition in around.definitions:
        for name in sorted(around.secrets.get(definition.workflow, frozenset())):
            why = why_not(name, definition, policy)
            if why is not None and grant_of(name, policy) is not None:
                what = f"{definition.workflow} needs {name} and does not get it: {why}"
                yield document.fault(
                    ("secrets",), what.removesuffix("."), at_key=True, warning=True
                )

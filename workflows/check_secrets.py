"""Checks the secrets of a definition: that it may use those it needs, and names no others."""

from collections.abc import Iterator

from workflows.check_steps import Checking
from workflows.fault import Fault
from workflows.secret_book import plain
from workflows.secret_use import secrets_of, why_not


def secret_faults(checking: Checking) -> Iterator[Fault]:
    """Yield each secret that it needs and may not use, and each that it names for nothing.

    Without the policy nobody knows which secrets its targets need.
    """
    definition, policy = checking.definition, checking.policy
    if policy is None:
        return
    needed = secrets_of(definition, checking.actions)
    for name in sorted(needed):
        why = why_not(name, definition, policy)
        if why is not None:
            place = ("workflow",) if definition.secrets is None else ("secrets",)
            right = f"a step needs {name}; name it under secrets:, and see `secrets` in the policy"
            yield checking.document.fault(place, why.removesuffix("."), right)
    for index, name in enumerate(definition.secrets or ()):
        if plain(name) not in needed:
            what = f"names {name}, which no step needs"
            yield checking.document.fault(("secrets", index), what, "leave it out", warning=True)

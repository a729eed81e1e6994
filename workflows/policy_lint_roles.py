"""Roles that one group or person had better not hold together, as far as names alone show it.

Who is in which group is not known here; `interlock access review` looks at people.
"""

from collections.abc import Iterator

from workflows.definition_file import Document
from workflows.definition_steps import turns_of
from workflows.fault import Fault, Place
from workflows.policy import Policy
from workflows.policy_roles import Role

APART = (Role.RUNNER, Role.AUTHOR, Role.GOVERNOR)  # From auditing.


def role_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    """Yield what one group or person could do alone, or should not do as well."""
    if policy.roles is None:
        what, right = "name no governors, so nobody gives roles", "name a group under governors"
        yield _warned(document, ("roles",), what, right)
    yield from _govern_themselves(policy, document)
    auditors = frozenset(policy.bound(Role.AUDITOR))
    for role in APART:
        for name in policy.bound(role):
            if name in auditors:
                what = (
                    f"makes {name} an auditor and a {role}, and auditors start and decide nothing"
                )
                yield _warned(
                    document, ("roles", f"{role}s"), what, "give one of the two to others"
                )
    for place, name in _deciding(policy):
        if name in auditors:
            what = f"asks {name}, who are auditors and decide nothing"
            yield _warned(document, place, what, "ask somebody else")


def _govern_themselves(policy: Policy, document: Document) -> Iterator[Fault]:
    """Yield that whoever writes workflows alone says who must agree to them."""
    governors = policy.governors
    if governors and frozenset(policy.bound(Role.AUTHOR)).issuperset(governors):
        what = f"binds {' and '.join(governors)}, and there is no other governor"
        right = "let somebody else govern what they publish"
        yield _warned(document, ("roles", "authors"), what, right)


def _deciding(policy: Policy) -> Iterator[tuple[Place, str]]:
    for index, rule in enumerate(policy.rules):
        for number, stage in enumerate(rule.stages):
            for part in turns_of([stage])[0]:
                yield from ((("rules", index, "stages", number), one) for one in part.asked)
        if rule.escalate is not None:
            yield from ((("rules", index, "escalate", "to"), one) for one in rule.escalate.to)
    if policy.break_glass is not None:
        yield from ((("break_glass", "people"), one) for one in policy.break_glass.people)
        yield from ((("break_glass", "by"), one) for one in policy.break_glass.by)


def _warned(document: Document, place: Place, what: str, right: str) -> Fault:
    return document.fault(place, what, right, warning=True)

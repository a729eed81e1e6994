"""Roles that one group or person had better not hold together, as far as names alone show it.

Who is in which group is not known here; `interlock access review` looks at people.
"""

from collections.abc import Iterator, Sequence

from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.definition_steps import turns_of
from workflows.fault import Fault, Place, suggestion
from workflows.policy import Policy
from workflows.policy_lint_steps import Around
from workflows.policy_roles import EVERYWHERE, Binding, ForSome, Role, covers

APART = (Role.RUNNER, Role.AUTHOR, Role.GOVERNOR)  # From auditing.


def role_faults(
    policy: Policy, document: Document, around: Around | None = None
) -> Iterator[Fault]:
    """Yield what one group or person could do alone, or should not do as well.

    With workflows `around`, also bindings for none of them, and those that nobody may start.
    """
    if policy.roles is None:
        what, right = "name no governors, so nobody gives roles", "name a group under governors"
        yield _warned(document, ("roles",), what, right)
    yield from _govern_themselves(policy, document)
    yield from _said_twice(policy, document)
    if around is not None:
        names = [one.workflow for one in around.definitions]
        yield from _for_none(policy, document, names)
        yield from _for_nobody(policy, document, names)
        yield from _half_way(policy, document, around.definitions)
    auditing = [one for one in policy.bindings if one.role is Role.AUDITOR]
    for role in APART:
        for name in policy.bound(role):
            mine = [one for one in policy.bindings if one.role is role and one.to == name]
            if any(one.to == name and _meet(one, other) for one in auditing for other in mine):
                what = (
                    f"makes {name} an auditor and a {role}, and auditors start and decide nothing"
                )
                yield _warned(
                    document, ("roles", f"{role}s"), what, "give one of the two to others"
                )
    auditors = policy.bound(Role.AUDITOR, EVERYWHERE)
    for place, name in _deciding(policy):
        if name in auditors:
            what = f"asks {name}, who are auditors and decide nothing"
            yield _warned(document, place, what, "ask somebody else")


def _meet(one: Binding, other: Binding) -> bool:
    return covers(one.scope, other.scope) or covers(other.scope, one.scope)


def _scoped(policy: Policy) -> Iterator[tuple[Place, Role, ForSome]]:
    """Yield what the policy binds for some workflows only, with its place."""
    for role in Role if policy.roles is not None else ():
        for number, one in enumerate(getattr(policy.roles, f"{role}s") or ()):
            if isinstance(one, ForSome):
                yield ("roles", f"{role}s", number, "workflows"), role, one


def _said_twice(policy: Policy, document: Document) -> Iterator[Fault]:
    for place, role, one in _scoped(policy):
        if one.to in policy.bound(role, EVERYWHERE):
            what = f"limits {one.to}, who are bound as {role}s of every workflow already"
            yield _warned(document, place, what, "name them once")


def _for_none(policy: Policy, document: Document, names: Sequence[str]) -> Iterator[Fault]:
    for place, _, one in _scoped(policy):
        for number, scope in enumerate(one.workflows):
            if not any(covers(scope, name) for name in names):
                what = f"{scope!r} fits no workflow here, so it gives {one.to} nothing"
                yield _warned(document, (*place, number), what, suggestion(scope, names))


def _for_nobody(policy: Policy, document: Document, names: Sequence[str]) -> Iterator[Fault]:
    if not policy.bound(Role.RUNNER):
        return
    alone = [name for name in names if not policy.bound(Role.RUNNER, name)]
    if alone:
        what = f"bind nobody for {', '.join(alone)}, which nobody may start then"
        yield _warned(document, ("roles", "runners"), what, "bind a group there, or for all")


def _half_way(
    policy: Policy, document: Document, definitions: Sequence[Definition]
) -> Iterator[Fault]:
    """Yield who may start a workflow, and not another one that it starts as a step."""
    for one in definitions:
        mine = policy.bound(Role.RUNNER, one.workflow)
        for name in sorted(one.starts):
            others = policy.bound(Role.RUNNER, name)
            alone = [who for who in mine if who not in others]
            if alone:
                what = f"bind {', '.join(alone)} for {one.workflow}, and not for {name} in it"
                right = "its runs will stop there"
                yield _warned(document, ("roles", "runners"), what, right)


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

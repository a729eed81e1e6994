"""Checks what a policy says of budgets, blast radius, freezes, break-glass beyond its form."""

from collections.abc import Callable, Iterator, Sequence

from workflows.conditions import plan_environment
from workflows.definition_file import Document
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.shapes import Kind


def limit_faults(policy: Policy, document: Document) -> list[Fault]:
    """Return what is wrong with the limits of a policy."""
    return [
        *_budget_faults(policy, document),
        *_reach_faults(policy, document),
        *_freeze_faults(policy, document),
        *_glass_faults(policy, document),
    ]


def _budget_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    budgets = policy.budgets or ()
    yield from _same_names([one.name for one in budgets], "budgets", "budget", document)
    for index, one in enumerate(budgets):
        path: Place = ("budgets", index)
        yield from _condition(one.when, (*path, "when"), document)
        yield from _value(one.amount, (*path, "amount"), Kind.INTEGER, document)
        if one.per is not None:
            yield from _value(one.per, (*path, "per"), Kind.STRING, document)


def _reach_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    reaches = policy.blast_radius or ()
    yield from _same_names([one.name for one in reaches], "blast_radius", "limit", document)
    for index, one in enumerate(reaches):
        path: Place = ("blast_radius", index, "when")
        yield from _compiled(plan_environment().check_condition, one.when, path, document)


def _freeze_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    freezes = policy.freezes or ()
    yield from _same_names([one.name for one in freezes], "freezes", "freeze", document)
    for index, one in enumerate(freezes):
        if one.when is not None:
            yield from _condition(one.when, ("freezes", index, "when"), document)


def _glass_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    if policy.break_glass is not None and policy.break_glass.when is not None:
        yield from _condition(policy.break_glass.when, ("break_glass", "when"), document)


def _same_names(
    names: Sequence[str], section: str, what: str, document: Document
) -> Iterator[Fault]:
    for index, name in enumerate(names):
        if name in names[:index]:
            path = (section, index, "name")
            yield document.fault(path, f"another {what} has this name", "rename one")


def _condition(text: str, path: Place, document: Document) -> Iterator[Fault]:
    yield from _compiled(rule_environment().check_condition, text, path, document)


def _value(text: str, path: Place, kind: Kind, document: Document) -> Iterator[Fault]:
    def check(expression: str) -> None:
        given = _kind_of(plan_environment(), expression)
        if given not in (kind, Kind.ANY):
            what = f"{expression!r} gives {given}, and has to give {kind}."
            raise ExpressionError(what)

    yield from _compiled(check, text, path, document)


def _kind_of(environment: Environment, text: str) -> Kind:
    found = environment.kind_of(text)
    environment.compile(text)
    return found


def _compiled(
    check: Callable[[str], None], text: str, path: Place, document: Document
) -> Iterator[Fault]:
    try:
        check(text)
    except ExpressionError as error:
        yield document.fault(path, error.message, error.hint)

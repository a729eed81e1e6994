"""Conditions and values of a policy's limits: budgets, freezes, break-glass.

They see what the conditions of rules see; those of budgets may look at the plan's data too.
"""

from collections.abc import Mapping
from functools import lru_cache

from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.policy_facts import rule_environment
from workflows.shapes import Kind, Shape

PLAN = "plan"


@lru_cache(maxsize=1)
def plan_environment() -> Environment:
    """Return what the expressions of a budget may name."""
    return Environment({**rule_environment().shapes, PLAN: Shape(kind=Kind.OBJECT)})


def applies(condition: str | None, told: Mapping[str, Json], *, unsure: bool) -> bool:
    """Say whether a condition is true; `unsure` is what counts where it says neither."""
    if condition is None:
        return True
    try:
        found = rule_environment().evaluate(condition, told)
    except ExpressionError:
        return unsure
    return found if isinstance(found, bool) else unsure

"""Rules that stand in each other's way: each is right alone, and together nobody can agree.

Two rules are only held against each other where some step is found that both are about.
"""

from collections.abc import Iterator
from itertools import combinations, permutations

from workflows.condition_cases import Reach, Reached, reached
from workflows.definition_file import Document
from workflows.definition_steps import turns_of
from workflows.duration import duration_text
from workflows.errors import ExpressionError
from workflows.fault import Fault
from workflows.policy import Policy
from workflows.policy_hours import Hours
from workflows.policy_rule import Rule


def pair_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    """Yield what any two rules, or a rule and itself, make impossible."""
    numbered = list(enumerate(policy.rules))
    for index, rule in numbered:
        yield from _excluded(document, index, rule, rule)
    for (index, rule), (_, other) in permutations(numbered, 2):
        yield from _excluded(document, index, rule, other)
        yield from _too_late(document, index, rule, other, policy)
    for (_, rule), (index, other) in combinations(numbered, 2):
        yield from _never_open(document, index, other, rule)


def _excluded(document: Document, index: int, rule: Rule, other: Rule) -> Iterator[Fault]:
    """Yield the stages of `rule` that ask only people whom `other` leaves out."""
    left_out = frozenset(other.exclude or ())
    for number, stage in enumerate(rule.stages):
        for part in turns_of([stage])[0]:
            met = _meet(rule, other) if left_out.issuperset(part.asked) else None
            if met is not None:
                by = "the same rule" if rule is other else f"the rule “{other.name}”"
                what = f"asks only people whom {by} leaves out{_where(met)}"
                right = "ask somebody else too, so that the step can run"
                path = ("rules", index, "stages", number)
                yield document.fault(path, what, right, warning=True)


def _too_late(
    document: Document, index: int, rule: Rule, other: Rule, policy: Policy
) -> Iterator[Fault]:
    """Yield an escalation that never comes, since `other` ends the request before."""
    ends = other.expires or policy.defaults.expires
    own = rule.expires or policy.defaults.expires
    if rule.escalate is None or not rule.escalate.after >= ends or ends >= own:
        return
    met = _meet(rule, other)
    if met is not None:
        what = (
            f"never comes where the rule “{other.name}” counts too, which ends the request "
            f"after {duration_text(ends)}{_where(met)}"
        )
        path = ("rules", index, "escalate", "after")
        yield document.fault(path, what, "escalate earlier", warning=True)


def _never_open(document: Document, index: int, rule: Rule, other: Rule) -> Iterator[Fault]:
    """Yield hours that never overlap with those of an earlier rule."""
    if rule.hours is None or other.hours is None or _overlap(rule.hours, other.hours):
        return
    met = _meet(rule, other)
    if met is not None:
        what = f"never overlaps with the hours of the rule “{other.name}”{_where(met)}"
        right = "leave hours in which both may be approved"
        yield document.fault(("rules", index, "hours"), what, right, warning=True, at_key=True)


def _overlap(one: Hours, other: Hours) -> bool:
    days = set(one.weekdays) & set(other.weekdays)
    return bool(days) and max(one.begins, other.begins) < min(one.ends, other.ends)


def _meet(rule: Rule, other: Rule) -> Reached | None:
    """Return a case in which both rules match, None where none is found."""
    both = rule.when if rule is other else f"({rule.when}) && ({other.when})"
    try:
        found = reached(both)
    except ExpressionError:  # Together they are longer than an expression may be.
        return None
    return found if found.reach is Reach.TRUE else None


def _where(met: Reached) -> str:
    return f" (where {met.words})" if met.words else ""

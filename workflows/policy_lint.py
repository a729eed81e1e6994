"""What deserves a second look in a policy: warnings, none of which stops it from being used.

Here is what a policy says by itself. Rules that stand in each other's way are for
`policy_lint_pairs`, what it says of the workflows at hand for `policy_lint_steps`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from workflows.actions.base import Effect
from workflows.condition_cases import Reach, reached
from workflows.condition_tree import tree_of
from workflows.definition_file import Document
from workflows.definition_steps import apart, turns_of
from workflows.fault import Fault, Place, suggestion
from workflows.pattern import widths
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.policy_lint_circles import circle_faults
from workflows.policy_lint_pairs import pair_faults
from workflows.policy_lint_roles import role_faults
from workflows.policy_lint_secrets import secret_faults
from workflows.policy_lint_steps import (
    Around,
    compared,
    gate_faults,
    name_faults,
    reach_faults,
    shadow_faults,
    target_faults,
)
from workflows.policy_reason import patterns_of
from workflows.policy_roles import Role
from workflows.policy_rule import Rule

JUDGED = tuple(one.value for one in Effect if one is not Effect.READ)
ALIKE = 0.93
LONGEST_REASON = 1_000  # As much as the form takes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """Every warning, and the rules of which nobody can say whether they ever match."""

    faults: tuple[Fault, ...]
    not_analysed: tuple[str, ...]


def lint_policy(policy: Policy, document: Document, around: Around | None = None) -> Linted:
    """Return all that deserves a second look; without `around` nothing is said of workflows."""
    faults: list[Fault] = []
    unknown: list[str] = []
    for index, rule in enumerate(policy.rules):
        found = list(_rule_faults(document, index, rule, around))
        faults += found
        if not found and reached(rule.when, effects=JUDGED).reach is Reach.UNKNOWN:
            unknown.append(rule.name)
        faults += _people_faults(policy, document, index, rule)
        faults += _reason_faults(document, index, rule)
        faults += _batch_faults(policy, document, index, rule)
    for place, condition in _others(policy):
        faults += _condition_faults(document, place, condition, around)
    faults += pair_faults(policy, document)
    faults += role_faults(policy, document, around)
    faults += circle_faults(policy, document, around)
    faults += _misspelt(policy, document)
    faults += secret_faults(policy, document, around)
    if around is not None:
        faults += gate_faults(policy, document, around)
        faults += shadow_faults(policy, document, around)
        faults += target_faults(policy, document, around)
    in_order = sorted(faults, key=lambda one: (one.line, one.column))
    return Linted(faults=tuple(in_order), not_analysed=tuple(unknown))


def ungated(policy: Policy, document: Document) -> Iterator[Fault]:
    """Yield that whoever may write the files decides alone what runs, if nobody gates them."""
    if policy.publish is None:
        what = "is not there: what the files say counts at the next start, and nobody is asked"
        right = "add publish: {} to have owner and a governor agree first"
        yield document.fault(("publish",), what, right, warning=True)


def _rule_faults(
    document: Document, index: int, rule: Rule, around: Around | None
) -> Iterator[Fault]:
    """Yield what is odd about the condition of a rule."""
    found = list(_condition_faults(document, ("rules", index, "when"), rule.when, around))
    yield from found
    if not found and around is not None:
        yield from reach_faults(document, index, rule, around)


def _others(policy: Policy) -> Iterator[tuple[Place, str]]:
    """Yield the conditions that stand elsewhere than in the `when` of a rule."""
    for index, rule in enumerate(policy.rules):
        if rule.auto is not None:
            yield ("rules", index, "auto", "when"), rule.auto.when
    for index, budget in enumerate(policy.budgets or ()):
        yield ("budgets", index, "when"), budget.when
    for index, freeze in enumerate(policy.freezes or ()):
        if freeze.when is not None:
            yield ("freezes", index, "when"), freeze.when
    if policy.break_glass is not None and policy.break_glass.when is not None:
        yield ("break_glass", "when"), policy.break_glass.when


def _condition_faults(
    document: Document, place: Place, condition: str, around: Around | None
) -> Iterator[Fault]:
    """Yield what is odd about a condition; the first sort of fault found explains the rest."""
    for faults in (
        _effect_faults(document, place, condition),
        _never(document, place, condition),
        name_faults(document, place, condition, around) if around is not None else (),
    ):
        found = list(faults)
        if found:
            yield from found
            return


def _effect_faults(document: Document, place: Place, condition: str) -> Iterator[Fault]:
    known = [one.value for one in Effect]
    for name, text in dict.fromkeys(compared(tree_of(rule_environment(), condition))):
        if name == "effect" and text not in known:
            what = f"effect is never {text!r}"
            yield document.fault(place, what, suggestion(text, known), warning=True)


def _never(document: Document, place: Place, condition: str) -> Iterator[Fault]:
    """Yield that a condition can never be true, as far as trying shows that."""
    found = reached(condition, effects=JUDGED)
    if found.reach is Reach.NEVER:
        what, right = "can never be true", "look at what it compares"
        if reached(condition).reach is not Reach.NEVER:
            what = "is only about steps that read, and those are never put to the policy"
            right = "leave it out, or make it about other effects"
        yield document.fault(place, what, right, warning=True)
    elif found.reach is Reach.UNCLEAR:
        what = f"is never true, and has no value in some cases, as with {found.words}"
        yield document.fault(place, what, "look at what it compares", warning=True)


def _people_faults(policy: Policy, document: Document, index: int, rule: Rule) -> Iterator[Fault]:
    """Yield stages of single people that want more of them than there are."""
    single = _single_people(policy)
    for number, turn in enumerate(apart(turns_of(rule.stages))):
        for part in turn:
            people = len(set(part.asked))
            if not single.issuperset(part.asked):
                continue
            for wanted, what in ((part.approve, "must agree"), (part.deny, "have to reject it")):
                if wanted > people:
                    told = f"{wanted} {what}, and only {people} can be asked"
                    place = ("rules", index, "stages", number)
                    yield document.fault(place, told, "name more people", warning=True)


def _reason_faults(document: Document, index: int, rule: Rule) -> Iterator[Fault]:
    """Yield the form of a reason that nothing can have which people may write."""
    for one in patterns_of(rule.reason):
        least, most = widths(one.pattern) or (0, LONGEST_REASON)
        if least > LONGEST_REASON or not most:
            what = f"wants a reason that nobody can write: {least} to {most} characters"
            if not most:
                what = "wants a reason, and only an empty one fits"
            place = ("rules", index, "reason", "pattern")
            yield document.fault(place, what, "write another pattern", warning=True)


def _batch_faults(policy: Policy, document: Document, index: int, rule: Rule) -> Iterator[Fault]:
    """Yield that a batch never comes about, since what a glass is over is asked about alone."""
    glass = policy.break_glass
    if rule.batch and glass is not None and glass.when is None:
        what = "never counts: the glass may be broken over every step, which is then asked alone"
        right = "say in break_glass.when what it is about"
        yield document.fault(("rules", index, "batch"), what, right, warning=True)


def _single_people(policy: Policy) -> set[str]:
    """Return the names of which the policy itself shows that they are no groups."""
    conditions = (compared(tree_of(rule_environment(), rule.when)) for rule in policy.rules)
    requesters = {text for found in conditions for name, text in found if name == "requester"}
    hooks = {one.requester for one in (policy.webhooks or {}).values()}
    return requesters | hooks | set((policy.operators or {}).values())


def _misspelt(policy: Policy, document: Document) -> Iterator[Fault]:
    """Yield groups that stand in one place only and are nearly called like another."""
    places: dict[str, list[Place]] = {}
    for place, name in named_places(policy):
        places.setdefault(name, []).append(place)
    for name, found in places.items():
        alike = [one for one in places if one != name and _is_alike(one, name)]
        more = [one for one in alike if len(places[one]) > len(found)]
        if len(found) == 1 and more:
            what = f"names {name}, which stands nowhere else"
            yield document.fault(found[0], what, f"did you mean {more[0]}?", warning=True)


def named_places(policy: Policy) -> Iterator[tuple[Place, str]]:
    """Yield every group or person whom rules and roles name, each with its place in the file."""
    for index, rule in enumerate(policy.rules):
        for number, stage in enumerate(rule.stages):
            for part in turns_of([stage])[0]:
                yield from ((("rules", index, "stages", number), one) for one in part.asked)
        yield from ((("rules", index, "exclude"), one) for one in rule.exclude or ())
        if rule.escalate is not None:
            yield from ((("rules", index, "escalate", "to"), one) for one in rule.escalate.to)
    for role in Role:
        yield from ((("roles", f"{role}s"), one) for one in policy.bound(role))
    for name, grant in (policy.secrets or {}).items():
        yield from ((("secrets", name, "publishers"), one) for one in grant.publishers)


def _is_alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= ALIKE

"""What is wrong inside a policy that its model cannot say: conditions, names, moments too late."""

from collections.abc import Iterator
from datetime import timedelta

from workflows.actions.base import Effect
from workflows.condition_cases import Reach, reached
from workflows.definition_file import Document
from workflows.definition_steps import are_late
from workflows.errors import ExpressionError
from workflows.fault import Fault, Place
from workflows.policy import Policy
from workflows.policy_auto import is_about_destructive
from workflows.policy_facts import rule_environment
from workflows.policy_rule import Rule


def policy_faults(policy: Policy, document: Document) -> list[Fault]:
    """Return everything wrong with the rules."""
    names = [rule.name for rule in policy.rules]
    faults = list(_publish_faults(policy, document))
    for index, rule in enumerate(policy.rules):
        path: Place = ("rules", index)
        faults += _condition_faults(document, (*path, "when"), rule.when)
        faults += _time_faults(document, path, rule, rule.expires or policy.defaults.expires)
        faults += _auto_faults(document, path, rule)
        faults += _batch_faults(document, path, rule)
        if rule.step_up is not None and policy.roles is None:
            what = "nobody could confirm whose codes count"
            faults.append(document.fault((*path, "step_up"), what, "name roles.governors"))
        if rule.name in names[:index]:
            faults.append(
                document.fault((*path, "name"), "another rule has this name", "rename one")
            )
    return faults


def _publish_faults(policy: Policy, document: Document) -> Iterator[Fault]:
    if policy.publish is not None and policy.roles is None:
        what = "needs governors: they answer for the workflows that ask about publications"
        yield document.fault(("publish",), what, "name roles.governors", at_key=True)


def _condition_faults(document: Document, path: Place, condition: str) -> Iterator[Fault]:
    try:
        rule_environment().check_condition(condition)
    except ExpressionError as error:
        yield document.fault(path, error.message, error.hint)


def _time_faults(
    document: Document, path: Place, rule: Rule, expires: timedelta
) -> Iterator[Fault]:
    if are_late(rule.remind, expires):
        what = "a reminder comes after the request has expired"
        yield document.fault((*path, "remind"), what, "remind earlier")
    if rule.escalate is not None and rule.escalate.after >= expires:
        what = "comes after the request has expired"
        yield document.fault((*path, "escalate", "after"), what, "escalate earlier")


def _auto_faults(document: Document, path: Place, rule: Rule) -> Iterator[Fault]:
    if rule.auto is None:
        return
    yield from _condition_faults(document, (*path, "auto", "when"), rule.auto.when)
    if is_about_destructive(rule.when):
        what = "what is destructive is never approved by itself"
        right = "leave auto out, or make the rule about other effects"
        yield document.fault((*path, "auto"), what, right, at_key=True)


def _batch_faults(document: Document, path: Place, rule: Rule) -> Iterator[Fault]:
    """Yield that a rule may be about what is destructive and puts items to people together."""
    if rule.batch is None or _is_broken(rule.when):
        return
    effect = Effect.DESTRUCTIVE.value
    if not rule_environment().may_hold(rule.when, {"effect": effect}):
        return  # Whatever else is true, it is about other effects.
    reach = reached(rule.when, effects=(effect,)).reach
    if reach is not Reach.NEVER:
        what = "what is destructive is never decided many at a time"
        if reach is Reach.UNKNOWN:
            what = "nobody can tell that this rule is never about something destructive"
        right = 'begin the condition with effect != "destructive" &&'
        yield document.fault((*path, "batch"), what, right, at_key=True)


def _is_broken(condition: str) -> bool:
    """Say whether a condition does not compile, which is told in another place."""
    try:
        rule_environment().check_condition(condition)
    except ExpressionError:
        return True
    return False

"""Every place of policy and definitions that gives somebody something, as role, scope and name."""

from collections.abc import Iterable, Iterator, Sequence

from workflows.definition import Definition
from workflows.definition_steps import AnyStage, Step, turns_of
from workflows.policy import Policy
from workflows.policy_roles import EVERYWHERE

# Beside the roles that a policy binds.
APPROVER, OWNER, STARTER, BREAKER = "approver", "owner", "starter", "glass breaker"
OPERATOR, WEBHOOK, TOKEN = "operator", "webhook", "token"


def bound_anywhere(
    policy: Policy, definitions: Iterable[Definition]
) -> Iterator[tuple[str, str, str]]:
    """Yield role, scope and name of everything that is bound anywhere."""
    for bound in policy.bindings:
        yield bound.role.value, bound.scope, bound.to
    for rule in policy.rules:
        scope = f"rule {rule.name}"
        yield from ((APPROVER, scope, via) for via in _asked(rule.stages))
        if rule.escalate is not None:
            yield from ((APPROVER, scope, via) for via in rule.escalate.to)
    if policy.break_glass is not None:
        yield from ((BREAKER, EVERYWHERE, via) for via in policy.break_glass.people)
    for account, via in (policy.operators or {}).items():
        yield OPERATOR, f"account {account}", via
    for hook, one in (policy.webhooks or {}).items():
        yield WEBHOOK, f"webhook {hook}", one.requester
    for definition in definitions:
        yield from _of_definition(definition)


def _of_definition(definition: Definition) -> Iterator[tuple[str, str, str]]:
    scope = f"workflow {definition.workflow}"
    yield from ((OWNER, scope, via) for via in (definition.owner, definition.deputy))
    yield from ((STARTER, scope, via) for via in definition.may_run)
    for node in definition.outline.values():
        if isinstance(node.step, Step) and node.step.approval is not None:
            yield from ((APPROVER, scope, via) for via in _asked(node.step.approval.stages))


def _asked(stages: Sequence[AnyStage]) -> Iterator[str]:
    for turn in turns_of(stages):
        for part in turn:
            yield from part.asked

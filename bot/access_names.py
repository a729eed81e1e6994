"""Every place of policy and definitions that gives somebody something, as role, scope and name."""

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from workflows.definition import Definition
from workflows.definition_steps import AnyStage, Undo, turns_of
from workflows.policy import Policy
from workflows.policy_publish import PublishAllOf
from workflows.policy_publish import Role as Answering
from workflows.policy_roles import EVERYWHERE, Role

# Beside the roles that a policy binds.
APPROVER, OWNER, STARTER, BREAKER = "approver", "owner", "starter", "glass breaker"
OPERATOR, WEBHOOK, TOKEN = "operator", "webhook", "token"
PUBLISHING, TRIAL = "publishing", "trial"
ANSWERING = get_args(Answering)


def bound_anywhere(
    policy: Policy, definitions: Iterable[Definition]
) -> Iterator[tuple[str, str, str]]:
    """Yield role, scope and name of everything that is bound anywhere."""
    for bound in policy.bindings:
        is_for_all = bound.scope == EVERYWHERE
        yield bound.role.value, EVERYWHERE if is_for_all else f"workflow {bound.scope}", bound.to
    for rule in policy.rules:
        scope = f"rule {rule.name}"
        yield from ((APPROVER, scope, via) for via in _asked(rule.stages))
        if rule.escalate is not None:
            yield from ((APPROVER, scope, via) for via in rule.escalate.to)
    yield from _publishing(policy)
    if policy.production is not None:
        yield from ((APPROVER, TRIAL, via) for via in policy.production.watch or ())
    if policy.break_glass is not None:
        yield from ((BREAKER, EVERYWHERE, via) for via in policy.break_glass.people)
    for account, via in (policy.operators or {}).items():
        yield OPERATOR, f"account {account}", via
    for hook, one in (policy.webhooks or {}).items():
        yield WEBHOOK, f"webhook {hook}", one.requester
    for definition in definitions:
        yield from _of_definition(definition)


def _publishing(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Yield who may propose versions, and agree to them beside owner, deputy and governors."""
    section = policy.publish
    if section is not None:
        stages = (
            part
            for one in section.stages
            for part in (one.parts if isinstance(one, PublishAllOf) else (one,))
        )
        asked = dict.fromkeys(via for one in stages for via in one.asked)
        yield from ((APPROVER, PUBLISHING, via) for via in asked if via not in ANSWERING)
        yield from ((Role.AUTHOR.value, PUBLISHING, via) for via in section.authors or ())
    for name, grant in (policy.secrets or {}).items():
        yield from ((Role.AUTHOR.value, f"secret {name}", via) for via in grant.publishers)


def _of_definition(definition: Definition) -> Iterator[tuple[str, str, str]]:
    scope = f"workflow {definition.workflow}"
    yield from ((OWNER, scope, via) for via in (definition.owner, definition.deputy))
    yield from ((STARTER, scope, via) for via in definition.may_run)
    for step in definition.works:
        undo = step.undo.approval if isinstance(step.undo, Undo) else None
        for approval in (step.approval, undo):
            if approval is not None:
                yield from ((APPROVER, scope, via) for via in _asked(approval.stages))


def _asked(stages: Sequence[AnyStage]) -> Iterator[str]:
    for turn in turns_of(stages):
        for part in turn:
            yield from part.asked

"""Who must agree to what: the rules of `policy.yaml`, and the targets that stand beside them.

Every rule that applies counts, and so does what the definition wants, so nothing written
anywhere can loosen what is written elsewhere. A rule whose condition cannot be evaluated
counts as applying: a policy with a mistake in it asks too often, never too rarely.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import rfc8785
from pydantic import AfterValidator, Field, StringConstraints

from workflows.actions.base import Effect
from workflows.definition import meaning
from workflows.definition_parts import Closed, Condition, Somebody
from workflows.definition_steps import LONGEST_EXPIRY, Approval, ApprovalStage, Expiry
from workflows.demand import DEFINITION, Demand, Wish, gathered, wish_of
from workflows.duration import Duration, at_most
from workflows.entry import Json
from workflows.errors import ExpressionError, NoGateError
from workflows.expression import Environment
from workflows.policy_connect import Connect
from workflows.services import DatabaseTarget, Name, Program, Service, Services
from workflows.shapes import STRING, Kind, Shape
from workflows.triggers import Zone
from workflows.webhooks import Webhook


def _single_line(name: str) -> str:
    if name != name.strip() or not name.isprintable() or name == DEFINITION:
        raise ValueError("write a short name of its own on one line, without spaces around it")
    return name


Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
RuleName = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_single_line)]


class Rule(Closed):
    """Which steps it is about, and who has to agree to those."""

    name: RuleName
    when: Condition
    stages: tuple[ApprovalStage, ...] = Field(min_length=1, max_length=10)
    expires: Expiry | None = None
    remind: tuple[Duration, ...] = ()
    reason: Literal["optional", "required"] = "optional"


SHORTEST_CHASE = timedelta(minutes=1)


def _ascending(waits: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if any(later <= earlier for earlier, later in pairwise(waits)):
        raise ValueError("write each length of time longer than the one before")
    if waits[0] < SHORTEST_CHASE:
        raise ValueError("the first reminder comes after a minute at the earliest")
    return waits


Chase = Annotated[
    tuple[Annotated[Duration, at_most(LONGEST_EXPIRY)], ...],
    Field(min_length=1, max_length=10),
    AfterValidator(_ascending),
]
CHASE: Final = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))


class Exceptions(Closed):
    """When people are reminded of an exception or a doubt: its owner, the deputy too, governors.

    From the last one on they are reminded each day.
    """

    remind: Chase = CHASE


class Defaults(Closed):
    """What stands where a rule says nothing. There is no request without an end."""

    expires: Expiry
    exceptions: Exceptions | None = None  # Left out, it changes no digest that approvals rest on.


class Roles(Closed):
    """Who may change policy and definitions."""

    governors: tuple[Somebody, ...] = Field(min_length=1, max_length=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may ask about: one step of one run, at one moment."""

    effect: Effect
    workflow: str
    step: str
    action: str
    requester: str  # As configured or shown: "@rita", "schedule".
    at: datetime
    inputs: Mapping[str, Json] = field(default_factory=dict)
    args: Mapping[str, Json] = field(default_factory=dict)


_OPEN = Shape(kind=Kind.OBJECT)
_INTEGER = Shape(kind=Kind.INTEGER)
_NAMES = {
    **dict.fromkeys(("effect", "workflow", "step", "action", "requester"), STRING),
    **dict.fromkeys(("hour", "weekday"), _INTEGER),
    **dict.fromkeys(("inputs", "args"), _OPEN),
}


@lru_cache(maxsize=1)
def rule_environment() -> Environment:
    """Return what the condition of a rule may name, the same for every policy."""
    return Environment(_NAMES)


class Policy(Closed):
    """A policy file. Its digest is part of what every approval is bound to."""

    defaults: Defaults
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=200)
    roles: Roles | None = None
    operators: Annotated[dict[Account, Somebody], Field(max_length=100)] | None = None
    timezone: Zone = "UTC"  # Of `hour` and `weekday`.
    services: dict[Name, Service] = Field(default_factory=dict)
    databases: dict[Name, DatabaseTarget] = Field(default_factory=dict)
    programs: dict[Name, Program] = Field(default_factory=dict)
    # None where a policy has none, so that its digest is the one it had before there were any.
    webhooks: dict[Name, Webhook] | None = None
    connect: Connect | None = None  # As above.

    @cached_property
    def canonical(self) -> bytes:
        """Return the bytes of its meaning."""
        return rfc8785.dumps(meaning(self))

    @cached_property
    def digest(self) -> str:
        """Return the hex SHA-256 of its meaning."""
        return hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def targets(self) -> Services:
        """Return the services, databases and programs that actions may touch."""
        return Services(services=self.services, databases=self.databases, programs=self.programs)

    @property
    def chase(self) -> tuple[timedelta, ...]:
        """Return how long after it began people are reminded of an exception or a doubt."""
        return self.defaults.exceptions.remind if self.defaults.exceptions is not None else CHASE

    @property
    def governors(self) -> tuple[str, ...]:
        """Return the groups and people who govern, none where the file names none."""
        return self.roles.governors if self.roles is not None else ()

    def operator(self, account: str) -> str | None:
        """Return the person for whom an account of the bot's machine acts, None for itself."""
        return (self.operators or {}).get(account)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the name of every secret that some target or webhook needs."""
        signed = {one.secret for one in (self.webhooks or {}).values()}
        return self.targets.secrets | signed

    def demand(self, facts: Facts, approval: Approval | None = None) -> Demand | None:
        """Return what has to be agreed to before this step, None where nothing has.

        `approval` is what the definition wants; it adds to the rules and takes nothing away.

        Raises:
            NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        """
        wishes = [wish for rule in self.rules if (wish := self._wish(rule, facts)) is not None]
        if approval is not None:
            own = wish_of(approval, name=DEFINITION, expires=self.defaults.expires)
            wishes.append(own)
        demand = gathered(wishes)
        if demand is None and facts.effect is Effect.DESTRUCTIVE:
            raise NoGateError(
                f"Step {facts.step} of {facts.workflow} is destructive, and no rule of the "
                "policy asks anybody about it.",
                hint="Add a rule to the policy, or an approval to the step.",
            )
        return demand

    def _wish(self, rule: Rule, facts: Facts) -> Wish | None:
        try:
            applies = rule_environment().evaluate(rule.when, self._told(facts))
        except ExpressionError:
            applies = None
        if applies is False:
            return None
        return Wish(
            name=rule.name,
            stages=rule.stages,
            expires=rule.expires or self.defaults.expires,
            remind=rule.remind,
            needs_reason=rule.reason == "required",
            is_unsure=applies is not True,
        )

    def _told(self, facts: Facts) -> dict[str, Json]:
        here = facts.at.astimezone(ZoneInfo(self.timezone))
        return {
            "effect": facts.effect.value,
            "workflow": facts.workflow,
            "step": facts.step,
            "action": facts.action,
            "requester": facts.requester,
            "hour": here.hour,
            "weekday": here.isoweekday(),
            "inputs": dict(facts.inputs),
            "args": dict(facts.args),
        }

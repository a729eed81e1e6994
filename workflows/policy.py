"""Who must agree to what: the rules of `policy.yaml`, and the targets that stand beside them.

Every rule that applies counts, and so does what the definition wants, so nothing written
anywhere can loosen what is written elsewhere. A rule whose condition cannot be evaluated
counts as applying: a policy with a mistake in it asks too often, never too rarely.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated

import rfc8785
from pydantic import Field, StringConstraints

from workflows.actions.base import Concern, Effect
from workflows.definition import meaning
from workflows.definition_parts import Closed, Somebody
from workflows.definition_steps import Approval, ApprovalStage
from workflows.demand import (
    DEFINITION,
    ON_TRIAL,
    PUBLISH,
    Demand,
    Judged,
    Match,
    Why,
    Wish,
    gathered,
    wish_of,
)
from workflows.entry import Json
from workflows.errors import NoGateError
from workflows.own_workflows import is_ours, is_own
from workflows.policy_auto import Auto
from workflows.policy_blast import Blast
from workflows.policy_break_glass import BreakGlass
from workflows.policy_budgets import Budgets
from workflows.policy_connect import Connect
from workflows.policy_defaults import CHASE, Defaults
from workflows.policy_facts import Facts, stands, told_of
from workflows.policy_freezes import Freezes
from workflows.policy_hours import hours_of
from workflows.policy_nudge import nudge_after
from workflows.policy_production import Production
from workflows.policy_publish import Publish
from workflows.policy_publish import Roles as Answering
from workflows.policy_reason import needs_reason, patterns_of
from workflows.policy_retention import DEFAULT_TERMS, Retention, Terms
from workflows.policy_roles import Binding, Role, Roles
from workflows.policy_rule import Rule
from workflows.policy_secrets import SecretGrants
from workflows.services import DatabaseTarget, Name, Program, Service, Services
from workflows.triggers import Zone
from workflows.webhooks import Webhook

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]


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
    budgets: Budgets | None = None
    blast_radius: Blast | None = None
    freezes: Freezes | None = None
    break_glass: BreakGlass | None = None
    retention: Retention | None = None  # Left out, the terms are the defaults.
    production: Production | None = None  # Left out, no version has anything to earn.

    @property
    def asks_for_codes(self) -> bool:
        """Whether some rule wants a one-time code with an approval."""
        return any(rule.step_up is not None for rule in self.rules)

    connect: Connect | None = None  # As above.
    secrets: SecretGrants | None = None  # As above.
    publish: Publish | None = None  # Left out, what the files say counts at the next start.

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
        return self.bound(Role.GOVERNOR)

    def bound(self, role: Role, workflow: str | None = None) -> tuple[str, ...]:
        """Return the groups and people who have `role`, none where the file binds it to nobody.

        With `workflow` only those who have it there.
        """
        return () if self.roles is None else self.roles.bound(role, workflow)

    def auditors(self, workflow: str | None) -> tuple[str, ...]:
        """Return who audits a workflow and so decides nothing of it.

        Of what concerns more than one, such as a change of the catalog, nobody decides who
        audits anything.
        """
        concerns_more = workflow is None or is_ours(workflow)
        return self.bound(Role.AUDITOR, None if concerns_more else workflow)

    @property
    def bindings(self) -> frozenset[Binding]:
        """Return every role that the file binds, and to whom."""
        return frozenset() if self.roles is None else self.roles.bindings

    @property
    def terms(self) -> Terms:
        """Return how long payloads of each class are kept."""
        return DEFAULT_TERMS if self.retention is None else self.retention.terms

    def after_quiet(self, moment: datetime) -> datetime:
        """Return `moment`, or the end of the quiet hours around it."""
        quiet = self.defaults.quiet
        return moment if quiet is None else quiet.over_at(moment, self.timezone)

    def operator(self, account: str) -> str | None:
        """Return the person for whom an account of the bot's machine acts, None for itself."""
        return (self.operators or {}).get(account)

    @property
    def needed_secrets(self) -> frozenset[str]:
        """Return the name of every secret that some target or webhook needs."""
        signed = {one.secret for one in (self.webhooks or {}).values()}
        return self.targets.secrets | signed

    def demand(self, facts: Facts, approval: Approval | None = None) -> Demand | None:
        """Return what has to be agreed to before this step, None where nothing has.

        `approval` is what the definition wants; it adds to the rules and takes nothing away.

        Raises:
            NoGateError: the step is destructive, and neither policy nor definition asks anybody.
        """
        return self.judge(facts, approval).demand

    def judge(
        self, facts: Facts, approval: Approval | None = None, *, spares: bool = True
    ) -> Judged:
        """Return the same, and how each rule stands.

        A rule may spare people by its `auto`, unless `spares` is false.

        Raises:
            NoGateError: as `demand`.
        """
        if facts.concern is not None and self.publish is None:
            raise NoGateError(
                "The policy has no publish section, so nobody could agree to this.",
                hint="Without one, what the files say counts when the bot starts.",
            )
        if facts.concern is not None and not is_own(facts.workflow):
            raise NoGateError(
                "Only Interlock's own workflows change the catalog.",
                hint="Propose the change with `interlock publish`.",
            )
        whys = self.whys(facts, approval, spares=spares)
        demand = gathered(
            list(self._wishes(whys, approval, facts)),
            exclude=self.auditors(facts.workflow),  # They read, and never decide.
        )
        if demand is None and facts.effect is Effect.DESTRUCTIVE:
            raise NoGateError(
                f"Step {facts.step} of {facts.workflow} is destructive, and no rule of the "
                "policy asks anybody about it.",
                hint="Add a rule to the policy, or an approval to the step.",
            )
        counting = tuple(one for one in whys if one.counts)
        return Judged(demand=None if demand is None else replace(demand, why=counting), why=whys)

    def whys(
        self, facts: Facts, approval: Approval | None = None, *, spares: bool = True
    ) -> tuple[Why, ...]:
        """Return how every rule stands to this step, in order; the definition's own wish last."""
        told = self.told(facts)
        # What cannot be undone always asks somebody, whatever a rule says of itself.
        may_spare = spares and facts.effect is not Effect.DESTRUCTIVE
        found = [self._why(rule, told, may_spare=may_spare) for rule in self.rules]
        if approval is not None:
            found.append(Why(rule=DEFINITION, when="", match=Match.MATCHED))
        if _is_watched(facts):
            found.append(Why(rule=ON_TRIAL, when="", match=Match.MATCHED))
        if facts.concern is not None:
            found.append(Why(rule=PUBLISH, when="", match=Match.MATCHED))
        return tuple(found)

    def _why(self, rule: Rule, told: Mapping[str, Json], *, may_spare: bool) -> Why:
        match, because = stands(rule.when, told)
        if may_spare and match is Match.MATCHED and rule.auto is not None:
            match, because = _spared(rule.auto, told)
        return Why(rule=rule.name, when=rule.when, match=match, because=because)

    def _wishes(
        self, whys: Sequence[Why], approval: Approval | None, facts: Facts
    ) -> Iterator[Wish]:
        """Yield what rules that count want, what definition and trial do, and who publishes."""
        rest = self.defaults
        for rule, why in zip(self.rules, whys, strict=False):
            if why.asks:
                yield self._wish(rule, facts.effect, is_unsure=why.match is Match.UNSURE)
        if _is_watched(facts):
            watched = Approval(stages=(ApprovalStage.model_validate({"from": facts.watchers}),))
            yield wish_of(watched, name=ON_TRIAL, expires=self.defaults.expires)
        if approval is not None:
            yield wish_of(
                approval, name=DEFINITION, expires=rest.expires, nudge=nudge_after(rest.nudge)
            )
        if facts.concern is not None and self.publish is not None:
            yield wish_of(
                self.publish.approval(self._answering(facts.concern)),
                name=PUBLISH,
                expires=rest.expires,
                nudge=nudge_after(rest.nudge),
            )

    def _answering(self, concern: Concern) -> Answering:
        return Answering(owner=concern.owner, deputy=concern.deputy, governors=self.governors)

    def _wish(self, rule: Rule, effect: Effect, *, is_unsure: bool) -> Wish:
        # Nobody agrees at once to many things of which none can be undone, or not for sure.
        may_batch = effect is not Effect.DESTRUCTIVE and not is_unsure
        return Wish(
            name=rule.name,
            stages=rule.stages,
            expires=rule.expires or self.defaults.expires,
            remind=rule.remind,
            needs_reason=needs_reason(rule.reason),
            is_unsure=is_unsure,
            patterns=patterns_of(rule.reason),
            exclude=rule.exclude or (),
            hours=() if rule.hours is None else (hours_of(rule.hours, self.timezone),),
            escalate=rule.escalate,
            nudge=nudge_after(rule.nudge or self.defaults.nudge),
            step_up=rule.step_up,
            batch=rule.batch is True and may_batch,
        )

    def told(self, facts: Facts) -> dict[str, Json]:
        """Return what conditions see of `facts`, by their names."""
        return told_of(facts, self.timezone)


def _is_watched(facts: Facts) -> bool:
    """Say whether a trial is why somebody is asked; what is destructive asks people anyhow."""
    return bool(facts.watchers) and facts.effect is not Effect.DESTRUCTIVE


def _spared(auto: Auto, told: Mapping[str, Json]) -> tuple[Match, str]:
    """Return how a rule that matches stands once its `auto` is asked: only true spares people."""
    match, unclear = stands(auto.when, told)
    if match is Match.MATCHED:
        return Match.AUTO, auto.because
    return Match.MATCHED, f"auto: {unclear}" if unclear else ""

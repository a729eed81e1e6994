"""Who may do what: every role of policy, rules and definitions, with people and their last use.

Groups are read from Slack as they are now, those in them who can never count too, since these
are what a review looks for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.evidence.cells import csv_row
from storage.last_uses import last_uses
from storage.transaction import Database
from workflows.actions.access import Reported
from workflows.definition import Definition
from workflows.definition_steps import AnyStage, Step, turns_of
from workflows.errors import PeopleUnreadableError
from workflows.moments import stamp
from workflows.people import People, Person
from workflows.policy import Policy
from workflows.policy_roles import EVERYWHERE, Role

HEAD = ("person", "name", "role", "scope", "via", "last_used", "findings")
IDLE = timedelta(days=90)
APPROVER, OWNER, STARTER, BREAKER = "approver", "owner", "starter", "glass breaker"
# What each role lets somebody do, and which entries show that they did.
MAY: Mapping[str, str] = {
    Role.VIEWER: "look at runs: lists, search, digests, summaries of threads",
    Role.RUNNER: "start runs that `run_by` lets them: command, form, shortcut, token, webhook",
    Role.AUTHOR: "publish definitions, and propose them",
    Role.AUDITOR: "read everything, and export it; never start or decide",
    Role.GOVERNOR: "settle exceptions, confirm codes, sign access reviews, change the policy",
    APPROVER: "approve and reject",
    OWNER: "settle exceptions and doubts, cancel runs, watch versions on trial",
    STARTER: "start it",
    BREAKER: "decide alone in an emergency",
}
USES: Mapping[str, tuple[str, ...]] = {
    Role.RUNNER: ("run.started",),
    Role.AUTHOR: ("workflow.published",),
    Role.AUDITOR: ("access.read", "export.made"),
    Role.GOVERNOR: (
        "approval.granted",
        "approval.denied",
        "action.resolved",
        "break_glass.reviewed",
        "decision.made",
        "step_up.confirmed",
        "step_up.reset",
    ),
    APPROVER: ("approval.granted", "approval.denied"),
    OWNER: ("action.resolved", "decision.made", "run.cancelled", "approval.granted"),
    STARTER: ("run.started",),
    BREAKER: ("break_glass.used",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role of one person: over what, by which name it came to them, and its last use."""

    person: Person
    role: str
    scope: str
    via: str
    last_used: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReport:
    """Who may do what at one moment. `unread` are names that Slack could not be asked about."""

    at: datetime
    grants: tuple[Grant, ...]
    unread: tuple[str, ...]
    governors: tuple[str, ...]

    @property
    def people(self) -> list[Person]:
        """Return everybody who has some role."""
        return list({one.person.id: one.person for one in self.grants}.values())

    def of(self, person: Person) -> list[Grant]:
        """Return what one person may do."""
        return [one for one in self.grants if one.person.id == person.id]

    def findings_of(self, grant: Grant) -> list[str]:
        """Return what stands out about one grant."""
        return list(_about_grant(self, grant))

    @property
    def findings(self) -> list[str]:
        """Return everything that stands out, a sentence each."""
        return list(_findings(self))

    @property
    def csv(self) -> str:
        """Return the report as CSV: the same roles, people and uses give the same bytes."""
        return "".join([csv_row(HEAD), *(csv_row(self._cells(one)) for one in self.grants)])

    def _cells(self, one: Grant) -> list[str]:
        used = stamp(one.last_used) if one.last_used is not None else ""
        told = "; ".join(self.findings_of(one))
        return [one.person.id, one.person.name, one.role, one.scope, one.via, used, told]

    @property
    def reported(self) -> Reported:
        """Return it as governors sign it."""
        return Reported(
            csv=self.csv,
            grants=len(self.grants),
            people=len(self.people),
            findings=tuple(self.findings),
        )


def report_access(
    everyone: People,
    policy: Policy,
    definitions: Iterable[Definition],
    database: Database,
    *,
    now: datetime,
) -> AccessReport:
    """Return who may do what at `now`; a name that cannot be read is told, and the rest goes on.

    Raises:
        PeopleUnreadableError: not one name could be read.
    """
    named = sorted(set(_named(policy, definitions)))
    with database.read() as connection:
        uses = last_uses(connection)
    people: dict[str, Sequence[Person]] = {}
    unread: dict[str, PeopleUnreadableError] = {}
    for via in sorted({via for _, _, via in named}):
        try:
            people[via] = everyone.everybody(via)
        except PeopleUnreadableError as error:
            unread[via] = error
    if unread and not people:
        raise next(iter(unread.values()))
    grants = [
        Grant(
            person=person,
            role=role,
            scope=scope,
            via=via,
            last_used=_used(uses.get(person.id, {}), role),
        )
        for role, scope, via in named
        for person in people.get(via, ())
    ]
    return AccessReport(
        at=now,
        grants=tuple(sorted(grants, key=lambda one: (one.person.id, one.role, one.scope, one.via))),
        unread=tuple(unread),
        governors=policy.governors,
    )


def _named(policy: Policy, definitions: Iterable[Definition]) -> Iterator[tuple[str, str, str]]:
    """Yield role, scope and name of everything that is bound anywhere."""
    for one in policy.bindings:
        yield one.role.value, one.scope, one.to
    for rule in policy.rules:
        scope = f"rule {rule.name}"
        yield from ((APPROVER, scope, via) for via in _asked(rule.stages))
        if rule.escalate is not None:
            yield from ((APPROVER, scope, via) for via in rule.escalate.to)
    if policy.break_glass is not None:
        yield from ((BREAKER, EVERYWHERE, via) for via in policy.break_glass.people)
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


def _used(uses: Mapping[str, datetime], role: str) -> datetime | None:
    """Return when somebody last did what a role is for; a viewer, anything at all."""
    kinds = uses if role == Role.VIEWER else USES[role]
    return max((uses[kind] for kind in kinds if kind in uses), default=None)


def _about_grant(report: AccessReport, grant: Grant) -> Iterator[str]:
    person = grant.person
    if person.is_deactivated:
        yield "deactivated"
    if person.is_guest:
        yield "guest"
    if person.is_bot:
        yield "bot"
    if person.is_foreign:
        yield "of another workspace"
    if grant.role == Role.VIEWER:
        return  # Looking leaves no trace.
    if grant.last_used is None:
        yield "never used"
    elif report.at - grant.last_used > IDLE:
        yield f"not used in {IDLE.days} days"
    yield from _together(report, grant)


def _together(report: AccessReport, grant: Grant) -> Iterator[str]:
    """Yield the duties that one person had better not hold at once."""
    roles = {one.role for one in report.of(grant.person)}
    if grant.role == Role.GOVERNOR:
        others = {one.person.id for one in report.grants if one.role == Role.GOVERNOR}
        if len(others) == 1:
            yield "the only governor, so nobody governs them"
        if Role.AUTHOR in roles:
            yield "governs what they publish"
    if grant.role == Role.AUDITOR and roles & {*USES, OWNER} - {Role.AUDITOR, Role.VIEWER}:
        yield "audits what they take part in"


def _findings(report: AccessReport) -> Iterator[str]:
    if not report.governors:
        yield "The policy names no governors, so nobody gives or takes roles."
    for name in report.unread:
        yield f"{name} could not be read in Slack."
    for person in report.people:
        told: dict[str, list[str]] = {}
        for one in report.of(person):
            for words in report.findings_of(one):
                told.setdefault(words, []).append(f"{one.role} ({one.scope})")
        yield from (
            f"{person.name} ({person.id}): {words}: {', '.join(roles)}."
            for words, roles in told.items()
        )

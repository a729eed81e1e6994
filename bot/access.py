"""Who may do what: every role of policy, rules and definitions, with people and their last use.

Groups are read from Slack as they are now, those in them who can never count too, since these
are what a review looks for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.access_names import (
    APPROVER,
    BREAKER,
    OPERATOR,
    OWNER,
    PUBLISHING,
    STARTER,
    TOKEN,
    TRIAL,
    WEBHOOK,
    bound_anywhere,
)
from storage.evidence.cells import csv_row
from storage.last_uses import LastUse, last_uses
from storage.signed_reviews import last_signed_review
from storage.tokens import list_tokens
from storage.transaction import Database
from workflows.access_changes import SignedReview, Since, since_signed
from workflows.actions.access import Reported
from workflows.definition import Definition
from workflows.demand import ON_TRIAL
from workflows.errors import PeopleUnreadableError
from workflows.moments import stamp
from workflows.own_workflows import PUBLISH, RETIRE
from workflows.people import Person, PersonId, Roster
from workflows.policy import Policy
from workflows.policy_roles import EVERYWHERE, Role, covers

HEAD = ("person", "name", "role", "scope", "via", "last_used", "findings")
IDLE = timedelta(days=90)
# What each role lets somebody do, and which entries show that they did.
MAY: Mapping[str, str] = {
    Role.VIEWER: "look at runs: lists, search, digests, summaries of threads",
    Role.RUNNER: "start runs that `run_by` lets them: command, form, shortcut, token, webhook",
    Role.AUTHOR: "publish definitions, and propose them",
    Role.AUDITOR: "read everything, and export it; never start or decide",
    Role.GOVERNOR: "settle exceptions, confirm codes, sign access reviews, change the policy",
    APPROVER: "approve and reject",
    OWNER: "settle exceptions and doubts, cancel and move runs, watch versions on trial",
    STARTER: "start it",
    BREAKER: "decide alone in an emergency",
    OPERATOR: "act from the bot's machine as in Slack",
    WEBHOOK: "be the requester of what it starts",
    TOKEN: "start runs over HTTP, and see these",
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
    OWNER: ("action.resolved", "decision.made", "run.cancelled", "run.moved", "approval.granted"),
    STARTER: ("run.started",),
    BREAKER: ("break_glass.used",),
}
# What somebody does in these ways leaves no entry that could only come from there.
TRACELESS = frozenset({Role.VIEWER, OPERATOR, WEBHOOK})


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
    signed: SignedReview | None = None  # The report that was signed last.

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
            since=self.since,
        )

    @property
    def since(self) -> Since | None:
        """Return what is different from the report that was signed last, None without any."""
        return None if self.signed is None else since_signed(self.signed, self.csv, self.findings)


def report_access(
    everyone: Roster,
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
    named = sorted(set(bound_anywhere(policy, definitions)))
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
            last_used=_used(uses.get(person.id, ()), role, scope),
        )
        for role, scope, via in named
        for person in people.get(via, ())
    ]
    grants += _tokens(everyone, database, now=now)
    return AccessReport(
        at=now,
        grants=tuple(sorted(grants, key=lambda one: (one.person.id, one.role, one.scope, one.via))),
        unread=tuple(unread),
        governors=policy.governors,
        signed=last_signed_review(database),
    )


def _tokens(everyone: Roster, database: Database, *, now: datetime) -> Iterator[Grant]:
    """Yield the tokens that open something now."""
    for one in list_tokens(database):
        if one.owner is not None and one.is_live(now):
            yield Grant(
                person=everyone.person(one.owner),
                role=TOKEN,
                scope=f"workflow {', '.join(one.workflows)}" if one.workflows else EVERYWHERE,
                via=one.name,
                last_used=one.last_used_at,
            )


def _used(uses: Iterable[LastUse], role: str, scope: str) -> datetime | None:
    """Return when somebody last did there what a role is for; anything where that is traceless."""
    if role in TRACELESS:
        return max((one.at for one in uses), default=None)
    kinds = USES[role]
    return max((one.at for one in uses if one.kind in kinds and _is_of(scope, one)), default=None)


def _is_of(scope: str, use: LastUse) -> bool:
    """Say whether something was done where a role holds; what belongs nowhere counts anywhere."""
    where, _, name = scope.partition(" ")
    if where == "workflow":
        return not use.workflows or any(covers(name, one) for one in use.workflows)
    if where == "rule":
        return name in use.rules
    if where == TRIAL:
        return ON_TRIAL in use.rules
    if where == PUBLISHING and use.kind in USES[APPROVER]:
        return not use.workflows.isdisjoint((PUBLISH, RETIRE))
    return True


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
    if grant.role in TRACELESS:
        return
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
    if grant.role == Role.AUDITOR and roles & {*MAY} - {Role.AUDITOR, Role.VIEWER}:
        yield "audits what they take part in"


def _findings(report: AccessReport) -> Iterator[str]:
    if not report.governors:
        yield "The policy names no governors, so nobody gives or takes roles."
    for name in report.unread:
        yield f"{name} could not be read in Slack."
    yield from _same_people(report)
    for person in report.people:
        told: dict[str, dict[str, None]] = {}  # A role held by two groups is one role.
        for one in report.of(person):
            for words in report.findings_of(one):
                told.setdefault(words, {})[f"{one.role} ({one.scope})"] = None
        yield from (
            f"{person.name} ({person.id}): {words}: {', '.join(roles)}."
            for words, roles in told.items()
        )


def _same_people(report: AccessReport) -> Iterator[str]:
    """Yield workflows of which owner and deputy are two names for the same people."""
    behind: dict[str, dict[str, set[PersonId]]] = {}
    for one in report.grants:
        if one.role == OWNER:
            behind.setdefault(one.scope, {}).setdefault(one.via, set()).add(one.person.id)
    for scope, names in behind.items():
        if len(names) > 1 and len({frozenset(one) for one in names.values()}) == 1:
            named = " and ".join(sorted(names))
            yield f"{named} are the same people, so nobody stands in for them: owner ({scope})."

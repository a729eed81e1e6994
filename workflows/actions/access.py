"""`interlock.access_report` reads who may do what; `interlock.access_review` has it signed.

The report comes through the port `access`, which the bot fills. It is the output of one step and
the argument of the next, so what governors sign is bound to its digest, whatever changes while
they read.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import Field

from workflows.access_changes import Since
from workflows.actions.base import Action, Call, Effect, Happened, Model, Plan
from workflows.errors import NotPerformedError, PeopleUnreadableError, TransientReadError
from workflows.own_workflows import IN_FULL

PORT = "access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report as CSV, how many grants of how many people it lists, and what stands out.

    `since` says what is different from the report that was signed last, if one was.
    """

    csv: str
    grants: int
    people: int
    findings: tuple[str, ...]
    since: Since | None = None

    @property
    def digest(self) -> str:
        """Return the hex SHA-256 of the CSV."""
        return digest_of(self.csv)


Report = Callable[[], Reported]


class Nothing(Model):
    """What `interlock.access_report` takes."""


class Access(Model):
    """What it gives, and what `interlock.access_review` takes.

    `changes` are what governors read first; `as_signed` is empty where none has signed before.
    """

    csv: str
    grants: int
    people: int
    findings: list[str]
    changes: list[str] = Field(default_factory=list)
    as_signed: str = ""


class Signed(Model):
    """What the review leaves: the digest of the report that was signed."""

    digest: str
    grants: int
    findings: int


class AccessReportAction(Action[Nothing, Access]):
    """Reads who may do what now."""

    name = "interlock.access_report"
    effect = Effect.READ
    takes = Nothing
    gives = Access

    def describe(self, arguments: Nothing) -> str:
        del arguments
        return "Read who may do what"

    def perform(self, arguments: Nothing, call: Call) -> Access:
        del arguments
        port: Report | None = call.ports.get(PORT)
        if port is None:
            raise NotPerformedError("Nothing is known of access here.", error_class="no_log")
        try:
            found = port()
        except PeopleUnreadableError as error:
            raise TransientReadError(str(error), error_class="people_unreadable") from error
        return Access(
            csv=found.csv,
            grants=found.grants,
            people=found.people,
            findings=list(found.findings),
            changes=_changes(found.since),
            as_signed="" if found.since is None else found.since.as_signed,
        )


def _changes(since: Since | None) -> list[str]:
    return [] if since is None else [*since.new_findings, *since.grants]


class AccessReviewAction(Action[Access, Signed]):
    """Records that a report was read and signed; whoever does so is in its approval."""

    name = "interlock.access_review"
    effect = Effect.WRITE
    is_emergency = False
    takes = Access
    gives = Signed

    def describe(self, arguments: Access) -> str:
        return f"Sign the access review {digest_of(arguments.csv)[:12]}"

    def plan(self, arguments: Access, call: Call) -> Plan:
        del call
        digest = digest_of(arguments.csv)
        return Plan(
            summary=f"Sign the access review {digest[:12]}: {arguments.grants} grants of"
            f" {arguments.people} people, {len(arguments.findings)} findings",
            lines=(*_shown(arguments), f"SHA-256 {digest}", IN_FULL, *_whole(arguments)),
            data={"digest": digest, "grants": arguments.grants},
        )

    def perform(self, arguments: Access, call: Call) -> Signed:
        del call
        return Signed(
            digest=digest_of(arguments.csv),
            grants=arguments.grants,
            findings=len(arguments.findings),
        )

    def probe(self, arguments: Access, call: Call) -> Happened:
        del arguments, call
        return Happened.NO  # Nothing outside was touched, so it may be recorded again.


def _shown(report: Access) -> Iterator[str]:
    """Yield what a card shows: of what was signed before only what changed, and one line."""
    if not report.as_signed:
        yield from report.findings
        return
    yield from report.changes or ["Nothing has changed since it was signed."]
    yield report.as_signed


def _whole(report: Access) -> Iterator[str]:
    yield from report.findings if report.as_signed else ()
    yield from report.csv.splitlines()


def digest_of(csv: str) -> str:
    """Return the hex SHA-256 of a report."""
    return hashlib.sha256(csv.encode()).hexdigest()

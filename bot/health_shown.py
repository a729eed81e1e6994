"""Who is shown what of the health of approvals.

What stands out names people to everybody, as their cards do. Figures about one person are for
that person, for governors and auditors (docs/decisions/0057).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.command_values import Health as Wanted
from bot.desk import Desk
from bot.error_words import error_words
from bot.health import HealthReport, read_health
from bot.health_words import (
    CALM,
    NameOf,
    always_words,
    approver_words,
    bucket_labels,
    cause_words,
    finding_words,
    habits_words,
    names_of,
    pair_words,
    workflow_words,
)
from bot.payloads import Caller
from bot.views.health import HealthShown, Line, health_page
from bot.views.pieces import Rendered
from storage.listing import people_of, refs_of
from workflows.approval_health import WorkflowHealth
from workflows.duration import duration_text
from workflows.entry import Ref
from workflows.errors import InterlockError
from workflows.policy_roles import EVERYWHERE, Role

OWN_ONLY = "Figures of one person are shown to that person, to governors and auditors."


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDesk:
    """The health of approvals as `reader` is shown it."""

    desk: Desk
    reader: Caller

    def page(self, wanted: Wanted, *, page: int) -> Rendered:
        """Return a page of the health of the period that was asked for."""
        database = self.desk.store.database
        with database.read() as connection:
            report = read_health(connection, until=self.desk.now(), period=wanted.period)
        shown = shown_of(
            report,
            name=names_of(people_of(database, report.people)),
            titles={one.workflow: one.title for one in self.desk.library.definitions()},
            # None: of everybody.
            of=None if self._sees_all() else refs_of(database, self.reader.person),
        )
        return health_page(shown, name=self.desk.command, page=page)

    def _sees_all(self) -> bool:
        who, roles = self.reader.person, self.desk.roles
        try:
            return roles.holds(who, Role.GOVERNOR) or roles.holds(who, Role.AUDITOR, EVERYWHERE)
        except InterlockError:
            return False  # Whoever cannot be known to govern is shown what everybody is.


def shown_of(
    report: HealthReport, *, name: NameOf, titles: Mapping[str, str], of: frozenset[Ref] | None
) -> HealthShown:
    """Return the report in words, with the figures of the people `of`; None for everybody's."""
    health, standing = report.health, report.standing

    def title(workflow: str) -> str:
        return titles.get(workflow, workflow)

    return HealthShown(
        period=duration_text(health.until - health.since),
        requests=standing.requests,
        requests_until=standing.requests_until,
        runs=standing.runs,
        runs_since=standing.runs_since,
        findings=[finding_words(one, name, title) for one in report.findings],
        calm=CALM,
        total=f"{habits_words(health.total.now, health.total.before)}. {always_words(health)}",
        buckets=list(zip(bucket_labels(), health.total.now.buckets, strict=True)),
        workflows=[
            Line(name=title(one.workflow), words=_about(one, name if of is None else None))
            for one in health.workflows
        ],
        people=[
            Line(name=name(one.approver), words=approver_words(one))
            for one in health.approvers
            if of is None or one.approver in of
        ],
        causes=[
            Line(name=error_words(cause), words=cause_words(times, title))
            for cause, times in report.by_cause
        ],
        note="" if of is None else OWN_ONLY,
        modes=report.modes,
    )


def _about(one: WorkflowHealth, name: NameOf | None) -> str:
    pair = pair_words(one, name) if name is not None else ""
    return "; ".join(told for told in (workflow_words(one), pair) if told)

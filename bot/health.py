"""How approvals go, read from the database: for `/ops health`, `interlock health`, the digest.

The rules are `workflows.approval_health` and `workflows.approval_findings`; the words are
`health_words`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.error_words import error_words
from storage.approval_figures import read_approvals
from storage.figures import Standing, read_standing
from storage.trouble_figures import read_failures
from workflows.approval_findings import Finding, Sign, findings_of
from workflows.approval_health import USUAL_PERIOD, Health, health_of
from workflows.entry import Json
from workflows.failure_modes import VIEWS, By, FailureMode, Share, pareto


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The health of a period, what stands out in it, what went wrong, and what waits now."""

    health: Health
    findings: Sequence[Finding]
    failures: Counter[FailureMode]
    standing: Standing

    @property
    def by_cause(self) -> list[tuple[str, Counter[str]]]:
        """Return each error class with how often it stopped which workflow, the most first."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for mode, times in self.failures.items():
            found[mode.cause][mode.workflow] += times
        return sorted(found.items(), key=lambda one: (-one[1].total(), one[0]))

    @property
    def modes(self) -> list[tuple[str, list[Share]]]:
        """Return what stops most runs, by cause, step, target and version."""
        if not self.failures:
            return []
        views: dict[str, By] = {"cause": lambda one: error_words(one.cause), **VIEWS}
        return [(name, pareto(self.failures, by)) for name, by in views.items()]

    @property
    def people(self) -> list[str]:
        """Return the pseudonyms of everybody it speaks of."""
        pairs = [one.pair for one in self.health.workflows if one.pair is not None]
        named = [ref for one in (*pairs, *(found.who for found in self.findings)) for ref in one]
        return sorted({*named, *(one.approver for one in self.health.approvers)})


def read_health(
    connection: Connection, *, until: datetime, period: timedelta = USUAL_PERIOD
) -> HealthReport:
    """Return the health of the `period` before `until`, beside that of the one before it."""
    since = until - period
    now = read_approvals(connection, since=since, until=until)
    before = read_approvals(connection, since=since - period, until=since)
    health = health_of(now, before, since=since, until=until)
    return HealthReport(
        health=health,
        findings=findings_of(health, now.decisions),
        failures=read_failures(connection, since=since, until=until),
        standing=read_standing(connection, now=until),
    )


def finding_json(one: Finding) -> dict[str, Json]:
    """Return a finding as it is kept: people by their pseudonyms, times in milliseconds."""
    return {
        "sign": one.sign.value,
        "who": [*one.who],
        "workflow": one.workflow,
        "count": one.count,
        "of": one.of,
        "back": one.back,
        "back_of": one.back_of,
        "took_ms": milliseconds(one.took),
        "before_ms": milliseconds(one.before),
    }


def finding_from(kept: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_json` kept."""
    return Finding(
        sign=Sign(kept["sign"]),
        who=tuple(kept["who"]),
        workflow=kept["workflow"],
        count=kept["count"],
        of=kept["of"],
        back=kept["back"],
        back_of=kept["back_of"],
        took=_span(kept["took_ms"]),
        before=_span(kept["before_ms"]),
    )


def milliseconds(span: timedelta | None) -> int | None:
    """Return a span as entries and JSON write it."""
    return None if span is None else span // timedelta(milliseconds=1)


def _span(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)

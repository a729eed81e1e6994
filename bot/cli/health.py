"""`interlock health`: how approvals go, with names and numbers, beside whoever serves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.error_words import error_words
from bot.health import HealthReport, finding_json, milliseconds, read_health
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
    settling_words,
    workflow_words,
)
from bot.settings import read_settings
from bot.views.health import bars, pareto_bars
from bot.wording import plural, utc
from storage.figures import Standing
from storage.listing import people_of
from workflows.approval_health import LONGEST_PERIOD, ApproverHealth, Habits, WorkflowHealth
from workflows.duration import duration, duration_text
from workflows.moments import stamp


def _period(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    try:
        period = duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if period > LONGEST_PERIOD:
        raise click.BadParameter("it is longer than a year.")
    return period


@click.command()
@click.option(
    "--since",
    "period",
    callback=_period,
    default="30d",
    show_default=True,
    help="How far back, as in 30d.",
)
@as_json_option
def health(period: timedelta, *, as_json: bool) -> None:
    """Say how approvals go, who decides and how fast. Exit code 1 if something stands out."""
    with opened(read_settings()) as database:
        with database.read() as connection:
            report = read_health(connection, until=datetime.now(UTC), period=period)
        name = names_of(people_of(database, report.people))
    answer(_data(report, name), _lines(report, name), as_json=as_json)
    leave(Exit.NO if report.findings else Exit.FINE)


def _same(workflow: str) -> str:
    return workflow  # Operators know workflows by their names.


def _lines(report: HealthReport, name: NameOf) -> Iterator[str]:
    health, total = report.health, report.health.total
    yield from _waiting(report.standing)
    yield f"Approvals of the last {duration_text(health.until - health.since)}:"
    yield f"  {habits_words(total.now, total.before)}. {always_words(health)}"
    for one in report.findings:
        yield f"! {finding_words(one, name, _same)}"
    if not report.findings:
        yield CALM
    if total.now.decisions:
        yield from _chapter("How long decisions took", bars(_buckets(total.now)))
    yield from _chapter("By workflow", [_workflow_line(one, name) for one in health.workflows])
    yield from _chapter(
        "By approver", [f"{name(one.approver)}: {approver_words(one)}" for one in health.approvers]
    )
    causes = [f"{error_words(one)}: {cause_words(n, _same)}" for one, n in report.by_cause]
    yield from _chapter("What stopped runs", causes)
    for by, shares in report.modes:
        yield from _chapter(f"What stopped runs, by {by}", pareto_bars(shares))


def _waiting(standing: Standing) -> Iterator[str]:
    until = f", the first until {utc(standing.requests_until)}" if standing.requests_until else ""
    yield f"{plural(standing.requests, 'request waits', 'requests wait')} for a decision{until}."
    yield f"{settling_words(standing.runs)}."


def _chapter(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _workflow_line(one: WorkflowHealth, name: NameOf) -> str:
    told = (workflow_words(one), pair_words(one, name))
    return f"{one.workflow}: {'; '.join(words for words in told if words)}"


def _buckets(habits: Habits) -> list[tuple[str, int]]:
    return list(zip(bucket_labels(), habits.buckets, strict=True))


def _data(report: HealthReport, name: NameOf) -> Mapping[str, object]:
    health, standing = report.health, report.standing
    return {
        "since": stamp(health.since),
        "until": stamp(health.until),
        "waiting": {"requests": standing.requests, "runs": standing.runs},
        "findings": [
            {
                **finding_json(one),
                "who": [name(ref) for ref in one.who],
                "words": finding_words(one, name, _same),
            }
            for one in report.findings
        ],
        "total": _workflow_data(health.total, name),
        "often": len(health.seasoned),
        "always_approve": sum(one.now.is_always_yes for one in health.seasoned),
        "workflows": [_workflow_data(one, name) for one in health.workflows],
        "approvers": [_approver_data(one, name) for one in health.approvers],
        "causes": [
            {"cause": cause, "words": error_words(cause), "workflows": dict(times)}
            for cause, times in report.by_cause
        ],
        "failures": [
            {**asdict(mode), "times": times}
            for mode, times in sorted(report.failures.items(), key=lambda one: (-one[1], one[0]))
        ],
    }


def _workflow_data(one: WorkflowHealth, name: NameOf) -> dict[str, Any]:
    pair = None
    if one.pair is not None:
        requester, approver = one.pair
        pair = {
            "requester": name(requester),
            "approver": name(approver),
            "requests": one.pair_requests,
            "of": one.requests,
        }
    return {
        "workflow": one.workflow,
        "now": _habits_data(one.now),
        "before": _habits_data(one.before),
        "settled": one.settled,
        "expired": one.expired,
        "reminders": one.reminders,
        "pair": pair,
    }


def _approver_data(one: ApproverHealth, name: NameOf) -> dict[str, Any]:
    return {
        "approver": name(one.approver),
        "now": _habits_data(one.now),
        "before": _habits_data(one.before),
        "days": one.days,
        "per_day": round(one.per_day, 1),
        "busiest": one.busiest,
    }


def _habits_data(habits: Habits) -> dict[str, Any]:
    return {
        "decisions": habits.decisions,
        "approvals": habits.approvals,
        "under_5s": habits.hasty,
        "median_ms": milliseconds(habits.half),
        "p90_ms": milliseconds(habits.most),
        "buckets": dict(_buckets(habits)),
    }

"""A digest's figures as the JSON that is kept, and as the view that shows them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.anchor_words import (
    anchor_words,
    anchors_json,
    failing_json,
    failing_words,
    push_json,
    push_words,
)
from bot.digest_asked import MOST_PEOPLE, Asked, AskedOf
from bot.error_words import error_words
from bot.health import HealthReport, finding_from, finding_json
from bot.health_words import NameOf, finding_words, habits_words, names_of
from bot.views.digest_values import (
    Before,
    DayFigures,
    DecisionFigures,
    DigestShown,
    HealthFigures,
    SignedHead,
    Waiting,
    WorkflowFigures,
)
from bot.wording import plural
from storage.figures import FAILED, REFUSED, Figures, Listed, Sums
from storage.heads import Head
from storage.retention.counts import Removed
from storage.waiting_runs import WaitingRun
from workflows.duration import duration_text
from workflows.entry import Entry, Json
from workflows.failure_modes import Share, shortened
from workflows.gate import Outcome
from workflows.moments import moment, stamp
from workflows.policy_roles import EVERYWHERE
from workflows.run import Status

MOST_CAUSES = 8
BAD = (1, 2)  # Broken, or not readable.
CHECK = "interlock audit verify --db DATABASE --vkey KEY --checkpoint NOTE"
NAMED_BY = ("workflow", "name", "id", "cls", "hold")  # What says which of its kind changed.
ROLES = ("role.granted", "role.revoked")
WAITS_FOR = {
    Status.IN_DOUBT: "somebody who says whether an effect happened",
    Status.EXCEPTION: "owner or deputy to say how it goes on",
}

UNNAMED = names_of({})
Titles = Mapping[str, str]


def figures_json(
    figures: Figures,
    head: Head,
    health: HealthReport,
    *,
    titles: Titles,
    asked: AskedOf,
    period: tuple[datetime, datetime],
    places: range,
    catalog: Sequence[str] = (),
) -> dict[str, Json]:
    """Return everything a digest shows, fixed at this moment; `places` are its entries.

    `catalog` says of workflows what somebody should look at, a sentence each.
    """
    since, until = period
    return {
        "since": stamp(since),
        "until": stamp(until),
        "days": [*_days(figures, since, until)],
        "workflows": [*_workflows(figures, titles)],
        "shadows": figures.shadows,
        "decisions": _decisions(figures),
        "tried": {"refused": figures.refused.decisions, "own": figures.refused.own},
        "health": _health(health),
        "before": _sums(figures.before),
        "waiting": [_waiting(one, titles, asked.get(one.run)) for one in figures.waiting.first],
        "waits": figures.waiting.total,
        "exceptions": [*_lines(figures.troubles, _trouble), *catalog],
        "changes": [*_lines(figures.changes, _change)],
        "payloads": _payloads(figures.removed),
        # A digest stands in Slack itself.
        "anchors": anchors_json(one for one in figures.anchors if one.type != "slack"),
        "failing": failing_json(figures.turns),
        "push": push_json(figures.unpushed),
        "head": {
            "note": head.note,
            "origin": head.origin,
            "size": head.size,
            "vkey": head.vkey,
            "first": places.start,
            "last": places.stop - 1,
            "verified": _verified(figures.checks),
        },
    }


def _days(figures: Figures, since: datetime, until: datetime) -> list[Json]:
    last = max(since, until - timedelta(milliseconds=1)).date()  # At midnight no day begins.
    days = (last - since.date()).days
    return [
        _day(figures.ended_on, since.date() + timedelta(days=number)) for number in range(days + 1)
    ]


def _day(ended: Counter[tuple[date, Status]], day: date) -> dict[str, Json]:
    return {
        "day": day.isoformat(),
        "done": ended[day, Status.DONE],
        "refused": sum(ended[day, one] for one in REFUSED),
        "failed": sum(ended[day, one] for one in FAILED),
    }


def _workflows(figures: Figures, titles: Titles) -> list[Json]:
    names = {*figures.started, *figures.still_open, *(name for name, _ in figures.ended)}
    return [_workflow(figures, name, titles.get(name, name)) for name in sorted(names)]


def _workflow(figures: Figures, name: str, title: str) -> dict[str, Json]:
    ended = figures.ended
    return {
        "title": title,
        "started": figures.started[name],
        "done": ended[name, Status.DONE],
        "refused": sum(ended[name, one] for one in REFUSED),
        "failed": sum(ended[name, one] for one in FAILED),
        "open": figures.still_open[name],
    }


def _decisions(figures: Figures) -> dict[str, Json]:
    return {
        "approved": figures.settled[Outcome.APPROVED],
        "denied": figures.settled[Outcome.DENIED],
        "expired": figures.settled[Outcome.EXPIRED],
        "withdrawn": figures.settled[Outcome.WITHDRAWN],
        "median_ms": _milliseconds(figures.median_decision),
    }


def _health(report: HealthReport) -> dict[str, Json]:
    """Return how approvals go; people by their pseudonyms, so that no name outlives its erasure."""
    health = report.health
    return {
        "period": duration_text(health.until - health.since),
        "words": habits_words(health.total.now, health.total.before),
        "findings": [finding_json(one) for one in report.findings],
        "causes": [[cause, times.total()] for cause, times in report.by_cause[:MOST_CAUSES]],
        "modes": [[by, [*map(_share, shortened(shares))]] for by, shares in report.modes],
    }


def _share(one: Share) -> list[Json]:
    return [one.label, one.times, one.so_far]


def _sums(sums: Sums) -> dict[str, Json]:
    return {
        "started": sums.started,
        "done": sums.done,
        "refused": sums.refused,
        "failed": sums.failed,
        "median_ms": _milliseconds(sums.median_decision),
    }


def _milliseconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds() * 1000)


def _waiting(one: WaitingRun, titles: Titles, asked: Asked | None) -> dict[str, Json]:
    """Return a run that waits; people by their pseudonyms, groups as the files name them."""
    answers = "an approval" if one.is_asked else "an answer"
    few = one.answerers if len(one.answerers) <= MOST_PEOPLE else ()
    return {
        "title": titles.get(one.workflow, one.workflow),
        "run": one.run,
        "since": stamp(one.since),
        "waits_for": WAITS_FOR.get(one.status, answers),
        "asked": list(asked.names) if asked else [],
        "who": list(asked.people if asked else few),
    }


def _lines(listed: Listed, told: Callable[[Entry], str]) -> Iterator[str]:
    if listed.earlier:
        yield f"{plural(listed.earlier, 'earlier one stands', 'earlier ones stand')} in the log."
    yield from map(told, listed.newest)


def _trouble(entry: Entry) -> str:
    what = {
        "action.in_doubt": "was in doubt",
        "verification.failed": "did not show its effect",
        "verification.unknown": "could not be verified",
        "break_glass.used": "was decided alone, by breaking the glass",
    }[entry.kind]
    return f"Step {entry.data['step']} of run {entry.run} {what} (entry #{entry.index})."


def _verified(checks: Sequence[Entry]) -> str:
    """Return what the bot's own verifications of the period found; the full one with its time."""
    if not checks:
        return "I have not verified it myself in this time."
    bad = [one for one in checks if one.data["exit"] in BAD]
    if bad:
        places = ", ".join(f"#{one.index}" for one in bad)
        return f"{len(bad)} of my own {len(checks)} verifications FAILED ({places})."
    last = ([one for one in checks if one.data["mode"] == "full"] or [*checks])[-1].data
    took = f"{int(str(last['ms'])) / 1000:.1f} s"
    return (
        f"I verified it myself {plural(len(checks), 'time')} and found nothing wrong, the last"
        f" time {last['mode']}: {last['size']} entries in {took}."
    )


def _payloads(removed: Removed) -> dict[str, Json]:
    return {"swept": removed.swept, "erased": removed.erased, "holds": removed.holds}


def _payload_words(kept: Mapping[str, int] | None) -> list[str]:
    """Return what became of payloads in one sentence; none where there is nothing to say."""
    if kept is None or not any(kept.values()):
        return []  # Digests of before there was a term have none.
    swept = plural(kept["swept"], "payload")
    erased, holds = kept["erased"], plural(kept["holds"], "legal hold")
    return [f"{swept} swept, {erased} more erased one by one; {holds} in force."]


def _change(entry: Entry) -> str:
    named = _named(entry)
    what = entry.kind.replace(".", " ").replace("_", " ")
    return f"{what} {named}".strip() + f" (entry #{entry.index})."


def _named(entry: Entry) -> str:
    """Return which of its kind an entry changed; of roles and levels, to what."""
    data = entry.data
    if entry.kind == "workflow.level_changed":
        return f"{data['workflow']}: {data['to']}, was {data['from']} ({data['reason']})"
    if entry.kind in ROLES:
        place = "" if data["scope"] == EVERYWHERE else f" of {data['scope']}"
        return f"{data['role']}{place} {data['to']}"
    return next((str(data[one]) for one in NAMED_BY if data.get(one)), "")


def people_in(figures: Mapping[str, Any]) -> list[str]:
    """Return the pseudonyms of everybody that kept figures speak of."""
    found = figures.get("health", {}).get("findings", [])
    waiting = figures.get("waiting", [])
    return sorted({ref for one in [*found, *waiting] for ref in one.get("who", ())})


def shown_from(
    figures: Mapping[str, Any],
    *,
    name: NameOf = UNNAMED,
    titles: Titles = MappingProxyType({}),
) -> DigestShown:
    """Return the view of kept figures."""
    head, decided = figures["head"], dict(figures["decisions"])
    took = decided.pop("median_ms")
    median = None if took is None else timedelta(milliseconds=took)
    until = moment(figures["until"])
    return DigestShown(
        since=moment(figures["since"]),
        until=until,
        days=[_shown_day(one) for one in figures["days"]],
        workflows=[WorkflowFigures(**one) for one in figures["workflows"]],
        shadows=figures.get("shadows", 0),
        decisions=DecisionFigures(**decided, **figures.get("tried", {}), median=median),
        head=SignedHead(**head, check=CHECK),
        health=_shown_health(figures, name, titles),
        before=_shown_before(figures.get("before")),
        waiting=[_shown_waiting(one, name) for one in figures["waiting"]],
        waits=figures.get("waits", len(figures["waiting"])),
        exceptions=figures["exceptions"],
        changes=[*figures["changes"], *_payload_words(figures.get("payloads"))],
        anchors=[anchor_words(one, now=until) for one in figures.get("anchors", ())],
        failing=[
            *(failing_words(one) for one in figures.get("failing", ())),
            *(push_words(one) for one in figures.get("push", ())),
        ],
    )


def _shown_health(figures: Mapping[str, Any], name: NameOf, titles: Titles) -> HealthFigures | None:
    kept = figures.get("health")
    if kept is None:
        return None  # A digest of before there was such a chapter.
    found = [finding_from(one) for one in kept["findings"]]
    return HealthFigures(
        period=kept["period"],
        words=kept["words"],
        findings=[
            finding_words(one, name, lambda workflow: titles.get(workflow, workflow))
            for one in found
        ],
        causes=[(error_words(cause), times) for cause, times in kept.get("causes", ())],
        modes=[(by, [*map(_shown_share, shares)]) for by, shares in kept.get("modes", ())],
    )


def _shown_share(kept: Sequence[Any]) -> Share:
    label, times, so_far = kept
    return Share(label=label, times=times, so_far=so_far)


def _shown_day(one: Mapping[str, Any]) -> DayFigures:
    return DayFigures(**{**one, "day": date.fromisoformat(one["day"])})


def _shown_before(kept: Mapping[str, Any] | None) -> Before | None:
    if kept is None:
        return None  # A digest of before there was such a comparison.
    took = kept["median_ms"]
    median = None if took is None else timedelta(milliseconds=took)
    return Before(
        started=kept["started"],
        done=kept["done"],
        refused=kept["refused"],
        failed=kept["failed"],
        median=median,
    )


def _shown_waiting(one: Mapping[str, Any], name: NameOf) -> Waiting:
    return Waiting(
        title=one["title"],
        run=one["run"],
        since=moment(one["since"]),
        waits_for=one["waits_for"],
        asked=(*one.get("asked", ()), *(name(ref) for ref in one.get("who", ()))),
    )

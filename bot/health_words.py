"""How approvals go, in words: plain sentences with their numbers, for the terminal and for Slack.

Names are people's own words, so views escape what they take from here.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from bot.wording import NOTHING, Who, duration, plural, who_of
from workflows.approval_findings import Finding, Sign
from workflows.approval_health import (
    BUCKETS,
    ENOUGH,
    HASTY,
    ApproverHealth,
    Habits,
    Health,
    WorkflowHealth,
)
from workflows.people import PersonId

NameOf = Callable[[str], str]
CALM = "Nothing stands out."


def names_of(people: Mapping[str, tuple[PersonId, str]]) -> NameOf:
    """Return how pseudonyms are called; whoever was erased is somebody."""
    nobody = Who(name="").plain
    return lambda ref: who_of(*people[ref]).plain if ref in people else nobody


def finding_words(found: Finding, name: NameOf, title: NameOf) -> str:
    """Return what stands out, as a sentence with the numbers that make it so."""
    return _SENTENCES[found.sign](found, [name(ref) for ref in found.who], title(found.workflow))


def _rubber_stamp(found: Finding, who: Sequence[str], _title: str) -> str:
    return f"{who[0]} approved {found.count} of {found.of}, median {_time(found.took)}."


def _hasty(found: Finding, who: Sequence[str], _title: str) -> str:
    return f"{who[0]} decided {found.count} of {found.of} in under {_time(HASTY)}."


def _mutual(found: Finding, who: Sequence[str], _title: str) -> str:
    one, other = who
    return (
        f"{one} and {other} decide for each other: {other} decided {found.count} of the"
        f" {found.of} requests of {one}, and {one} {found.back} of the {found.back_of} of {other}."
    )


def _load(found: Finding, who: Sequence[str], _title: str) -> str:
    daily = round(found.count / found.of)
    return f"{who[0]} decided {daily} a day: {found.count} in {plural(found.of, 'day')}."


def _expired(found: Finding, _who: Sequence[str], title: str) -> str:
    return f"{title}: {found.count} of {plural(found.of, 'request')} expired without a decision."


def _nagged(found: Finding, _who: Sequence[str], title: str) -> str:
    reminders = plural(found.count, "reminder")
    return f"{title}: {reminders} for {plural(found.of, 'decision')}."


def _slower(found: Finding, _who: Sequence[str], title: str) -> str:
    return (
        f"{title}: decisions take longer, median {_time(found.took)} after"
        f" {_time(found.before)} in the period before."
    )


_SENTENCES: Mapping[Sign, Callable[[Finding, Sequence[str], str], str]] = {
    Sign.RUBBER_STAMP: _rubber_stamp,
    Sign.HASTY: _hasty,
    Sign.MUTUAL: _mutual,
    Sign.LOAD: _load,
    Sign.EXPIRED: _expired,
    Sign.NAGGED: _nagged,
    Sign.SLOWER: _slower,
}


def habits_words(now: Habits, before: Habits) -> str:
    """Return how many decisions there were and how they went, beside the period before."""
    if not now.decisions:
        return f"no decisions ({before.decisions} before)"
    told = [
        f"{plural(now.decisions, 'decision')} ({before.decisions} before)",
        f"{percent(now.approvals, now.decisions)} approved",
        f"median {_time(now.half)}{_compared(before.half)}",
        f"nine of ten within {_time(now.most)}",
    ]
    if now.hasty:
        told.append(f"{now.hasty} in under {_time(HASTY)}")
    return ", ".join(told)


def _compared(before: timedelta | None) -> str:
    return f" ({_time(before)} before)" if before is not None else ""


def workflow_words(one: WorkflowHealth) -> str:
    """Return how the approvals of a workflow went, without naming people."""
    told = [habits_words(one.now, one.before)]
    if one.settled:
        told.append(f"{one.expired} of {plural(one.settled, 'request')} expired")
    if one.now.decisions:
        told.append(f"{one.reminders / one.now.decisions:.1f} reminders a decision")
    return "; ".join(told)


def pair_words(one: WorkflowHealth, name: NameOf) -> str:
    """Return who decided for whom most often; nothing where nobody decided."""
    if one.pair is None:
        return ""
    requester, approver = one.pair
    share = percent(one.pair_requests, one.requests)
    return (
        f"most often {name(approver)} for {name(requester)}:"
        f" {one.pair_requests} of {plural(one.requests, 'request')} ({share})"
    )


def approver_words(one: ApproverHealth) -> str:
    """Return how one person decides."""
    return f"{habits_words(one.now, one.before)}; {one.per_day:.0f} a day, at most {one.busiest}"


def settling_words(runs: int) -> str:
    """Return how many runs stand."""
    one, many = "run needs somebody to settle it", "runs need somebody to settle them"
    return plural(runs, one, many)


def always_words(health: Health) -> str:
    """Return how many of those who decide often approve everything."""
    often = health.seasoned
    always = sum(one.now.is_always_yes for one in often)
    if not often:
        return f"Nobody decided {ENOUGH} times or more."
    people = plural(len(often), "person", "people")
    return f"Of {people} with {ENOUGH} decisions or more, {always} approved everything."


def cause_words(times: Counter[str], title: NameOf) -> str:
    """Return how often something stopped runs, and of which workflows."""
    told = [f"{title(workflow)} {count}" for workflow, count in times.most_common()]
    return f"{plural(times.total(), 'time')} ({', '.join(told)})"


def bucket_labels() -> list[str]:
    """Return what each bucket of times is called, the shortest first."""
    ends = [_time(end) for end in BUCKETS]
    return [f"under {ends[0]}", *(f"to {end}" for end in ends[1:]), "longer"]


def percent(part: int, whole: int) -> str:
    """Return a share in percent; one that is not all never reads as all."""
    if not whole:
        return NOTHING
    return f"{part * 100 // whole} %"


def _time(span: timedelta | None) -> str:
    return NOTHING if span is None else duration(span)

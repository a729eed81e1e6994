"""How approvals go: how long people think, how often they say no, who decides for whom.

Pure: what was recorded of two periods in, figures out. What of it deserves a person's attention
is for `approval_findings`; nothing here says that somebody did wrong.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TypeAlias, TypeVar

from workflows.entry import Ref, RequestId
from workflows.gate import Outcome, Verdict

USUAL_PERIOD, LONGEST_PERIOD = timedelta(days=30), timedelta(days=366)
HASTY = timedelta(seconds=5)  # Nobody reads a card in less.
ENOUGH = 10  # Decisions of one person; fewer say nothing about their habits.
# A decision belongs to the first bucket that it is shorter than; the last one has no end.
BUCKETS = (
    HASTY,
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=8),
    timedelta(days=1),
)
OF_PEOPLE = (Outcome.APPROVED, Outcome.DENIED)

Pair: TypeAlias = tuple[Ref, Ref]  # Who asked, and who decided.
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision. `asked_at` is when its card stood in Slack and its stage had its turn."""

    request: RequestId
    workflow: str
    requester: Ref
    approver: Ref
    verdict: Verdict
    asked_at: datetime
    decided_at: datetime

    @property
    def took(self) -> timedelta:
        """Return how long the approver had it before them."""
        return max(self.decided_at - self.asked_at, timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What was recorded of the approvals of one period."""

    decisions: Sequence[Decided]
    settled: Mapping[str, Counter[Outcome]]  # By workflow.
    reminders: Counter[str]  # By workflow.


NONE = Approvals(decisions=(), settled={}, reminders=Counter())


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Figures of some decisions; `buckets` counts them by how long they took."""

    decisions: int
    approvals: int
    hasty: int
    half: timedelta | None  # Half of them took no longer.
    most: timedelta | None  # Nine of ten took no longer.
    buckets: tuple[int, ...]

    @property
    def is_always_yes(self) -> bool:
        """Whether every one of them is an approval."""
        return 0 < self.decisions == self.approvals


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowHealth:
    """How the approvals of one workflow went; those of all of them have no name."""

    workflow: str
    now: Habits
    before: Habits
    settled: int  # Requests that people decided, or that expired.
    expired: int
    reminders: int
    requests: int  # Those that `pair` is a share of.
    pair: Pair | None  # Who decided for whom most often.
    pair_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverHealth:
    """How one person decides."""

    approver: Ref
    now: Habits
    before: Habits
    days: int  # On which they decided something, by UTC.
    busiest: int  # Decisions on the day with the most.

    @property
    def per_day(self) -> float:
        """Return how many decisions they made on a day on which they made any."""
        return self.now.decisions / self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The figures of a period beside those of the one before, which is as long."""

    since: datetime
    until: datetime
    total: WorkflowHealth
    workflows: Sequence[WorkflowHealth]  # By name.
    approvers: Sequence[ApproverHealth]  # Whoever decided most comes first.

    @property
    def seasoned(self) -> list[ApproverHealth]:
        """Return the people who decided often enough to speak of a habit."""
        return [one for one in self.approvers if one.now.decisions >= ENOUGH]


def health_of(now: Approvals, before: Approvals, *, since: datetime, until: datetime) -> Health:
    """Return the figures of the period `now`, and its habits beside those of `before`."""
    mine, earlier = _by_workflow(now), _by_workflow(before)
    return Health(
        since=since,
        until=until,
        total=_workflow("", now, before),
        workflows=[_workflow(name, mine[name], earlier.get(name, NONE)) for name in sorted(mine)],
        approvers=_approvers(now.decisions, before.decisions),
    )


def pairs_of(decisions: Iterable[Decided]) -> Counter[Pair]:
    """Return how many requests of whom who decided, alone or with others."""
    told = {(one.request, one.requester, one.approver) for one in decisions}
    return Counter((requester, approver) for _, requester, approver in told)


def _by_workflow(some: Approvals) -> dict[str, Approvals]:
    """Return what was recorded, workflow by workflow."""
    decisions = grouped(some.decisions, lambda one: one.workflow)
    return {
        name: Approvals(
            decisions=decisions.get(name, []),
            settled={name: some.settled.get(name, Counter())},
            reminders=Counter({name: some.reminders[name]}),
        )
        for name in decisions.keys() | some.settled.keys()
    }


def _workflow(name: str, now: Approvals, before: Approvals) -> WorkflowHealth:
    settled = sum(now.settled.values(), Counter[Outcome]())
    expired = settled[Outcome.EXPIRED]
    pairs = pairs_of(now.decisions)
    # Of two pairs that decided as often the one is named that comes first in any order of rows.
    pair = min(pairs, key=lambda one: (-pairs[one], one), default=None)
    return WorkflowHealth(
        workflow=name,
        now=habits_of(now.decisions),
        before=habits_of(before.decisions),
        settled=sum(settled[one] for one in OF_PEOPLE) + expired,
        expired=expired,
        reminders=now.reminders.total(),
        requests=len({one.request for one in now.decisions}),
        pair=pair,
        pair_requests=pairs[pair] if pair is not None else 0,
    )


def _approvers(now: Sequence[Decided], before: Sequence[Decided]) -> list[ApproverHealth]:
    mine, earlier = grouped(now, _approver), grouped(before, _approver)
    found = [_habits_of_one(ref, mine[ref], earlier.get(ref, [])) for ref in mine]
    return sorted(found, key=lambda one: (-one.now.decisions, one.approver))


def _approver(one: Decided) -> Ref:
    return one.approver


def _habits_of_one(ref: Ref, mine: Sequence[Decided], earlier: Sequence[Decided]) -> ApproverHealth:
    days = Counter(one.decided_at.date() for one in mine)
    return ApproverHealth(
        approver=ref,
        now=habits_of(mine),
        before=habits_of(earlier),
        days=len(days),
        busiest=max(days.values()),
    )


def grouped(
    decisions: Iterable[Decided], key: Callable[[Decided], Key]
) -> dict[Key, list[Decided]]:
    """Return the decisions by what `key` says of them."""
    found: dict[Key, list[Decided]] = defaultdict(list)
    for one in decisions:
        found[key(one)].append(one)
    return dict(found)


def habits_of(decisions: Sequence[Decided]) -> Habits:
    """Return the figures of `decisions`."""
    times = sorted(one.took for one in decisions)
    return Habits(
        decisions=len(times),
        approvals=sum(one.verdict is Verdict.APPROVE for one in decisions),
        hasty=bisect_left(times, HASTY),
        half=_not_longer(times, 0.5),
        most=_not_longer(times, 0.9),
        buckets=_buckets(times),
    )


def _not_longer(times: Sequence[timedelta], share: float) -> timedelta | None:
    """Return the shortest time that at least this share of `times` does not exceed."""
    return times[ceil(share * len(times)) - 1] if times else None


def _buckets(times: Sequence[timedelta]) -> tuple[int, ...]:
    ends = [*(bisect_left(times, end) for end in BUCKETS), len(times)]
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))

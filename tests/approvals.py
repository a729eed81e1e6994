"""Histories of approvals: who asked, who decided, what, and after how long."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows.approval_health import Approvals, Decided
from workflows.entry import Ref, RequestId
from workflows.gate import Verdict

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
REFUND, PURGE = "refund-customer", "purge-stale-accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request and its one decision; people by name."""

    workflow: str = REFUND
    requester: str = "Rita"
    approver: str = "Ana"
    approves: bool = True
    raised_at: datetime
    took: timedelta


def calm_history(seed: int = 7, *, until: datetime = NOW) -> list[Case]:
    """Return a month of people who read: varied times, some denials, nobody always the same."""
    rng = random.Random(seed)
    return list(_calm(rng, until))


def _calm(rng: random.Random, until: datetime) -> Iterator[Case]:
    for number in range(90):
        workflow, askers, deciders = _desk(number)
        requester = rng.choice(askers)
        yield Case(
            workflow=workflow,
            requester=requester,
            approver=rng.choice([one for one in deciders if one != requester]),
            approves=number % 8 != 0,
            raised_at=until - timedelta(days=1 + number % 28, hours=rng.uniform(0, 8)),
            # Now and then somebody knows already what it is about.
            took=timedelta(seconds=3 if number % 10 == 5 else rng.lognormvariate(5.5, 1.2) + 6),
        )


def _desk(number: int) -> tuple[str, Sequence[str], Sequence[str]]:
    if number % 2:
        return REFUND, ("Rita", "Sam", "Uma"), ("Ana", "Ben", "Eva")
    return PURGE, ("Omar", "Petra", "Cara", "Dan"), ("Ben", "Eva", "Cara", "Dan")


def stamps(person: str, count: int, *, took: timedelta, until: datetime = NOW) -> list[Case]:
    """Return what somebody approves who approves everything, each time after `took`."""
    return [
        Case(
            requester=("Rita", "Sam", "Uma")[number % 3],
            approver=person,
            raised_at=until - timedelta(days=1 + number % 28, minutes=7 * number),
            took=took,
        )
        for number in range(count)
    ]


def for_each_other(
    one: str, other: str, count: int, *, seed: int = 3, until: datetime = NOW
) -> list[Case]:
    """Return what two people decide of whom only the other ever decides, after due thought."""
    rng = random.Random(seed)
    return [
        Case(
            workflow=PURGE,
            requester=(one, other)[number % 2],
            approver=(other, one)[number % 2],
            approves=number % 7 != 3,
            raised_at=until - timedelta(days=1 + number % 28, hours=rng.uniform(0, 8)),
            took=timedelta(minutes=rng.uniform(2, 90)),
        )
        for number in range(count)
    ]


def as_recorded(cases: Sequence[Case]) -> Approvals:
    """Return the history as it would be read back, with names for pseudonyms."""
    decisions = [
        Decided(
            request=RequestId(f"q{number}"),
            workflow=one.workflow,
            requester=Ref(one.requester),
            approver=Ref(one.approver),
            verdict=Verdict.APPROVE if one.approves else Verdict.DENY,
            asked_at=one.raised_at,
            decided_at=one.raised_at + one.took,
        )
        for number, one in enumerate(cases)
    ]
    return Approvals(decisions=decisions, settled={}, reminders=Counter())

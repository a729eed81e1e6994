"""What stands out in how approvals go, each with the numbers that make it so. Pure.

A finding is a question to ask, not a verdict: somebody who approves everything in three seconds
may have agreed to all of it beforehand. docs/health.md says the thresholds to people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from workflows.approval_health import (
    ENOUGH,
    ApproverHealth,
    Decided,
    Health,
    Pair,
    WorkflowHealth,
    grouped,
    pairs_of,
)
from workflows.entry import Ref

QUICK = timedelta(seconds=10)  # Whoever decides half of it within that does not read.
HASTY_SHARE = 0.5
PAIR_REQUESTS, PAIR_SHARE = 5, 0.8
LOAD_DAYS, LOAD = 5, 20
EXPIRED_SHARE = 0.2
SLOWER_DECISIONS, SLOWER_TIMES, SLOWER_BY = 20, 2, timedelta(minutes=30)


class Sign(StrEnum):
    """What stands out; people come before workflows."""

    RUBBER_STAMP = "rubber_stamp"  # Approves everything, and at once.
    HASTY = "hasty"  # Decides most of it without having read it.
    MUTUAL = "mutual"  # Two who decide for each other, although others could.
    LOAD = "load"  # Has so many a day that nobody can read them all.
    EXPIRED = "expired"  # Requests that nobody decides in time.
    NAGGED = "nagged"  # Decisions that take more than one reminder each.
    SLOWER = "slower"  # Decisions that take much longer than in the period before.


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that stands out: `count` of `of`; for two people the way back as well."""

    sign: Sign
    who: tuple[Ref, ...] = ()
    workflow: str = ""
    count: int
    of: int
    back: int = 0
    back_of: int = 0
    took: timedelta | None = None
    before: timedelta | None = None


def findings_of(health: Health, decisions: Sequence[Decided]) -> list[Finding]:
    """Return what stands out, the gravest first; `decisions` are those of the health's period."""
    people = [found for one in health.approvers for found in _about_person(one)]
    pairs = list(_about_pairs(decisions))
    workflows = [found for one in health.workflows for found in _about_workflow(one)]
    gravity = list(Sign)
    return sorted(
        [*people, *pairs, *workflows], key=lambda one: (gravity.index(one.sign), -one.count)
    )


def _about_person(one: ApproverHealth) -> Iterator[Finding]:
    habits, who = one.now, (one.approver,)
    if habits.half is not None and habits.decisions >= ENOUGH:
        if habits.is_always_yes and habits.half < QUICK:
            yield Finding(
                sign=Sign.RUBBER_STAMP,
                who=who,
                count=habits.approvals,
                of=habits.decisions,
                took=habits.half,
            )
        elif habits.hasty >= HASTY_SHARE * habits.decisions:
            yield Finding(sign=Sign.HASTY, who=who, count=habits.hasty, of=habits.decisions)
    if one.days >= LOAD_DAYS and one.per_day >= LOAD:
        yield Finding(sign=Sign.LOAD, who=who, count=habits.decisions, of=one.days)


def _about_pairs(decisions: Sequence[Decided]) -> Iterator[Finding]:
    """Yield those who decide most of what the other asks for, both ways."""
    pairs = pairs_of(decisions)
    by_requester = grouped(decisions, lambda one: one.requester)
    asked = {ref: len({one.request for one in mine}) for ref, mine in by_requester.items()}
    for one, other in sorted(pairs):
        there, back = pairs[one, other], pairs[other, one]
        if one >= other or min(there, back) < PAIR_REQUESTS:
            continue
        is_usual = there >= PAIR_SHARE * asked[one] and back >= PAIR_SHARE * asked[other]
        if is_usual and _had_a_choice(decisions, (one, other)):
            yield Finding(
                sign=Sign.MUTUAL,
                who=(one, other),
                count=there,
                of=asked[one],
                back=back,
                back_of=asked[other],
            )


def _had_a_choice(decisions: Sequence[Decided], pair: Pair) -> bool:
    """Say whether others decide about the same workflows; where there are two, they must."""
    theirs = {one.workflow for one in decisions if one.requester in pair and one.approver in pair}
    return any(one.workflow in theirs and one.approver not in pair for one in decisions)


def _about_workflow(one: WorkflowHealth) -> Iterator[Finding]:
    if one.settled >= ENOUGH and one.expired >= EXPIRED_SHARE * one.settled:
        yield Finding(sign=Sign.EXPIRED, workflow=one.workflow, count=one.expired, of=one.settled)
    if one.now.decisions >= ENOUGH and one.reminders > one.now.decisions:
        yield Finding(
            sign=Sign.NAGGED, workflow=one.workflow, count=one.reminders, of=one.now.decisions
        )
    if _is_slower(one):
        yield Finding(
            sign=Sign.SLOWER,
            workflow=one.workflow,
            count=one.now.decisions,
            of=one.now.decisions,
            took=one.now.half,
            before=one.before.half,
        )


def _is_slower(one: WorkflowHealth) -> bool:
    now, before = one.now, one.before
    if now.half is None or before.half is None:
        return False
    are_enough = min(now.decisions, before.decisions) >= SLOWER_DECISIONS
    return are_enough and now.half >= max(SLOWER_TIMES * before.half, before.half + SLOWER_BY)

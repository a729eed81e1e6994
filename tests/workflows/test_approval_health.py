"""What is made of decisions: figures, and what stands out in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.approvals import (
    MONTH,
    NOW,
    PURGE,
    REFUND,
    Case,
    as_recorded,
    calm_history,
    for_each_other,
    stamps,
)
from workflows.approval_findings import Finding, Sign, findings_of
from workflows.approval_health import BUCKETS, Health, habits_of, health_of, pairs_of
from workflows.gate import Outcome

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOTHING = as_recorded([])


def case(took: timedelta = MINUTE, **more: object) -> Case:
    return replace(Case(raised_at=NOW - timedelta(days=3), took=took), **more)  # type: ignore[arg-type]  # A test names fields.


def health(cases: Sequence[Case], before: Sequence[Case] = ()) -> Health:
    now, earlier = as_recorded(cases), as_recorded(before)
    return health_of(now, earlier, since=NOW - MONTH, until=NOW)


def found(cases: Sequence[Case], before: Sequence[Case] = ()) -> list[Finding]:
    return findings_of(health(cases, before), as_recorded(cases).decisions)


def signs(cases: Sequence[Case], before: Sequence[Case] = ()) -> list[Sign]:
    return [one.sign for one in found(cases, before)]


def with_outcomes(cases: Sequence[Case], reminders: int = 0, **counts: int) -> list[Finding]:
    now = replace(
        as_recorded(cases),
        settled={REFUND: Counter({Outcome(name): count for name, count in counts.items()})},
        reminders=Counter({REFUND: reminders}),
    )
    figures = health_of(now, NOTHING, since=NOW - MONTH, until=NOW)
    return findings_of(figures, now.decisions)


def test_half_and_nine_of_ten_are_times_that_somebody_really_took() -> None:
    habits = habits_of(as_recorded([case(n * MINUTE) for n in range(1, 11)]).decisions)

    assert (habits.half, habits.most) == (5 * MINUTE, 9 * MINUTE)


def test_every_decision_lies_in_one_bucket_and_an_end_belongs_to_the_next() -> None:
    ends = [case(end) for end in BUCKETS]
    before = [case(end - timedelta(milliseconds=1)) for end in BUCKETS]
    habits = habits_of(as_recorded([*ends, *before]).decisions)

    assert habits.buckets == (1, 2, 2, 2, 2, 2, 2, 1)
    assert sum(habits.buckets) == habits.decisions


def test_hasty_is_under_five_seconds() -> None:
    habits = habits_of(as_recorded([case(4.9 * SECOND), case(5 * SECOND)]).decisions)

    assert habits.hasty == 1


def test_without_decisions_there_are_no_times() -> None:
    figures = health([]).total

    assert (figures.now.half, figures.now.decisions, figures.pair) == (None, 0, None)
    assert not figures.now.is_always_yes


def test_a_workflow_is_told_apart_from_the_others_and_beside_the_period_before() -> None:
    before = [case(2 * MINUTE), case(2 * MINUTE, workflow=PURGE)]
    told = health([case(), case(5 * MINUTE, workflow=PURGE, approves=False)], before)

    purge, refund = told.workflows
    assert (purge.workflow, purge.now.decisions, purge.now.approvals) == (PURGE, 1, 0)
    assert (refund.now.half, refund.before.half) == (MINUTE, 2 * MINUTE)
    assert told.total.now.decisions == 2


def test_an_approver_is_told_with_how_many_a_day() -> None:
    days = [case(raised_at=NOW - timedelta(days=number // 3)) for number in range(6)]
    (ana,) = health([*days, case(raised_at=NOW - timedelta(days=1))]).approvers

    assert (ana.approver, ana.days, ana.per_day, ana.busiest) == ("Ana", 2, 3.5, 4)


def test_the_most_frequent_pair_is_told_as_a_share_of_the_requests() -> None:
    told = health([case(), case(), case(requester="Sam"), case(approver="Ben")]).total

    assert (told.pair, told.pair_requests, told.requests) == (("Rita", "Ana"), 2, 4)


def test_a_request_that_two_people_decide_counts_once_for_each_pair() -> None:
    (first,) = as_recorded([case()]).decisions
    second = replace(first, approver="Ben")
    again = replace(first, verdict="deny")

    assert pairs_of([first, second, again]) == {("Rita", "Ana"): 1, ("Rita", "Ben"): 1}


def test_a_calm_month_has_nothing_that_stands_out() -> None:
    for seed in range(20):
        assert found(calm_history(seed)) == []


def test_planted_rubber_stamping_is_found_and_nothing_else() -> None:
    """One approves everything at once, two decide for each other, all others are honest."""
    planted = [*stamps("Ivo", 38, took=2 * SECOND), *for_each_other("Fay", "Gus", 14)]
    for seed in range(20):
        stamp, mutual = found([*calm_history(seed), *planted])

        assert (stamp.sign, stamp.who) == (Sign.RUBBER_STAMP, ("Ivo",))
        assert (stamp.count, stamp.of, stamp.took) == (38, 38, 2 * SECOND)
        assert (mutual.sign, mutual.who) == (Sign.MUTUAL, ("Fay", "Gus"))
        assert (mutual.count, mutual.of, mutual.back, mutual.back_of) == (7, 7, 7, 7)


@pytest.mark.parametrize(
    ("count", "took", "is_found"),
    [
        (10, 9 * SECOND, True),
        (9, 2 * SECOND, False),  # Too few to speak of a habit.
        (10, 10 * SECOND, False),  # Long enough to have read something.
    ],
)
def test_approving_everything_stands_out_from_ten_on_and_within_ten_seconds(
    count: int, took: timedelta, *, is_found: bool
) -> None:
    assert (Sign.RUBBER_STAMP in signs(stamps("Ivo", count, took=took))) is is_found


def test_somebody_who_approves_everything_with_time_does_not_stand_out() -> None:
    assert signs(stamps("Ana", 40, took=10 * MINUTE)) == []


def test_one_denial_ends_the_stamp_and_leaves_the_haste() -> None:
    cases = [*stamps("Ivo", 19, took=2 * SECOND), case(2 * SECOND, approver="Ivo", approves=False)]

    assert signs(cases) == [Sign.HASTY]


def test_haste_stands_out_from_half_of_the_decisions_on() -> None:
    slow = [case(approver="Ivo", approves=number > 0) for number in range(6)]
    fast = [case(SECOND, approver="Ivo")] * 6

    (hasty,) = found([*slow, *fast])
    assert (hasty.sign, hasty.count, hasty.of) == (Sign.HASTY, 6, 12)
    assert found([*slow, *fast[1:]]) == []


def test_two_who_are_the_only_ones_have_no_choice_and_do_not_stand_out() -> None:
    pair = for_each_other("Fay", "Gus", 14)

    assert signs(pair) == []
    assert signs([*pair, case(workflow=PURGE, approver="Ben")]) == [Sign.MUTUAL]


def test_two_who_others_decide_for_as_well_do_not_stand_out() -> None:
    pair = for_each_other("Fay", "Gus", 14)
    others = [case(workflow=PURGE, requester="Fay", approver="Ben")] * 2

    assert signs([*pair, *others]) == []


def test_one_who_only_ever_decides_for_another_is_no_pair() -> None:
    oneway = [one for one in for_each_other("Fay", "Gus", 28) if one.requester == "Fay"]

    assert signs([*oneway, case(workflow=PURGE, approver="Ben")]) == []


def test_more_a_day_than_anybody_reads_stands_out() -> None:
    def days(count: int) -> list[Case]:
        return [
            case(raised_at=NOW - timedelta(days=number % count), approves=number % 4 > 0)
            for number in range(20 * count)
        ]

    (load,) = found(days(5))
    assert (load.sign, load.who, load.count, load.of) == (Sign.LOAD, ("Ana",), 100, 5)
    assert found(days(4)) == []
    assert found(days(5)[1:]) == []


def test_requests_that_nobody_decides_stand_out() -> None:
    (expired,) = with_outcomes([], approved=6, denied=2, expired=2, withdrawn=40)

    assert (expired.sign, expired.workflow) == (Sign.EXPIRED, REFUND)
    assert (expired.count, expired.of) == (2, 10)
    assert with_outcomes([], approved=9, denied=2, expired=2) == []
    assert with_outcomes([], approved=5, expired=4) == []


def test_more_than_a_reminder_for_each_decision_stands_out() -> None:
    ten = [case(approves=number > 0) for number in range(10)]

    (nagged,) = with_outcomes(ten, reminders=11)
    assert (nagged.sign, nagged.count, nagged.of) == (Sign.NAGGED, 11, 10)
    assert with_outcomes(ten, reminders=10) == []


def test_decisions_that_take_twice_as_long_as_before_stand_out() -> None:
    def month(took: timedelta, count: int = 20) -> list[Case]:
        return [case(took, approves=number % 4 > 0) for number in range(count)]

    (slower,) = found(month(60 * MINUTE), month(30 * MINUTE))
    assert (slower.sign, slower.workflow) == (Sign.SLOWER, REFUND)
    assert (slower.took, slower.before) == (60 * MINUTE, 30 * MINUTE)
    assert found(month(59 * MINUTE), month(30 * MINUTE)) == []
    assert found(month(20 * MINUTE), month(5 * MINUTE)) == []  # Less than half an hour more.
    assert found(month(60 * MINUTE, 19), month(5 * MINUTE)) == []
    assert found(month(60 * MINUTE), month(5 * MINUTE, 19)) == []


def test_what_concerns_people_comes_first() -> None:
    now = replace(
        as_recorded(stamps("Ivo", 12, took=SECOND)),
        settled={REFUND: Counter({Outcome.EXPIRED: 10})},
    )
    figures = health_of(now, NOTHING, since=NOW - MONTH, until=NOW)

    assert [one.sign for one in findings_of(figures, now.decisions)] == [
        Sign.RUBBER_STAMP,
        Sign.EXPIRED,
    ]


def test_a_card_that_came_later_than_its_decision_took_no_time() -> None:
    (one,) = as_recorded([case(-SECOND)]).decisions

    assert one.took == timedelta(0)


def test_how_many_approve_everything_is_told_of_those_who_decide_often() -> None:
    told = health([*stamps("Ivo", 10, took=MINUTE), *stamps("Ana", 9, took=MINUTE)])

    assert [one.approver for one in told.seasoned] == ["Ivo"]

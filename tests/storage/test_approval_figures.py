"""What is read of approvals, on both databases: whose they are, when, and after how long."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from storage.approval_figures import read_approvals
from storage.figures import read_standing
from storage.outbox_values import MessagePlace
from storage.store import SqlStore
from storage.trouble_figures import read_failures
from tests.approvals import MONTH, NOW, PURGE, Case
from tests.storage.recorded_approvals import record
from tests.storage.run_drafts import (
    ANA,
    BEN,
    NOON,
    RITA,
    VERSION,
    HandClock,
    fact,
    new_run,
    requested,
    started,
    user,
    verdict,
)
from workflows.approval_health import Approvals, Decided
from workflows.entry import Json
from workflows.gate import Outcome, Verdict
from workflows.store import Message, Subject

MINUTE = timedelta(minutes=1)


def read(store: SqlStore, since: datetime = NOON, until: datetime = NOON + MONTH) -> Approvals:
    with store.database.read() as connection:
        return read_approvals(connection, since=since, until=until)


def asked(store: SqlStore, *, staged: bool = False, turn: int | None = None) -> None:
    """Have a request raised, whose card waits in the outbox."""
    with store.begin() as unit:
        unit.add_run(new_run("r1"))
        unit.append(started("r1"))
        draft = requested()
        if staged:
            stages = draft.data["stages"]
            assert isinstance(stages, list)
            shared = {} if turn is None else {"turn": turn}
            stages[:] = [{**stages[0], **shared} for _ in range(2)]
        unit.append(draft)
        unit.send(Message(subject=Subject.CARD, key="q1", run="r1"))


def card_stands_at(store: SqlStore, at: datetime) -> None:
    for row in store.outbox.claim_messages(by="here", limit=5):
        place = MessagePlace(channel="C0OPS", ts=f"{at.timestamp():.6f}")
        store.outbox.mark_delivered(row.id, done=row.wanted, place=place)


def decided(store: SqlStore, *, stage: int = 0, by: object = ANA, settles: bool = True) -> None:
    draft = verdict("granted", by=by, settles=settles)  # type: ignore[arg-type]  # An actor.
    draft.data["stage"] = stage  # type: ignore[index]  # A draft of the test's own.
    with store.begin() as unit:
        unit.append(draft)


def only(found: Approvals) -> Decided:
    (one,) = found.decisions
    return one


def test_a_decision_is_read_with_who_asked_and_how_long_it_took(
    store: SqlStore, clock: HandClock
) -> None:
    asked(store)
    clock.forward(minutes=3)
    decided(store)

    one = only(read(store))
    assert (one.workflow, one.requester, one.approver) == ("refund-customer", RITA.ref, ANA.ref)
    assert (one.verdict, one.took, one.request) == (Verdict.APPROVE, 3 * MINUTE, "q1")


def test_thinking_begins_when_the_card_stands_in_slack(store: SqlStore, clock: HandClock) -> None:
    asked(store)
    card_stands_at(store, NOON + 2 * MINUTE)
    clock.forward(minutes=3)
    decided(store)

    assert only(read(store)).took == MINUTE


@pytest.mark.parametrize("minutes", [-60, 4])
def test_a_clock_of_slack_that_cannot_be_right_is_not_believed(
    store: SqlStore, clock: HandClock, minutes: int
) -> None:
    asked(store)
    card_stands_at(store, NOON + minutes * MINUTE)
    clock.forward(minutes=3)
    decided(store)

    assert only(read(store)).took == 3 * MINUTE


def test_a_later_stage_thinks_from_when_its_turn_came(store: SqlStore, clock: HandClock) -> None:
    asked(store, staged=True)
    clock.forward(hours=5)
    decided(store, settles=False)
    clock.forward(seconds=2)
    decided(store, stage=1, by=BEN)

    first, second = read(store).decisions
    assert (first.took, second.took) == (timedelta(hours=5), timedelta(seconds=2))


def test_groups_that_decide_in_one_turn_do_not_wait_for_each_other(
    store: SqlStore, clock: HandClock
) -> None:
    asked(store, staged=True, turn=0)
    clock.forward(hours=5)
    decided(store, settles=False)
    clock.forward(seconds=2)
    decided(store, stage=1, by=BEN)

    assert read(store).decisions[1].took == timedelta(hours=5, seconds=2)


def test_who_is_let_in_later_thinks_from_then_on(store: SqlStore, clock: HandClock) -> None:
    asked(store)
    clock.forward(hours=4)
    carl = user("s:" + "d" * 32)
    with store.begin() as unit:
        more: dict[str, Json] = {"groups": ["@directors"], "stages": [0]}
        unit.append(fact("approval.escalated", request="q1", to=[carl.ref], n=1, **more))
    clock.forward(seconds=2)
    decided(store, by=carl)

    assert only(read(store)).took == timedelta(seconds=2)


def test_a_stage_is_told_from_the_one_before_even_where_that_was_another_month(
    store: SqlStore, clock: HandClock
) -> None:
    asked(store, staged=True)
    clock.forward(hours=5)
    decided(store, settles=False)
    clock.forward(seconds=2)
    decided(store, stage=1, by=BEN)

    assert only(read(store, since=NOON + timedelta(hours=5, seconds=1))).took.seconds == 2


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    store: SqlStore, clock: HandClock
) -> None:
    asked(store)
    clock.forward(minutes=3)
    decided(store)
    then = NOON + 3 * MINUTE

    assert read(store, since=then).decisions
    assert not read(store, until=then).decisions
    assert read(store, since=then).settled == {"refund-customer": Counter({Outcome.APPROVED: 1})}
    assert read(store, until=then).settled == {}


def test_reminders_and_expiries_are_counted_by_workflow(store: SqlStore, clock: HandClock) -> None:
    asked(store)
    for number in (1, 2):
        clock.forward(hours=1)
        with store.begin() as unit:
            unit.append(fact("approval.reminded", request="q1", to=[ANA.ref], n=number))
    clock.forward(hours=1)
    with store.begin() as unit:
        unit.append(fact("approval.expired", request="q1", binding="b", have=0, need=1))

    found = read(store)
    assert found.reminders == {"refund-customer": 2}
    assert found.settled["refund-customer"] == {Outcome.EXPIRED: 1}
    assert read(store, since=NOON + timedelta(minutes=90)).reminders == {"refund-customer": 1}


def test_causes_are_counted_and_what_the_bot_decides_by_itself_is_none(
    store: SqlStore, clock: HandClock
) -> None:
    asked(store)
    stopped = {"step": "refund", "decision": "exception", "rule": "timeout"}
    clock.forward(minutes=1)
    with store.begin() as unit:
        unit.append(fact("decision.made", step="a", decision="skip", rule="when"))
        unit.append(fact("decision.made", **stopped))
        unit.append(fact("decision.made", **stopped))
        unit.append(
            fact("action.in_doubt", step="refund", attempt=1, idem="r1/refund", cause="crash")
        )
        unit.append(fact("verification.failed", step="refund", check="c", attempt=1))

    with store.database.read() as connection:
        found = read_failures(connection, since=NOON, until=NOON + MONTH)
        earlier = read_failures(connection, since=NOON - MONTH, until=NOON)
    assert {one.cause: times for one, times in found.items()} == {
        "timeout": 2,
        "crash": 1,
        "verification_failed": 1,
    }
    assert {(one.workflow, one.version, one.step) for one in found} == {
        ("refund-customer", VERSION, "refund")
    }
    assert not earlier


def test_what_waits_is_counted_with_the_moment_that_presses(store: SqlStore) -> None:
    with store.database.read() as connection:
        assert read_standing(connection, now=NOON).requests_until is None
    asked(store)
    with store.begin() as unit:
        unit.add_run(new_run("r2"))
        unit.append(started("r2"))
        unit.append(fact("decision.made", "r2", step="a", decision="exception", rule="timeout"))

    with store.database.read() as connection:
        found = read_standing(connection, now=NOON)
        late = read_standing(connection, now=NOON + timedelta(hours=24))
    assert (found.requests, found.requests_until) == (1, NOON + timedelta(hours=24))
    assert (found.runs, found.runs_since) == (1, NOON)
    assert (late.requests, late.requests_until, late.runs) == (0, None, 1)


def test_a_history_is_read_as_it_happened(store: SqlStore, clock: HandClock) -> None:
    case = Case(workflow=PURGE, approves=False, raised_at=NOW - 5 * MINUTE, took=MINUTE)
    record(store, clock, [case])

    one = only(read(store, since=NOW - MONTH, until=NOW))
    assert (one.workflow, one.verdict, one.took) == (PURGE, Verdict.DENY, MINUTE)
    with store.begin() as unit:
        assert (unit.name(one.requester), unit.name(one.approver)) == ("Rita", "Ana")

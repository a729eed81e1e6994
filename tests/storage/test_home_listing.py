"""What a Home shows is found by an index, in order, a page at a time, for one person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from bot.digest_asked import asked_now
from storage.awaited import heal
from storage.glass_sql import GlassSql
from storage.home_listing import (
    count_awaited,
    last_decision,
    list_awaited,
    open_request,
    reviews_for,
    runs_ended,
    runs_going,
    troubled_runs,
)
from storage.home_values import Told
from storage.listing import MOST, list_open_requests
from storage.rebuild import check_projections
from storage.store import SqlStore
from storage.waiting_runs import read_waiting_runs
from tests.storage.run_drafts import (
    ANA,
    BEN,
    NOON,
    RITA,
    HandClock,
    fact,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from tests.storage.test_store_indexes import READ_WHOLE
from workflows.definition import Definition
from workflows.entry import Draft, Json, Ref, RequestId, RunId
from workflows.errors import StorageError
from workflows.gate import Verdict
from workflows.store import Message, Subject

Sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def record(store: SqlStore, *drafts: Draft) -> None:
    with store.begin() as unit:
        for draft in drafts:
            if draft.kind == "run.started":
                unit.add_run(new_run(str(draft.run), workflow=str(draft.data["workflow"])))
            unit.append(draft)


def waiting(store: SqlStore, number: int, *, hours: int = 24) -> None:
    """Have a run wait for Ana and Ben."""
    run = f"r{number}"
    expires = NOON + timedelta(hours=hours)
    record(store, started(run), requested(run, request=f"q{number}", expires=expires))


def ids(
    store: SqlStore, ref: str = ANA.ref, *in_place_of: str, skip: int = 0, most: int = 10
) -> list[str]:
    found = list_awaited(
        store.database,
        ref,
        in_place_of=in_place_of,
        now=NOON,
        skip=skip,
        most=most,
    )
    return [one.id for one in found]


def test_the_nearest_end_comes_first_and_pages_follow_each_other(store: SqlStore) -> None:
    for number, hours in enumerate((5, 3, 9, 1)):
        waiting(store, number, hours=hours)

    assert ids(store) == ["q3", "q1", "q0", "q2"]
    assert ids(store, skip=1, most=2) == ["q1", "q0"]
    assert ids(store, skip=9) == []


def test_what_is_over_by_time_does_not_wait_any_more(store: SqlStore) -> None:
    waiting(store, 1, hours=-1)

    assert ids(store) == []
    assert count_awaited(store.database, ANA.ref, now=NOON, most=9) == 0


def test_what_waits_for_several_is_listed_once_in_one_order(store: SqlStore) -> None:
    waiting(store, 1, hours=2)
    record(store, started("r2"), requested("r2", request="q2", people=(BEN.ref,)))
    waiting(store, 3, hours=30)

    assert ids(store, ANA.ref, BEN.ref) == ["q1", "q2", "q3"]
    assert ids(store, ANA.ref, BEN.ref, skip=1, most=1) == ["q2"]
    assert ids(store, RITA.ref) == []


def test_a_question_waits_for_nobody_in_anothers_place(store: SqlStore) -> None:
    waiting(store, 1)
    question = fact(
        "question.asked",
        "r2",
        request="k1",
        step="ask",
        people=[ANA.ref],
        expires="2026-03-02T15:00:00.000Z",
    )
    record(store, started("r2"), question)

    assert ids(store, ANA.ref) == ["k1", "q1"]
    assert ids(store, RITA.ref, ANA.ref) == ["q1"]


def test_counting_stops_where_it_was_told_to(store: SqlStore) -> None:
    for number in range(4):
        waiting(store, number)

    assert count_awaited(store.database, ANA.ref, now=NOON, most=3) == 3
    assert count_awaited(store.database, ANA.ref, now=NOON, most=9) == 4


def test_an_open_request_comes_with_what_was_decided_and_a_settled_one_not_at_all(
    store: SqlStore,
) -> None:
    record(store, started(), requested(approve=2), verdict("granted", settles=False))
    found = open_request(store.database, RequestId("q1"))
    record(store, verdict("denied", by=BEN))

    assert found is not None
    assert [one.approver for one in found[1]] == [ANA.ref]
    assert open_request(store.database, RequestId("q1")) is None
    assert open_request(store.database, RequestId("q9")) is None


def test_somebodys_runs_are_told_apart_by_whether_they_ended(
    store: SqlStore, clock: HandClock
) -> None:
    for number in range(5):
        record(store, started(f"r{number}"))
        clock.forward(minutes=1)
    record(store, started("r9", actor=BEN))
    for number in (0, 3, 1):
        record(store, finished(f"r{number}"))
        clock.forward(minutes=1)

    going = runs_going(store.database, RITA.ref, skip=0, most=9)
    assert [one.id for one in going] == ["r4", "r2"]
    assert [one.id for one in runs_going(store.database, RITA.ref, skip=1, most=9)] == ["r2"]
    assert [one.id for one in runs_ended(store.database, RITA.ref, most=2)] == ["r1", "r3"]


def test_what_stands_in_a_workflow_comes_the_oldest_first(
    store: SqlStore, clock: HandClock
) -> None:
    stops = {"decision": "exception", "rule": "http_500", "step": "refund"}
    for number, workflow in enumerate(("refund", "refund", "other", "refund")):
        run = f"r{number}"
        record(store, started(run, workflow=workflow), fact("decision.made", run, **stops))
        clock.forward(minutes=1)
    record(store, finished("r0", outcome="aborted"))

    found = troubled_runs(store.database, "refund", most=9)
    assert [one.id for one in found] == ["r1", "r3"]
    assert len(troubled_runs(store.database, "refund", most=1)) == 1


def test_what_somebody_decided_last_is_found(store: SqlStore) -> None:
    waiting(store, 1)
    waiting(store, 2)
    record(store, verdict("denied", "r2", request="q2"))
    record(store, verdict("granted", "r1", request="q1"))
    found = last_decision(store.database, ANA.ref)

    assert found is not None
    assert (found.request, found.verdict) == ("q1", Verdict.APPROVE)
    assert last_decision(store.database, BEN.ref) is None


def plans(store: SqlStore, call: Callable[[], object]) -> dict[str, str]:
    """Return how SQLite reads for each statement that `call` has said."""
    said: list[tuple[str, object]] = []

    def note(_c: object, _d: object, statement: str, values: object, *_more: object) -> None:
        said.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    call()
    event.remove(Engine, "before_cursor_execute", note)
    with store.database.begin() as tx:
        return {
            one: "; ".join(row[3] for row in tx.driver.execute(f"EXPLAIN QUERY PLAN {one}", values))
            for one, values in said
            if one.lstrip().startswith("SELECT")
        }


def broken(request: str, *, run: str, reviewers: tuple[str, ...]) -> Draft:
    review_by = f"2026-03-0{3 + len(reviewers)}T12:00:00.000Z"
    return fact(
        "break_glass.used",
        run,
        actor=RITA,
        request=request,
        step="refund",
        binding="b",
        review_by=review_by,
        reviewers=[*reviewers],
        settles=True,
    )


def test_a_broken_glass_waits_for_those_who_review_it_the_most_urgent_first(
    store: SqlStore,
) -> None:
    for number in (1, 2):
        waiting(store, number)
    record(store, broken("q1", run="r1", reviewers=(ANA.ref, BEN.ref)))
    record(store, broken("q2", run="r2", reviewers=(ANA.ref,)))

    def asked(ref: str) -> list[str]:
        return [one.request for one in reviews_for(store.database, ref, most=9)]

    before = asked(ANA.ref), asked(BEN.ref), asked(RITA.ref)
    used = reviews_for(store.database, BEN.ref, most=1)[0].id
    data: dict[str, Json] = {"used": used, "verdict": "right", "by_run": "r1"}
    record(store, Draft(kind="break_glass.reviewed", actor=ANA, data=data))

    assert before == (["q2", "q1"], ["q1"], [])
    assert (asked(ANA.ref), asked(BEN.ref)) == (["q2"], [])
    assert ids(store) == []
    assert check_projections(store.database) == []


def test_news_of_a_broken_glass_reaches_whoever_reviews_it(store: SqlStore) -> None:
    waiting(store, 1)
    with store.begin() as unit:
        for ref in (ANA.ref, RITA.ref):
            unit.open_home(Ref(ref), shown=None)
    for ref in (store.homes.claim(by="one"), store.homes.claim(by="one")):
        assert ref is not None
        store.homes.mark_drawn(ref.ref, by="one", shown="h", pause=timedelta())
    record(store, broken("q1", run="r1", reviewers=(ANA.ref,)))
    first = store.homes.claim(by="one")

    assert first is not None
    assert first.ref == ANA.ref


def test_news_of_a_request_reaches_whoever_stands_in_for_somebody_it_waits_for(
    store: SqlStore,
) -> None:
    until = f"{NOON + timedelta(days=3):%Y-%m-%dT%H:%M:%S.000Z}"
    told: dict[str, Json] = {"request": None, "from": ANA.ref, "to": RITA.ref, "until": until}
    record(store, Draft(kind="approval.delegated", actor=ANA, data=told))
    with store.begin() as unit:
        unit.open_home(Ref(RITA.ref), shown=None)
    opened = store.homes.claim(by="one")
    assert opened is not None
    store.homes.mark_drawn(opened.ref, by="one", shown="h", pause=timedelta())
    before = store.homes.claim(by="one")
    waiting(store, 1)
    after = store.homes.claim(by="one")

    assert before is None
    assert after is not None
    assert after.ref == RITA.ref


@Sqlite
def test_nothing_that_a_home_reads_grows_with_the_log(store: SqlStore) -> None:
    waiting(store, 1)
    database, ref = store.database, ANA.ref

    def read() -> None:
        list_awaited(database, ref, now=NOON, skip=0, most=6)
        count_awaited(database, ref, now=NOON, most=100)
        runs_going(database, ref, skip=0, most=7)
        runs_ended(database, ref, most=3)
        troubled_runs(database, "refund", most=5)
        last_decision(database, ref)

    found = plans(store, read)

    assert len(found) == 6
    for index in (
        "ix_awaited_ref",
        "ix_run_requester_going",
        "ix_run_requester_ended",
        "ix_run_troubled",
        "ix_decision_approver",
    ):
        assert any(index in plan for plan in found.values()), index
    whole = {one: plan for one, plan in found.items() if READ_WHOLE.search(plan)}
    assert list(whole) == [one for one in found if "count(*)" in one]  # It counts its own rows.
    assert not any("TEMP B-TREE" in plan for plan in found.values())


@Sqlite
def test_no_statement_around_homes_reads_a_whole_table(store: SqlStore) -> None:
    said: list[str] = []
    with store.database.begin() as tx:
        tx.driver.set_trace_callback(said.append)
    waiting(store, 1)
    with store.begin() as unit:
        unit.open_home(Ref(ANA.ref), shown=None)
    store.homes.claim(by="one")
    store.homes.mark_drawn(ANA.ref, by="one", shown="h", pause=timedelta(seconds=5))
    store.homes.answers_for(ANA.ref, ["refund"])
    store.homes.turn(ANA.ref, "waiting", 5)
    store.homes.choose(ANA.ref, Told.TROUBLE)
    store.homes.hurry(ANA.ref, is_news=True)
    store.homes.postpone(ANA.ref, by="one", wait=timedelta(seconds=5))
    record(store, verdict("granted"), finished())
    with store.database.begin() as tx:
        GlassSql(tx).unreviewed(most=9)
    store.homes.forget(ANA.ref)
    heal(store.database)
    with store.database.begin() as tx:
        tx.driver.set_trace_callback(None)
        words = ("home_", "awaited", "outbox", "glass_use")
        mine = [one for one in said if any(word in one for word in words)]
        found = {
            one: "; ".join(row[3] for row in tx.driver.execute(f"EXPLAIN QUERY PLAN {one}"))
            for one in mine
        }

    assert len(found) > 15
    assert any("ix_glass_use_unreviewed" in plan for plan in found.values())
    # The news that waits is read in its order, and it is few.
    whole = {one for one, plan in found.items() if READ_WHOLE.search(plan)}
    assert {one for one in whole if "home_news n JOIN" not in one} == set()


def test_of_what_somebody_did_with_their_pages_the_later_counts(store: SqlStore) -> None:
    def opened(second: int) -> None:
        with store.begin() as unit:
            unit.open_home(Ref(ANA.ref), shown=None, at=NOON + timedelta(seconds=second))

    def turned(second: int, page: int) -> None:
        store.homes.turn(ANA.ref, "waiting", page, at=NOON + timedelta(seconds=second))

    pages = []
    for happens in (
        lambda: opened(1),
        lambda: turned(3, 5),
        lambda: opened(2),
        lambda: turned(2, 10),
        lambda: turned(4, 10),
        lambda: opened(5),
    ):
        happens()
        reader = store.homes.reader(ANA.ref)
        pages.append(reader.pages if reader is not None else None)

    five, ten = {"waiting": 5}, {"waiting": 10}
    assert pages == [{}, five, five, five, ten, {}]


def test_news_reaches_those_who_opened_their_home_and_nobody_else(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.open_home(Ref(ANA.ref), shown=None)
    store.homes.claim(by="one")
    store.homes.mark_drawn(ANA.ref, by="one", shown="h", pause=timedelta(0))
    told: list[bool] = []
    store.on_news(lambda: told.append(True))
    waiting(store, 1)
    rang, told[:] = list(told), []
    claimed = store.homes.claim(by="one")
    record(store, started("r2"), requested("r2", request="q2", people=(BEN.ref,)))

    assert rang
    assert claimed is not None
    assert claimed.ref == ANA.ref
    assert told == []
    assert store.homes.claim(by="two") is None


def test_owners_hear_of_what_stops_and_setters_of_their_schedules(store: SqlStore) -> None:
    for who in (ANA, BEN):
        with store.begin() as unit:
            unit.open_home(Ref(who.ref), shown=None)
    store.homes.answers_for(BEN.ref, ["refund-customer"])
    _draw_all(store)
    record(store, started(), fact("action.in_doubt", step="a", attempt=1, idem="i", cause="crash"))
    owners = _draw_all(store)
    set_one = Draft(
        kind="schedule.set",
        actor=ANA,
        data={
            "schedule": "s1",
            "workflow": "other",
            "version": "v",
            "cron": "0 9 * * *",
            "at": None,
            "timezone": "UTC",
            "missed": "skip",
            "overlap": "queue",
        },
    )
    record(store, set_one)
    setters = _draw_all(store)

    assert owners == [BEN.ref]
    assert setters == [ANA.ref]


def test_requesters_hear_how_their_runs_go(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.open_home(Ref(RITA.ref), shown=None)
    _draw_all(store)
    heard = []
    for draft in (started(), requested(), verdict("granted"), finished()):
        record(store, draft)
        heard.append(bool(_draw_all(store)))
    record(store, started("r2", actor=BEN))

    assert heard == [True] * 4
    assert _draw_all(store) == []


def _draw_all(store: SqlStore) -> list[str]:
    """Draw every Home that is to be drawn; return whose they were."""
    found = []
    while (reader := store.homes.claim(by="one")) is not None:
        store.homes.mark_drawn(reader.ref, by="one", shown="h", pause=timedelta(0))
        found.append(str(reader.ref))
    return found


def test_a_unit_that_is_not_kept_is_no_news(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.open_home(Ref(ANA.ref), shown=None)
    _draw_all(store)
    told: list[bool] = []
    store.on_news(lambda: told.append(True))
    with pytest.raises(StorageError):
        record(store, started(), requested(), intended())  # Nothing is approved.

    assert told == []
    with store.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM home_news")).scalar() == 0


def batched(store: SqlStore, run: str = "r1", *, items: int = 3, hours: int = 24) -> None:
    """Have a run wait for Ana and Ben with items that one card shows."""
    expires = NOON + timedelta(hours=hours)
    asked = [
        requested(run, request=f"{run}i{one}", step=f"pay/{one}", expires=expires, batch=f"{run}i0")
        for one in range(items)
    ]
    record(store, started(run), *asked)


def test_a_batch_is_one_thing_that_waits_whichever_of_its_items_do(store: SqlStore) -> None:
    waiting(store, 0, hours=1)
    batched(store)
    waiting(store, 2, hours=48)
    with store.begin() as unit:
        unit.send(Message(subject=Subject.CARD, key="r1i0", run=RunId("r1")))

    assert ids(store) == ["q0", "r1i0", "q2"]
    assert ids(store, skip=1, most=1) == ["r1i0"]
    assert ids(store, "s:nobody", ANA.ref, BEN.ref) == ["q0", "r1i0", "q2"]
    assert count_awaited(store.database, ANA.ref, now=NOON, most=99) == 3

    record(store, verdict("granted", "r1", request="r1i0"))
    assert ids(store) == ["q0", "r1i1", "q2"]
    assert [one.id for one in store.batch(RequestId("r1i0"))] == ["r1i0", "r1i1", "r1i2"]
    assert [one.request.id for one in list_open_requests(store.database, now=NOON)] == [
        "q0",
        "r1i1",
        "q2",
    ]
    assert check_projections(store.database) == []


def test_what_nobody_can_decide_any_more_waits_for_nobody_before_its_end_is_recorded(
    store: SqlStore,
) -> None:
    waiting(store, 0, hours=1)
    batched(store, hours=2)
    listed = [
        [one.request.id for one in list_open_requests(store.database, now=NOON + after)]
        for after in (timedelta(), timedelta(hours=1), timedelta(hours=2))
    ]
    with store.database.read() as connection:
        waits = [
            read_waiting_runs(connection, now=NOON + timedelta(hours=one), most=9).total
            for one in (0, 1, 2)
        ]

    assert listed == [["q0", "r1i0"], ["r1i0"], []]
    assert waits == [2, 1, 0]


def test_what_is_done_on_a_home_while_it_is_drawn_is_shown_without_the_pause(
    store: SqlStore,
) -> None:
    ana = Ref(ANA.ref)
    waiting(store, 1)
    with store.begin() as unit:
        unit.open_home(ana, shown=None)
    store.homes.claim(by="one")
    store.homes.turn(ana, "waiting", 5)
    store.homes.mark_drawn(ana, by="one", shown="h", pause=timedelta(hours=1))
    again = store.homes.claim(by="one")
    store.homes.mark_drawn(ana, by="one", shown="h", pause=timedelta(hours=1))
    store.homes.renew([ana])

    assert again is not None
    assert again.pages == {"waiting": 5}
    assert store.homes.claim(by="one") is None


@Sqlite
def test_a_digest_names_who_is_asked_by_the_runs_it_lists_whatever_ends_sooner(
    store: SqlStore,
) -> None:
    waiting(store, 0, hours=48)
    later = [started(f"r{one}") for one in range(1, MOST + 1)]
    asked = [
        requested(f"r{one}", request=f"q{one}", expires=NOON + timedelta(hours=1))
        for one in range(1, MOST + 1)
    ]
    record(store, *later, *asked)

    def of_what_stopped(version: str) -> Definition:
        raise AssertionError(version)

    found = asked_now(store.database, of_what_stopped, now=NOON)

    assert found[RunId("r0")].names == ("@finance",)


def test_a_list_that_is_cut_begins_with_what_waits_for_its_reader(store: SqlStore) -> None:
    batched(store, "r0")
    waiting(store, 1, hours=1)
    waiting(store, 2, hours=2)
    record(store, verdict("granted", "r0", request="r0i0"))

    def listed(*first: str) -> list[str]:
        named = [RequestId(one) for one in first]
        found = list_open_requests(store.database, now=NOON, first=named, most=2)
        return [one.request.id for one in found]

    assert listed() == ["q1", "q2"]
    assert listed("q2") == ["q2", "q1"]
    assert listed("r0i0") == ["r0i1", "q1"]

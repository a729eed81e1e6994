"""Tables follow the entries: rebuilt from them alone they are the same, and lies show."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage import rebuild
from storage.rebuild import check_projections
from storage.store import SqlStore
from storage.told_rows import Key, Row, ToldRows
from tests.storage.run_drafts import (
    ANA,
    BEN,
    NOON,
    RITA,
    VERSION,
    executed,
    fact,
    failed,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from workflows.entry import INTERLOCK, Draft, Part, RequestId, RunId
from workflows.errors import StorageError
from workflows.gate import Outcome, Verdict
from workflows.run import Status
from workflows.status import status_after

RUN = RunId("r1")
QUESTION = RequestId("q1")
WEEK = {"until": "2026-03-09T09:00:00.000Z"}


def record(store: SqlStore, *drafts: Draft) -> None:
    for draft in drafts:
        with store.begin() as unit:
            if draft.kind == "run.started":
                assert draft.run is not None
                unit.add_run(new_run(draft.run))
            unit.append(draft)


def resolved(happened: str, by: str, *, attempt: int = 1) -> Draft:
    return fact(
        "action.resolved",
        step="refund",
        attempt=attempt,
        idem="r1/refund",
        happened=happened,
        by=by,
    )


def chosen(decision: str) -> Draft:
    return fact("decision.made", step="refund", decision=decision, rule="person")


def test_a_request_is_read_back_as_it_was_raised(store: SqlStore) -> None:
    record(store, started(), requested(approve=2))

    found = store.request(QUESTION)
    assert (found.run, found.step, found.requester) == (RUN, "refund", RITA.ref)
    assert found.stages[0].people == {ANA.ref, BEN.ref}
    assert (found.stages[0].approve, found.groups) == (2, ("@finance",))
    assert (found.raised_at, found.expires_at) == (NOON, NOON + timedelta(hours=24))
    assert (found.outcome, found.is_consumed, found.needs_reason) == (Outcome.OPEN, False, False)


def test_an_approval_is_used_once_and_given_back_by_an_attempt_that_did_not_happen(
    store: SqlStore,
) -> None:
    record(store, started(), requested(), verdict("granted"), intended())
    assert store.request(QUESTION).is_consumed

    record(store, failed())

    assert not store.request(QUESTION).is_consumed
    record(store, intended(attempt=2))
    assert store.request(QUESTION).is_consumed


def test_an_approval_stays_used_when_part_of_the_effect_may_stand(store: SqlStore) -> None:
    record(store, started(), requested(), verdict("granted"), intended())

    record(store, failed(performed="partly"))

    assert store.request(QUESTION).is_consumed


@pytest.mark.parametrize(("by", "is_consumed"), [("probe", False), ("person", True)])
def test_a_doubt_resolved_as_not_happened_gives_the_approval_back_only_to_a_probe(
    store: SqlStore, by: str, *, is_consumed: bool
) -> None:
    record(store, started(), requested(), verdict("granted"), intended())

    record(store, resolved("no", by))

    assert store.request(QUESTION).is_consumed is is_consumed


def test_the_database_refuses_an_effect_under_a_request_that_is_not_approved(
    store: SqlStore,
) -> None:
    record(store, started(), requested())

    with pytest.raises(StorageError, match="not approved"):
        record(store, intended())


def test_the_database_refuses_a_second_effect_under_one_approval(store: SqlStore) -> None:
    record(store, started(), requested(), verdict("granted"), intended())

    with pytest.raises(StorageError, match="already used"):
        record(store, intended(attempt=2))


def test_the_database_refuses_a_verdict_given_twice_and_takes_a_change_of_mind(
    store: SqlStore,
) -> None:
    record(store, started(), requested(), verdict("granted"))

    with pytest.raises(StorageError):
        record(store, verdict("granted"))

    record(store, verdict("denied"))
    with store.begin() as unit:
        given = unit.decisions(QUESTION)
    assert [(one.approver, one.verdict) for one in given] == [
        (ANA.ref, Verdict.APPROVE),
        (ANA.ref, Verdict.DENY),
    ]
    assert store.request(QUESTION).outcome is Outcome.DENIED


def test_a_verdict_that_comes_after_the_approval_was_used_is_refused(store: SqlStore) -> None:
    record(store, started(), requested(), verdict("granted"), intended())

    with pytest.raises(StorageError, match="used or settled"):
        record(store, verdict("denied"))


def test_a_step_has_one_open_request_at_most(store: SqlStore) -> None:
    record(store, started(), requested())

    with pytest.raises(StorageError):
        record(store, requested(request="q2"))


def test_what_waits_for_a_decision_is_the_newest_request_not_yet_used(store: SqlStore) -> None:
    record(store, started(), requested(), verdict("granted"))
    with store.begin() as unit:
        found = unit.open_request(RUN)
    assert found is not None
    assert found.id == "q1"

    record(store, chosen("retry"), requested(request="q2"))

    with store.begin() as unit:
        found = unit.open_request(RUN)
    assert found is not None
    assert found.id == "q2"
    assert store.request(QUESTION).outcome is Outcome.SUPERSEDED


def story(name: str) -> Sequence[Draft]:
    """Return one run's facts, each kind of end among them."""
    gate = (started(), requested(), verdict("granted"))
    cancelled = fact("run.cancelled", step="refund", reason="not needed")
    expired = fact("approval.expired", request="q1", binding="b", have=0, need=1)
    stories = {
        "done": (*gate, intended(), executed(), finished()),
        "denied": (started(), requested(), verdict("denied"), finished(outcome="denied")),
        "expired": (started(), requested(), expired, finished(outcome="expired")),
        "cancelled": (started(), cancelled),
        "in doubt": (
            *gate,
            intended(),
            fact("action.in_doubt", step="refund", attempt=1, idem="i", cause="crash"),
        ),
        "aborted": (*gate, intended(), failed(), chosen("abort"), finished(outcome="aborted")),
        "retried": (*gate, intended(), failed(performed="partly"), chosen("retry")),
        "probed": (*gate, intended(), resolved("no", "probe"), intended(attempt=2), executed()),
    }
    return stories[name]


@pytest.mark.parametrize(
    "name",
    ["done", "denied", "expired", "cancelled", "in doubt", "aborted", "retried", "probed"],
)
def test_rebuilt_from_its_entries_every_story_gives_the_stored_tables(
    store: SqlStore, name: str
) -> None:
    record(store, *story(name))

    assert check_projections(store.database) == []


def test_to_follow_an_entry_nobody_looks_at_every_row(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, *story("aborted"))
    given_up = fact("approval.delegated", request=None, **{"from": ANA.ref, "to": BEN.ref}, **WEEK)
    record(store, replace(given_up, run=None))

    def everything(_rows: ToldRows) -> Iterator[tuple[Key, Row]]:
        pytest.fail("the time of a verification would grow with the square of the log")

    monkeypatch.setattr(rebuild, "told_rows", lambda _tables: [])
    monkeypatch.setattr(ToldRows, "items", everything)
    with store.database.read() as connection:
        picture = rebuild.rebuild(connection)

    asked = picture.tables["approval_request"].get((QUESTION,))
    assert asked is not None
    assert (asked["outcome"], asked["consumed_attempt"]) == (Outcome.SUPERSEDED.value, None)


def test_the_catalog_policy_and_schedules_are_rebuilt_too(store: SqlStore) -> None:
    facts = {
        "workflow.published": {"owner": "@ops", "deputy": "@sup", "actions": "a" * 64},
        "workflow.activated": {"replaces": None, "level": "trial"},
        "workflow.level_changed": {"from": "trial", "to": "unattended", "reason": "soak"},
        "workflow.retired": {"reason": "replaced"},
    }
    with store.begin() as unit:
        for kind, data in facts.items():
            named = {"workflow": "w", "version": VERSION, **data}
            unit.append(Draft(kind=kind, actor=INTERLOCK, data=named))
        for name, after in (("policy", "1" * 64), ("policy", "2" * 64)):
            data = {"name": name, "before": None, "after": after, "by_run": None}
            unit.append(Draft(kind="policy.changed", actor=INTERLOCK, data=data))
        assert unit.take_firing("nightly", NOON)
        assert not unit.take_firing("nightly", NOON)
        due = "2026-03-02T13:00:00+01:00 Europe/Berlin"
        data = {"schedule": "nightly", "workflow": "w", "due": due, "started": "r1"}
        unit.append(Draft(kind="schedule.fired", actor=INTERLOCK, data=data))

    assert check_projections(store.database) == []
    with store.database.read() as connection:
        due_at = connection.execute(text("SELECT run_id FROM schedule_firing")).scalar()
    assert due_at == "r1"


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ("UPDATE run SET status = 'waiting'", "status"),
        ("UPDATE run SET requester = 's:0'", "requester"),
        ("UPDATE approval_request SET binding = 'x'", "binding"),
        ("UPDATE approval_request SET consumed_attempt = NULL", "consumed_attempt"),
        ("UPDATE decision SET approver = 's:1'", "approver"),
        ("DELETE FROM decision", "is missing"),
    ],
)
def test_a_stored_row_that_differs_from_the_entries_is_named(
    store: SqlStore, lie: str, told: str
) -> None:
    record(store, *story("done"))
    with store.database.begin() as tx:
        tx.connection.execute(text(lie))

    found = check_projections(store.database)

    assert len(found) == 1
    assert told in str(found[0])


NUMBERS = itertools.count(1)
KINDS = st.sampled_from(
    [
        requested(),
        requested(request="q2"),
        verdict("granted"),
        verdict("granted", by=BEN, settles=False),
        verdict("denied"),
        verdict("granted", request="q2"),
        intended(),
        intended(attempt=2, request="q2"),
        intended(attempt=3, request=None),
        executed(),
        failed(),
        failed(attempt=2),
        resolved("no", "probe"),
        resolved("no", "person", attempt=2),
        resolved("unknown", "person"),
        chosen("retry"),
        chosen("cancel"),
        chosen("exception"),
        fact("approval.withdrawn", request="q1", binding="b", reason="facts"),
        finished(),
    ]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drafts=st.lists(KINDS, max_size=12))
def test_whatever_order_facts_come_in_the_tables_follow_those_that_were_recorded(
    store: SqlStore, drafts: list[Draft]
) -> None:
    """Facts that the database refuses leave nothing behind; the others agree with the tables."""
    run = RunId(f"run-{next(NUMBERS)}")
    with store.begin() as unit:
        unit.add_run(new_run(run))
        unit.append(started(run))
    for draft in drafts:
        request = draft.data.get("request")
        own = {"request": f"{run}-{request}"} if request else {}
        moved = Draft(
            kind=draft.kind,
            actor=draft.actor,
            data={**draft.data, **own},
            parts={name: Part(value=one.value) for name, one in draft.parts.items()},
            run=run,
        )
        try:
            record(store, moved)
        except StorageError:
            continue

    assert check_projections(store.database) == []


@pytest.mark.parametrize(
    ("kind", "data", "before", "after"),
    [
        ("approval.requested", {}, "running", "waiting"),
        ("approval.granted", {"settles": False}, "waiting", "waiting"),
        ("approval.granted", {"settles": True}, "waiting", "running"),
        ("action.intended", {"action": "slack.post"}, "running", "waiting"),
        ("action.intended", {"action": "http.request"}, "ready", "running"),
        ("action.in_doubt", {}, "running", "in_doubt"),
        ("action.resolved", {"happened": "unknown"}, "in_doubt", "exception"),
        ("action.resolved", {"happened": "yes"}, "in_doubt", "running"),
        ("decision.made", {"decision": "queue"}, "ready", "queued"),
        ("decision.made", {"decision": "exception"}, "running", "exception"),
        ("decision.made", {"decision": "cancel"}, "in_doubt", "in_doubt"),
        ("decision.made", {"decision": "skip"}, "exception", "running"),
        ("verification.unknown", {}, "running", "exception"),
        ("secret.used", {}, "waiting", "waiting"),
        ("run.finished", {"outcome": "denied"}, "running", "denied"),
        ("run.cancelled", {}, "waiting", "cancelled"),
        ("step.observed", {}, "done", "done"),
    ],
)
def test_each_fact_leaves_the_run_where_people_expect_it(
    kind: str, data: dict[str, object], before: str, after: str
) -> None:
    assert status_after(kind, data, Status(before)) is Status(after)  # type: ignore[arg-type]

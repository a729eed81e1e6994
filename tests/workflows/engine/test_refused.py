"""A decision that was refused leaves an entry, once, and nothing else."""

from datetime import timedelta

import pytest

from storage.history import read_entries
from storage.rebuild import check_projections
from storage.refusals import count_refused, read_beside
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from tests.world import POLICY, Clock, Working, id_of
from workflows.breaking import Breaking
from workflows.entry import Entry, Ref, RunId
from workflows.errors import (
    GateError,
    NoCodesError,
    NotEligibleError,
    ReasonMissingError,
    RequestClosedError,
    StaleRequestError,
)
from workflows.gate import Verdict
from workflows.orders import Ballot

CODED = (
    POLICY.replace("approve: 1}]", "approve: 1}]\n    step_up: totp")
    + 'roles: {governors: ["@owners"]}\n'
)


def refused(house: Working) -> list[Entry]:
    sequence_pending(house.store.database, house.store.journal.sequencer)
    with house.store.database.read() as connection:
        found = read_entries(connection, 0, 100_000)
    return [one for one in found if one.kind == "approval.refused"]


def told(house: Working) -> list[tuple[object, object, object]]:
    """Return who was refused what and why."""
    return [
        (house.store.person(Ref(one.actor.ref)), one.data["decision"], one.data["why"])
        for one in refused(house)
    ]


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def tries(house: Working, run: RunId, by: str, verdict: Verdict = Verdict.APPROVE) -> None:
    with pytest.raises(GateError):
        house.vote(run, verdict, by=by)


def test_whoever_tries_their_own_request_is_recorded_once(house: Working) -> None:
    run = asked(house)
    for _ in range(3):
        tries(house, run, "rita")
    tries(house, run, "rita", Verdict.DENY)
    (first, _) = refused(house)
    with house.store.database.read() as connection:
        counted = count_refused(connection, range(100))

    assert told(house) == [
        (id_of("rita"), "approved", "requester"),
        (id_of("rita"), "denied", "requester"),
    ]
    assert (first.data["by_run"], first.data["request"]) == (run, house.request(run).id)
    assert (counted.decisions, counted.own) == (2, 2)
    assert check_projections(house.store.database) == []


def test_everybody_else_who_may_not_decide_is_recorded_with_why(house: Working) -> None:
    house.town.guests.add("dora")
    run = asked(house)
    request = house.request(run)
    tries(house, run, "sam")
    with pytest.raises(NotEligibleError, match="guests"):
        house.vote(run, Verdict.APPROVE, by="dora")
    stale = Ballot(
        request=request.id, person=id_of("ana"), verdict=Verdict.APPROVE, shown="00000000"
    )
    with pytest.raises(StaleRequestError):
        house.engine.decide(stale)
    house.approve(run, by="ana")
    house.settle()
    with pytest.raises(RequestClosedError):
        house.engine.decide(Ballot(request=request.id, person=id_of("ben"), verdict=Verdict.DENY))
    with house.store.database.read() as connection:
        about = read_beside(connection, run, of=house.entries(run))

    assert told(house) == [
        (id_of("sam"), "approved", "not_asked"),
        (id_of("dora"), "approved", "account"),
        (id_of("ana"), "approved", "stale"),
        (id_of("ben"), "denied", "closed"),
    ]
    assert [one.id for one in about] == [one.id for one in refused(house)]
    assert house.status(run) == "done"


def test_the_same_again_is_recorded_once_deliveries_are_forgotten(
    house: Working, clock: Clock
) -> None:
    run = asked(house)
    tries(house, run, "sam")
    house.store.forget_deliveries(seen_before=clock() + timedelta(seconds=1))
    tries(house, run, "sam")

    assert [one[2] for one in told(house)] == ["not_asked", "not_asked"]


def test_a_reason_that_is_missing_is_no_refused_decision(store: SqlStore, clock: Clock) -> None:
    policy = POLICY.replace("approve: 1}]", "approve: 1}]\n    reason: required")
    house = Working(store, clock, policy=policy)
    run = asked(house)
    with pytest.raises(ReasonMissingError):
        house.vote(run, Verdict.APPROVE, by="ana")

    assert refused(house) == []


def test_without_a_code_that_counts_it_is_recorded(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=CODED)
    run = asked(house)
    with pytest.raises(NoCodesError):
        house.vote(run, Verdict.APPROVE, by="ana", code="123456")

    assert told(house) == [(id_of("ana"), "approved", "no_code")]


def test_whoever_may_not_break_the_glass_is_recorded(house: Working) -> None:
    run = asked(house)
    request = house.request(run).id
    with pytest.raises(NotEligibleError):
        house.engine.may_break_glass(request, id_of("ana"))
    with pytest.raises(NotEligibleError):
        house.engine.break_glass(Breaking(request=request, person=id_of("ana"), reason="now"))

    assert told(house) == [(id_of("ana"), "break-glass", "not_asked")]


def test_of_several_requests_each_refused_one_is_recorded(house: Working) -> None:
    run = asked(house)
    request = house.request(run).id
    own = Ballot(request=request, person=id_of("rita"), verdict=Verdict.DENY)
    (said,) = house.engine.decide_together([own])

    assert not hasattr(said, "tally")
    assert told(house) == [(id_of("rita"), "denied", "requester")]

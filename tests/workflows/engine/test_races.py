"""Many hands at one moment: always one outcome, and everybody is told what became of theirs.

All of a race begin together behind a barrier, in threads of their own, on real databases. Which
of them is first is left to chance; what must hold holds whoever it is.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from storage.rebuild import check_projections
from tests.world import POLICY, Clock, Working, id_of
from workflows.entry import RequestId, RunId
from workflows.errors import GateError, InterlockError, RequestClosedError, StaleRequestError
from workflows.gate import Outcome, Verdict
from workflows.loading import load_policy
from workflows.orders import Ballot, Decided, Edit
from workflows.store import DueKind

CROWD = 50
ROUNDS = 8
SECONDS = 60.0

Said = object  # What a hand was told: a value, or the refusal.


def at_once(*hands: Callable[[], object]) -> list[Said]:
    """Do everything at one moment; return what each was told, a refusal as itself."""
    start = threading.Barrier(len(hands), timeout=SECONDS)

    def one(hand: Callable[[], object]) -> Said:
        start.wait()
        try:
            return hand()
        except InterlockError as refused:
            return refused

    with ThreadPoolExecutor(len(hands)) as pool:
        return list(pool.map(one, hands))


def asked(house: Working, by: int = 5) -> RunId:
    run = house.start(inputs={"by": by})
    house.settle()
    return run


def ballot(house: Working, request: RequestId, verdict: Verdict, by: str) -> Callable[[], Decided]:
    given = Ballot(request=request, person=id_of(by), verdict=verdict)
    return partial(house.engine.decide, given)


def names(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def counted(said: Sequence[Said]) -> list[Decided]:
    return [one for one in said if isinstance(one, Decided) and one.changed]


def refusals(said: Sequence[Said]) -> list[InterlockError]:
    return [one for one in said if isinstance(one, InterlockError)]


def settling(house: Working, run: RunId, request: RequestId) -> list[str]:
    """Return the kinds of the entries that ended the request."""
    about = [one for one in house.entries(run) if one.data.get("request") == request]
    ends = ("approval.expired", "approval.withdrawn", "approval.edited")
    return [one.kind for one in about if one.kind in ends or one.data.get("settles")]


def check(house: Working) -> None:
    assert [str(one) for one in check_projections(house.store.database)] == []


def test_of_fifty_who_approve_at_once_as_many_count_as_are_needed(house: Working) -> None:
    people = names(CROWD)
    house.town.groups["@deciders"] = set(people)
    house.policy = load_policy(POLICY.replace("approve: 1", "approve: 3"))
    run = asked(house)
    request = house.request(run).id
    said = at_once(*(ballot(house, request, Verdict.APPROVE, one) for one in people))
    granted = [one for one in house.entries(run) if one.kind == "approval.granted"]
    house.settle()

    assert [one.data["have"] for one in granted] == [1, 2, 3]
    assert len({one.actor.ref for one in granted}) == len(counted(said)) == 3
    assert [one.tally.outcome for one in counted(said)].count(Outcome.APPROVED) == 1
    assert len(refusals(said)) == CROWD - 3
    assert all("already approved" in str(one) for one in refusals(said))
    assert house.world.effects == [f"{run}/change"]
    check(house)


def test_one_person_who_clicks_fifty_times_at_once_counts_once(house: Working) -> None:
    house.policy = load_policy(POLICY.replace("approve: 1", "approve: 2"))
    run = asked(house)
    request = house.request(run).id
    said = at_once(*[ballot(house, request, Verdict.APPROVE, "ana")] * CROWD)

    assert len(counted(said)) == 1
    assert all(isinstance(one, Decided) and one.tally.have == 1 for one in said)
    assert house.kinds(run).count("approval.granted") == 1


def test_approvers_against_those_who_reject_end_in_one_of_the_two(house: Working) -> None:
    people = names(CROWD)
    house.town.groups["@deciders"] = set(people)
    for _ in range(ROUNDS):
        run = asked(house)
        request = house.request(run).id
        verdicts = [Verdict.APPROVE, Verdict.DENY] * (CROWD // 2)
        hands = [
            ballot(house, request, verdict, one)
            for verdict, one in zip(verdicts, people, strict=True)
        ]
        said = at_once(*hands)
        outcome = house.store.request(request).outcome
        house.settle()

        assert outcome in (Outcome.APPROVED, Outcome.DENIED)
        assert len(settling(house, run, request)) == 1
        assert [one.tally.outcome for one in counted(said)] == [outcome]
        assert len(refusals(said)) == CROWD - 1
        assert all(f"already {outcome.words}" in str(one) for one in refusals(said))
        assert house.world.effects.count(f"{run}/change") == (outcome is Outcome.APPROVED)
    check(house)


@pytest.mark.parametrize("early", [timedelta(0), timedelta(microseconds=1)])
def test_approving_at_the_boundary_second_is_in_time_or_refused(
    house: Working, clock: Clock, early: timedelta
) -> None:
    """At the very moment of expiry it is too late; a microsecond before, whoever is first wins."""
    for _ in range(ROUNDS):
        run = asked(house)
        asking = house.request(run)
        due = next(one for one in house.due(run) if one.kind is DueKind.EXPIRE)
        clock.at = asking.expires_at - early
        approvers = (ballot(house, asking.id, Verdict.APPROVE, one) for one in ("ana", "ben"))
        said = at_once(*approvers, partial(house.engine.handle_due, due))
        outcome = house.store.request(asking.id).outcome
        house.settle()

        assert len(settling(house, run, asking.id)) == 1
        if early:
            assert outcome in (Outcome.APPROVED, Outcome.EXPIRED)
        else:
            assert outcome is Outcome.EXPIRED
        assert len(counted(said)) == (outcome is Outcome.APPROVED)
        late = "already approved" if outcome is Outcome.APPROVED else "expired"
        assert all(late in str(one) for one in refusals(said))
        assert house.world.effects.count(f"{run}/change") == (outcome is Outcome.APPROVED)
    check(house)


def test_approving_while_it_is_cancelled_runs_or_is_refused(house: Working) -> None:
    for _ in range(ROUNDS):
        run = asked(house)
        request = house.request(run).id
        approve = ballot(house, request, Verdict.APPROVE, "ana")
        said, cancelled = at_once(
            approve,
            partial(house.engine.cancel, run, person=id_of("rita"), reason="enough"),
        )
        house.settle()

        assert cancelled is True
        assert house.status(run) == "cancelled"
        assert house.store.request(request).outcome is Outcome.WITHDRAWN
        if isinstance(said, Decided):  # It was first, and the run was cancelled before its effect.
            assert said.tally.outcome is Outcome.APPROVED
        else:
            assert isinstance(said, RequestClosedError)
            assert "already withdrawn" in str(said)
        assert house.world.effects == []
    check(house)


def test_approving_while_it_is_changed_approves_what_was_shown_or_is_refused(
    house: Working,
) -> None:
    for _ in range(ROUNDS):
        run = asked(house)
        request = house.request(run).id
        wanted = Edit(request=request, person=id_of("rita"), inputs={"by": 7})
        before = house.world.number
        approved, edited = at_once(
            ballot(house, request, Verdict.APPROVE, "ana"),
            partial(house.engine.edit, wanted),
        )
        house.settle()

        assert len(settling(house, run, request)) == 1
        assert isinstance(approved, GateError) != isinstance(edited, GateError)
        if isinstance(edited, InterlockError):
            assert "already approved" in str(edited)
            assert house.world.number == before + 5
        else:
            assert isinstance(approved, StaleRequestError)
            assert house.world.number == before
            assert house.request(run).outcome is Outcome.OPEN
    check(house)


def test_of_fifty_who_change_it_at_once_one_does_and_the_others_hear_who(house: Working) -> None:
    people = names(CROWD)
    house.town.groups["@askers"].update(people)
    run = asked(house)
    request = house.request(run).id
    edits = [
        Edit(request=request, person=id_of(one), inputs={"by": 100 + number})
        for number, one in enumerate(people)
    ]
    said = at_once(*(partial(house.engine.edit, one) for one in edits))
    house.settle()

    assert len(refusals(said)) == CROWD - 1
    assert len({str(one) for one in refusals(said)}) == 1
    assert all(isinstance(one, StaleRequestError) for one in refusals(said))
    assert house.kinds(run).count("approval.edited") == 1
    assert house.kinds(run).count("approval.requested") == 2
    check(house)


def test_everything_at_once_leaves_one_outcome(house: Working, clock: Clock) -> None:
    """Approve, reject, change, cancel and expire, all at the last moment."""
    for _ in range(ROUNDS):
        run = asked(house)
        asking = house.request(run)
        due = next(one for one in house.due(run) if one.kind is DueKind.EXPIRE)
        clock.at = asking.expires_at - timedelta(microseconds=1)
        wanted = Edit(request=asking.id, person=id_of("rita"), inputs={"by": 7})
        before = len(house.world.effects)
        said = at_once(
            ballot(house, asking.id, Verdict.APPROVE, "ana"),
            ballot(house, asking.id, Verdict.DENY, "ben"),
            partial(house.engine.edit, wanted),
            partial(house.engine.cancel, run, person=id_of("rita"), reason="enough"),
            partial(house.engine.handle_due, due),
        )
        house.settle()

        outcome = house.store.request(asking.id).outcome
        assert outcome is not Outcome.OPEN
        # An approval that was first is taken back again by whoever cancels; nothing else is.
        ends = settling(house, run, asking.id)
        assert len(ends) == 1 or ends == ["approval.granted", "approval.withdrawn"]
        assert said[3] is True or isinstance(said[3], InterlockError)
        assert house.status(run) in ("cancelled", "denied", "expired", "waiting", "done")
        assert len(house.world.effects) - before == (house.status(run) == "done")
    check(house)

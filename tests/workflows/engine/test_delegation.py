"""Somebody decides in the place of a colleague who is away: whose voice counts, and for whom."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.world import NOON, POLICY, Clock, Working, id_of, policy_in
from workflows.delegating import NewDelegation
from workflows.entry import Entry, Ref, RunId
from workflows.errors import DelegationError, NotEligibleError, RequestClosedError
from workflows.gate import Outcome, Verdict
from workflows.people import PersonId
from workflows.store import Subject

FRIDAY = NOON + timedelta(days=4)
TWO = POLICY.replace("approve: 1}]", "approve: 2}]\n    remind: [2h, 8h]")
IN_TURN = POLICY.replace("approve: 1}]", "approve: 1}, {from: ['@directors']}]")


@pytest.fixture
def two(store: SqlStore, clock: Clock) -> Working:
    """Give a house in which two have to agree."""
    return Working(store, clock, policy=TWO)


def goes(house: Working, who: str, to: str | None = None, *, until: datetime = FRIDAY) -> bool:
    """Have somebody say that they are away, and who decides for them."""
    stand_in = None if to is None else id_of(to)
    return house.engine.delegate(NewDelegation(giver=id_of(who), stand_in=stand_in, until=until))


def comes_back(house: Working, who: str) -> bool:
    word = house.store.delegation_by(id_of(who), at=house.clock())
    return word is not None and house.engine.come_back(id_of(who), entry=word.entry)


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def ref(house: Working, who: str) -> Ref:
    with house.store.begin() as unit:
        return unit.ref(id_of(who))


def decisions(house: Working, run: RunId) -> list[Entry]:
    kinds = {"approval.granted", "approval.denied"}
    return [one for one in house.entries(run) if one.kind in kinds]


def reminded(house: Working, run: RunId) -> list[object]:
    return [one.data["to"] for one in house.entries(run) if one.kind == "approval.reminded"]


def is_told_of_desertion(house: Working, run: RunId) -> bool:
    return house.store.outbox.find(Subject.AWAY, house.request(run).id) is not None


def test_whoever_stands_in_decides_and_the_entry_says_for_whom(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")
    house.settle()
    (given,) = decisions(house, run)

    assert house.status(run) == "done"
    assert (given.actor.ref, given.data["for"]) == (ref(house, "dora"), ref(house, "ana"))
    assert check_projections(house.store.database) == []


def test_whoever_stands_in_is_written_to_directly_and_not_who_is_away(
    store: SqlStore, clock: Clock
) -> None:
    text = POLICY.replace("{expires: 24h}", "{expires: 24h, nudge: {after: 10m}}")
    house = Working(store, clock, policy=text)
    goes(house, "ana", "dora")
    goes(house, "ben")
    run = asked(house)
    house.clock.forward(timedelta(minutes=10))
    house.settle()
    request = house.request(run).id
    told = {
        who: house.store.outbox.find(Subject.NUDGE, f"{request}/{ref(house, who)}")
        for who in ("ana", "ben", "dora")
    }
    comes_back(house, "ana")
    after = house.store.outbox.find(Subject.NUDGE, f"{request}/{ref(house, 'dora')}")

    assert [who for who, row in told.items() if row is not None] == ["dora"]
    assert after is not None
    assert after.wanted == 2  # It says by now that there is nothing to do any more.


def test_a_decision_in_ones_own_place_names_nobody_else(house: Working) -> None:
    goes(house, "ana", "ben")
    run = asked(house)
    house.approve(run, by="ben")

    assert "for" not in decisions(house, run)[0].data


def test_a_delegation_counts_for_requests_that_are_open_already(house: Working) -> None:
    run = asked(house)
    with pytest.raises(NotEligibleError, match="not among"):
        house.approve(run, by="dora")

    goes(house, "ana", "dora")
    assert house.approve(run, by="dora").tally.outcome is Outcome.APPROVED


def test_both_voices_count_once_for_one_place(two: Working) -> None:
    goes(two, "ana", "dora")
    run = asked(two)
    two.approve(run, by="dora")
    with pytest.raises(NotEligibleError, match="stood in for you already said approve"):
        two.approve(run, by="ana")

    assert two.request(run).outcome is Outcome.OPEN
    assert two.approve(run, by="ben").tally.outcome is Outcome.APPROVED


def test_nobody_decides_for_somebody_who_has_decided(two: Working) -> None:
    run = asked(two)
    two.approve(run, by="ana")
    goes(two, "ana", "dora")

    with pytest.raises(NotEligibleError, match="one place counts once"):
        two.approve(run, by="dora")


def test_one_person_counts_once_however_many_they_stand_in_for(two: Working) -> None:
    goes(two, "ana", "dora")
    goes(two, "ben", "dora")
    run = asked(two)
    first, second = two.approve(run, by="dora"), two.approve(run, by="dora")

    assert (first.changed, second.changed) == (True, False)
    assert two.request(run).outcome is Outcome.OPEN


def test_who_is_asked_themselves_takes_no_other_place_as_well(two: Working) -> None:
    goes(two, "ana", "ben")
    run = asked(two)
    two.approve(run, by="ben")

    assert not two.approve(run, by="ben").changed
    assert two.approve(run, by="ana").tally.outcome is Outcome.APPROVED


def test_it_is_one_hop_only(house: Working) -> None:
    goes(house, "ana", "dora")
    goes(house, "dora", "omar")
    run = asked(house)

    with pytest.raises(NotEligibleError, match="not among"):
        house.approve(run, by="omar")


def test_the_newest_word_counts(house: Working) -> None:
    goes(house, "ana", "dora")
    goes(house, "ana", "omar")
    run = asked(house)
    with pytest.raises(NotEligibleError):
        house.approve(run, by="dora")

    assert house.approve(run, by="omar").tally.outcome is Outcome.APPROVED
    assert check_projections(house.store.database) == []


def test_saying_the_same_twice_records_it_once(house: Working) -> None:
    assert goes(house, "ana", "dora")

    assert not goes(house, "ana", "dora")
    assert goes(house, "ana", "dora", until=FRIDAY - timedelta(hours=1))


def test_it_ends_at_its_time(house: Working) -> None:
    goes(house, "ana", "dora", until=NOON + timedelta(hours=1))
    run = asked(house)
    house.clock.forward(timedelta(hours=1))

    with pytest.raises(NotEligibleError):
        house.approve(run, by="dora")


@pytest.mark.parametrize(
    "ends",
    [
        lambda house: comes_back(house, "ana"),
        lambda house: goes(house, "ana", "ben"),
        lambda house: house.clock.forward(timedelta(days=5)),
    ],
    ids=["back", "another", "over"],
)
def test_it_does_not_count_if_it_ends_while_a_click_is_looked_at(
    house: Working, monkeypatch: pytest.MonkeyPatch, ends: Callable[[Working], object]
) -> None:
    house.policy = policy_in(POLICY.replace("24h", "30d"))
    goes(house, "ana", "zoe")
    run, read = asked(house), house.town.members

    def ends_meanwhile(name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        monkeypatch.setattr(house.town, "members", read)
        ends(house)
        return read(name, max_age=max_age)

    monkeypatch.setattr(house.town, "members", ends_meanwhile)

    with pytest.raises(NotEligibleError):
        house.approve(run, by="zoe")


def test_whoever_is_left_out_by_now_has_no_voice_for_another_to_take(house: Working) -> None:
    house.policy = policy_in(POLICY.rstrip() + '\n    exclude: ["@barred"]\n')
    house.town.groups["@barred"] = set()
    goes(house, "ana", "zoe")
    run, other = asked(house), asked(house)
    assert house.approve(run, by="zoe").changed
    house.town.groups["@barred"].add("ana")

    with pytest.raises(NotEligibleError):
        house.approve(other, by="zoe")


def test_it_ends_when_they_are_back(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.clock.forward(timedelta(hours=1))
    assert comes_back(house, "ana")
    with pytest.raises(NotEligibleError):
        house.approve(run, by="dora")

    assert not comes_back(house, "ana")
    assert check_projections(house.store.database) == []


def test_an_older_word_cannot_end_a_newer_one(house: Working) -> None:
    goes(house, "ana", "dora")
    old = house.store.delegation_by(id_of("ana"), at=house.clock())
    goes(house, "ana", "omar")
    assert old is not None

    assert not house.engine.come_back(id_of("ana"), entry=old.entry)


def test_who_acts_for_the_requester_when_it_is_asked_is_not_asked(house: Working) -> None:
    goes(house, "rita", "ben")
    run = asked(house)
    request = house.request(run)

    assert request.excluded == {ref(house, "rita"), ref(house, "ben")}
    assert request.stages[0].people == {ref(house, "ana")}
    house.clock.forward(timedelta(minutes=1))
    comes_back(house, "rita")
    with pytest.raises(NotEligibleError, match="act for somebody who may not"):
        house.approve(run, by="ben")


def test_who_once_stood_in_for_the_requester_decides_like_anybody(house: Working) -> None:
    goes(house, "rita", "ben", until=NOON + timedelta(hours=1))
    house.clock.forward(timedelta(hours=1))
    run = asked(house)

    assert house.request(run).excluded == {ref(house, "rita")}
    assert house.approve(run, by="ben").tally.outcome is Outcome.APPROVED


def test_who_acts_for_the_requester_when_they_click_is_refused(house: Working) -> None:
    run = asked(house)
    goes(house, "rita", "ben")
    for verdict in Verdict:
        with pytest.raises(NotEligibleError, match="act for somebody who may not"):
            house.vote(run, verdict, by="ben")

    assert house.approve(run, by="ana").tally.outcome is Outcome.APPROVED


def test_who_stands_in_and_is_needed_later_is_not_used_up(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=IN_TURN)
    goes(house, "ana", "dora")
    run = asked(house)
    with pytest.raises(NotEligibleError, match="not your stage's turn"):
        house.approve(run, by="dora")
    house.approve(run, by="ben")

    assert house.approve(run, by="dora").tally.outcome is Outcome.APPROVED
    assert "for" not in decisions(house, run)[-1].data


def test_no_voice_of_the_requesters_stand_in_passes_to_another(house: Working) -> None:
    run = asked(house)
    goes(house, "rita", "ana")
    goes(house, "ana", "dora")

    with pytest.raises(NotEligibleError):
        house.approve(run, by="dora")


def test_the_requester_decides_their_own_for_nobody(house: Working) -> None:
    goes(house, "ana", "rita")
    run = asked(house)

    with pytest.raises(NotEligibleError, match="You asked for this"):
        house.approve(run, by="rita")


@pytest.mark.parametrize("chain", [("rita", "ben"), ("rita", "dora", "ben")])
def test_a_stage_of_nobody_but_the_requesters_stand_in_cannot_be_asked(
    house: Working, chain: tuple[str, ...]
) -> None:
    house.town.groups["@deciders"] = {"rita", "ben"}
    for giver, stand_in in pairwise(chain):
        goes(house, giver, stand_in)
    run = asked(house)

    assert "approval.requested" not in house.kinds(run)
    assert house.status(run) == "exception"


GONE = ["giver left", "giver a guest", "stand-in a guest", "stand-in of another workspace"]


@pytest.mark.parametrize("gone", GONE)
def test_the_effect_looks_again_at_both_people(house: Working, gone: str) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")
    if gone == "giver left":
        house.town.groups["@deciders"].discard("ana")
    elif gone == "stand-in of another workspace":
        house.town.admitted.add("dora")
    else:
        house.town.guests.add("ana" if gone == "giver a guest" else "dora")
    house.settle()

    withdrawn = [one for one in house.entries(run) if one.kind == "approval.withdrawn"]
    assert [one.data["reason"] for one in withdrawn] == ["approver_left"]
    assert house.world.effects == []


def test_an_approval_stays_when_the_delegation_ends_after_it(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")
    house.clock.forward(timedelta(minutes=1))
    comes_back(house, "ana")
    house.settle()

    assert house.status(run) == "done"


def test_whoever_was_away_may_turn_what_was_said_for_them(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")

    assert house.deny(run, by="ana").tally.outcome is Outcome.DENIED
    house.settle()
    assert house.status(run) == "denied"


def test_who_stands_in_may_take_their_approval_back(house: Working) -> None:
    goes(house, "ana", "dora")
    run = asked(house)
    house.approve(run, by="dora")

    assert house.deny(run, by="dora").tally.outcome is Outcome.DENIED
    assert [one.data.get("for") for one in decisions(house, run)] == [ref(house, "ana")] * 2


def test_who_no_longer_stands_in_only_takes_back_what_they_said(two: Working) -> None:
    goes(two, "ana", "dora")
    goes(two, "ben", "omar")
    run = asked(two)
    two.approve(run, by="dora")
    two.clock.forward(timedelta(minutes=1))
    comes_back(two, "ana")
    comes_back(two, "ben")
    for verdict in Verdict:
        with pytest.raises(NotEligibleError, match="not among"):
            two.vote(run, verdict, by="omar")

    assert not two.approve(run, by="dora").changed
    assert two.deny(run, by="dora").tally.outcome is Outcome.DENIED
    with pytest.raises(RequestClosedError):
        two.approve(run, by="dora")


@pytest.mark.parametrize(
    ("who", "to", "until", "why"),
    [
        ("ana", "ana", FRIDAY, "for yourself"),
        ("ana", "gil", FRIDAY, "guests do not decide"),
        ("gil", "ana", FRIDAY, "decide nothing here"),
        ("ana", "connie", FRIDAY, "those alone decide whom the policy asks"),
        ("ana", "dora", NOON, "has passed"),
        ("ana", "dora", NOON + timedelta(days=30, seconds=1), "longer than 30 days"),
    ],
)
def test_who_cannot_stand_in_or_be_away_is_refused(
    house: Working, who: str, to: str, until: datetime, why: str
) -> None:
    house.town.guests.add("gil")
    house.town.admitted.add("connie")

    with pytest.raises(DelegationError, match=why):
        goes(house, who, to, until=until)


def test_who_is_away_is_not_reminded_and_their_stand_in_is(two: Working) -> None:
    goes(two, "ana", "dora")
    run = asked(two)
    two.clock.forward(timedelta(hours=2))
    two.settle()
    goes(two, "ben")
    two.clock.forward(timedelta(hours=6))
    two.settle()

    ana, ben, dora = (ref(two, name) for name in ("ana", "ben", "dora"))
    assert reminded(two, run) == [sorted([ben, dora]), [dora]]
    assert ana not in [dora, ben]
    assert not is_told_of_desertion(two, run)


def test_a_stand_in_who_has_decided_is_not_reminded(two: Working) -> None:
    goes(two, "ana", "dora")
    run = asked(two)
    two.approve(run, by="dora")
    two.clock.forward(timedelta(hours=2))
    two.settle()

    assert reminded(two, run) == [[ref(two, "ben")]]


def test_the_requester_is_told_when_everybody_is_away(two: Working) -> None:
    goes(two, "ana")
    first = asked(two)
    assert not is_told_of_desertion(two, first)

    goes(two, "ben")
    assert is_told_of_desertion(two, first)
    assert is_told_of_desertion(two, asked(two))


def test_a_reminder_of_nobody_tells_the_requester(two: Working) -> None:
    run = asked(two)
    two.approve(run, by="ana")
    goes(two, "ben")
    assert not is_told_of_desertion(two, run)  # Not all of the stage are away, only who is left.
    two.clock.forward(timedelta(hours=2))
    two.settle()

    assert reminded(two, run) == [[]]
    assert is_told_of_desertion(two, run)


def test_the_requester_is_told_when_the_next_stage_is_deserted(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, policy=IN_TURN)
    goes(house, "dora")
    run = asked(house)
    assert not is_told_of_desertion(house, run)
    house.approve(run, by="ana")

    assert is_told_of_desertion(house, run)

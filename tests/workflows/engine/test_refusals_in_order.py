"""Of all that stands against a decision people hear the most final first: that it is closed."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from storage.history import read_entries
from storage.store import SqlStore
from tests.workflows.engine.batches import paying, requests, say
from tests.workflows.engine.gated import asked, of_kind, policy_of, with_groups
from tests.workflows.engine.test_delegation import goes
from tests.world import Clock, Working, id_of
from workflows import editing
from workflows.breaking import Breaking
from workflows.entry import Json, RunId
from workflows.errors import (
    GateError,
    NotEligibleError,
    OutsideHoursError,
    PeopleUnreadableError,
    ReasonMissingError,
    RequestClosedError,
    StaleRequestError,
)
from workflows.gate import Verdict
from workflows.orders import Ballot, Edit, Edited, Refused

# What follows from rules alone is the same on either database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LEADS = 'stages: [{from: ["@leads"]}]'
REASONED = f"{LEADS}, reason: required"
GLASS = 'roles: {governors: ["@directors"]}\nbreak_glass: {people: ["@sam"], by: ["@directors"]}'
LATE = timedelta(hours=25)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    """Give a house in which every decision needs a reason."""
    return with_groups(Working(store, clock, policy=policy_of(REASONED, rest=GLASS)))


def used(house: Working, run: RunId) -> None:
    house.vote(run, Verdict.APPROVE, by="ana", comment="fine")
    house.settle()


def rejected(house: Working, run: RunId) -> None:
    house.deny(run, by="ana")
    house.settle()


def expired(house: Working, _run: RunId) -> None:
    house.clock.forward(LATE)
    house.settle()


def over(house: Working, _run: RunId) -> None:
    """Let its time pass, and nobody close it yet."""
    house.clock.forward(LATE)


def cancelled(house: Working, run: RunId) -> None:
    house.engine.cancel(run, person=id_of("rita"), reason="")
    house.settle()


def left(house: Working, run: RunId) -> None:
    """Have the approval become void, which asks again."""
    house.vote(run, Verdict.APPROVE, by="ana", comment="fine")
    house.town.groups["@leads"].discard("ana")
    house.settle()


ENDS = {
    used: "already approved. ana approved it. What it asked for has begun.",
    rejected: "already rejected. ana rejected it.",
    expired: "already expired. Too few people decided in time.",
    over: "This request has expired.",
    cancelled: "already withdrawn. The run was cancelled.",
    left: "already withdrawn. Somebody who approved this may no longer do so.",
}


def first_of(house: Working, run: RunId) -> Callable[[Verdict, str], Ballot]:
    request = of_kind(house, run, "approval.requested")[0].data["request"]

    def ballot(verdict: Verdict, who: str) -> Ballot:
        return Ballot(request=request, person=id_of(who), verdict=verdict)  # type: ignore[arg-type]

    return ballot


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("ends", ENDS, ids=lambda one: one.__name__)
def test_whoever_comes_too_late_hears_how_it_was_closed_whatever_else_is_wrong(
    house: Working, ends: Callable[[Working, RunId], None], verdict: Verdict
) -> None:
    run = asked(house)
    ends(house, run)
    ballot = first_of(house, run)
    for who in ("ben", "rita", "zoe"):
        for decide in (house.engine.decide, house.engine.may_decide):
            with pytest.raises(RequestClosedError) as told:
                decide(ballot(verdict, who))
            assert ENDS[ends] in told.value.message
    house.town.shows_groups = False
    with pytest.raises(RequestClosedError):
        house.engine.decide(ballot(verdict, "ben"))


def test_whoever_approved_hears_that_it_was_used_before_they_say_why_they_regret_it(
    house: Working,
) -> None:
    run = asked(house)
    used(house, run)

    for decide in (house.engine.decide, house.engine.may_decide):
        with pytest.raises(RequestClosedError, match=r"ana approved it. What it asked for has"):
            decide(first_of(house, run)(Verdict.DENY, "ana"))


def test_an_approval_that_others_gave_is_closed_for_everybody_but_them(house: Working) -> None:
    run = asked(house)
    house.vote(run, Verdict.APPROVE, by="ana", comment="fine")
    ballot = first_of(house, run)
    with pytest.raises(RequestClosedError, match="ana approved it"):
        house.engine.may_decide(ballot(Verdict.DENY, "ben"))

    house.engine.may_decide(ballot(Verdict.DENY, "ana"))
    with pytest.raises(ReasonMissingError):
        house.engine.decide(ballot(Verdict.DENY, "ana"))


def test_all_who_agreed_are_named_and_whoever_broke_the_glass(
    store: SqlStore, clock: Clock
) -> None:
    two = 'stages: [{from: ["@leads"], approve: 2}]'
    house = with_groups(Working(store, clock, policy=policy_of(two, rest=GLASS)))
    run, alone = asked(house), asked(house)
    house.approve(run, by="ana")
    house.approve(run, by="ben")
    request = house.request(alone).id
    house.engine.break_glass(Breaking(request=request, person=id_of("sam"), reason="fire"))

    with pytest.raises(RequestClosedError, match="ana and ben approved it"):
        house.approve(run, by="zoe")
    for late in (lambda: house.deny(alone, by="ana"), lambda: house.approve(alone, by="zoe")):
        with pytest.raises(RequestClosedError, match="sam broke the glass over it"):
            late()


@pytest.mark.parametrize("who", ["rita", "zoe"])
def test_who_may_not_decide_hears_that_before_a_reason_is_asked_for(
    house: Working, who: str
) -> None:
    run = asked(house)
    for decide in (house.engine.decide, house.engine.may_decide):
        with pytest.raises(NotEligibleError):
            decide(first_of(house, run)(Verdict.APPROVE, who))


def test_the_hour_and_the_turn_are_told_before_a_reason_is_asked_for(
    store: SqlStore, clock: Clock
) -> None:
    rule = 'stages: [{from: ["@leads"]}, {from: ["@directors"]}], reason: required'
    text = policy_of(f'{rule}, hours: {{from: "22:00", to: "23:00"}}')
    house = with_groups(Working(store, clock, policy=text))
    run = asked(house)
    found: dict[str, type[GateError]] = {"ana": OutsideHoursError, "dora": NotEligibleError}
    for who, refusal in found.items():
        with pytest.raises(refusal):
            house.vote(run, Verdict.APPROVE, by=who)


def test_groups_that_cannot_be_read_are_told_before_a_reason_is_asked_for(house: Working) -> None:
    run = asked(house)
    house.town.shows_groups = False

    with pytest.raises(PeopleUnreadableError):
        house.vote(run, Verdict.APPROVE, by="ana")


def test_whoever_stands_in_hears_that_it_is_closed_and_of_no_code(
    store: SqlStore, clock: Clock
) -> None:
    coded = policy_of(f"{LEADS}, step_up: totp", rest='roles: {governors: ["@directors"]}')
    house = with_groups(Working(store, clock, policy=coded))
    goes(house, "ana", "zoe")
    run = asked(house)
    house.deny(run, by="ben")

    with pytest.raises(RequestClosedError, match="ben rejected it"):
        house.approve(run, by="zoe")


def test_whoever_may_decide_is_let_through_and_nothing_is_recorded(house: Working) -> None:
    run = asked(house)
    before = house.kinds(run)
    for verdict in Verdict:
        house.engine.may_decide(first_of(house, run)(verdict, "ana"))

    assert house.kinds(run) == before


def test_whoever_is_refused_before_they_are_asked_for_a_reason_leaves_an_entry_too(
    house: Working,
) -> None:
    run = asked(house)
    for verdict in (Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY):
        with pytest.raises(NotEligibleError):
            house.engine.may_decide(first_of(house, run)(verdict, "rita"))

    assert told_refused(house) == ["requester", "requester"]  # Once for each verdict.


def test_whoever_said_the_same_already_hears_nothing_of_it_until_it_is_closed(
    store: SqlStore, clock: Clock
) -> None:
    two = 'stages: [{from: ["@leads"], approve: 2}]'
    house = with_groups(Working(store, clock, policy=policy_of(two)))
    run = asked(house)
    again = first_of(house, run)(Verdict.APPROVE, "ana")
    house.approve(run, by="ana")
    house.engine.may_decide(again)
    house.approve(run, by="ben")

    with pytest.raises(RequestClosedError, match="ana and ben approved it"):
        house.engine.may_decide(again)


def test_who_breaks_the_glass_too_late_hears_that_before_a_reason_is_asked_for(
    house: Working,
) -> None:
    run = asked(house)
    rejected(house, run)
    order = Breaking(request=house.request(run).id, person=id_of("sam"), reason="")

    with pytest.raises(RequestClosedError, match="ana rejected it"):
        house.engine.break_glass(order)
    with pytest.raises(NotEligibleError):
        house.engine.break_glass(
            Breaking(request=house.request(asked(house)).id, person=id_of("zoe"), reason="")
        )


def test_who_changes_what_is_asked_too_late_hears_that_before_their_values_are_judged(
    house: Working,
) -> None:
    run = asked(house)
    rejected(house, run)
    order = Edit(request=house.request(run).id, person=id_of("rita"), inputs={"by": "many"})

    with pytest.raises(RequestClosedError, match="ana rejected it"):
        house.engine.edit(order)


def test_who_changes_what_others_changed_first_hears_that_before_their_values_are_judged(
    house: Working,
) -> None:
    house.town.groups["@askers"].add("ben")
    run = asked(house)
    request = house.request(run).id

    def edit(by: object, who: str) -> Edited:
        return house.engine.edit(Edit(request=request, person=id_of(who), inputs={"by": by}))

    edit(7, "ben")
    for by, who in ((5000, "rita"), ("many", "zoe"), ("many", "ben")):
        with pytest.raises(StaleRequestError, match=r"ben has changed .* \(2026-03-02 12:00 UTC\)"):
            edit(by, who)
    assert not edit(7, "ben").changed


def test_what_is_changed_while_values_are_judged_is_told_before_what_is_wrong_with_them(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked(house)
    request = house.request(run).id
    judge = editing.checked_inputs

    def overtaken(*given: Any) -> Mapping[str, Json]:  # noqa: ANN401 - passed on as it came.
        monkeypatch.setattr(editing, "checked_inputs", judge)
        house.engine.edit(Edit(request=request, person=id_of("rita"), inputs={"by": 7}))
        return judge(*given)

    monkeypatch.setattr(editing, "checked_inputs", overtaken)

    with pytest.raises(StaleRequestError, match="rita has changed"):
        house.engine.edit(Edit(request=request, person=id_of("rita"), inputs={"by": 5000}))


def test_who_can_decide_no_item_of_a_batch_hears_why_and_who_can_decide_one_hears_nothing(
    store: SqlStore, clock: Clock
) -> None:
    rule = 'stages: [{from: ["@deciders"], approve: 2}], batch: true, reason: required'
    house, run = paying(store, clock, rule=rule)
    say(house, requests(house, run)[:1], Verdict.DENY, by="ben")
    say(house, requests(house, run)[1:2], Verdict.APPROVE, by="ana")

    def whys(who: str, *, notes: bool = True) -> list[str]:
        ballots = [
            Ballot(request=one.id, person=id_of(who), verdict=Verdict.APPROVE)
            for one in requests(house, run)[:2]
        ]
        said = house.engine.may_decide_together(ballots, notes=notes)
        return [type(one.why).__name__ + one.why.why for one in said]

    assert whys("ben") == []
    assert whys("rita", notes=False) == ["RequestClosedErrorclosed", "NotEligibleErrorrequester"]
    assert told_refused(house) == []
    assert whys("ana") == ["RequestClosedErrorclosed", "NotEligibleErrorrepeated"]
    assert told_refused(house) == ["closed"]


def told_refused(house: Working) -> list[str]:
    with house.store.database.read() as connection:
        found = read_entries(connection, 0, 1_000)
    return [str(one.data["why"]) for one in found if one.kind == "approval.refused"]


def test_of_each_item_of_a_batch_the_same_is_told(store: SqlStore, clock: Clock) -> None:
    rule = 'stages: [{from: ["@deciders"]}], batch: true, reason: required'
    house, run = paying(store, clock, rule=rule)
    say(house, requests(house, run)[:1], Verdict.DENY, by="ben")
    said = say(house, requests(house, run)[:2], Verdict.APPROVE, comment="")
    strange = say(house, requests(house, run)[1:2], Verdict.APPROVE, by="rita", comment="")
    whys = [one.why for one in (*said, *strange) if isinstance(one, Refused)]

    assert [type(one) for one in whys] == [RequestClosedError, ReasonMissingError, NotEligibleError]
    assert "ben rejected it" in whys[0].message

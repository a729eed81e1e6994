"""Break-glass: named people decide alone, with a reason, and somebody reviews it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.world import POLICY, UNREACHABLE, ChangeWorld, Clock, Working, failing, id_of
from workflows.actions.access import AccessReviewAction
from workflows.actions.door import Door
from workflows.actions.erase import EraseAction
from workflows.breaking import Breaking
from workflows.entry import Entry, Json, RunId
from workflows.errors import (
    InterlockError,
    NoApproverError,
    NotAllowedError,
    NotEligibleError,
    PeopleUnreadableError,
    ReasonMissingError,
    RequestClosedError,
    ReviewMissingError,
    StaleRequestError,
)
from workflows.gate import Outcome
from workflows.glass import Finding
from workflows.loading import load_policy
from workflows.reviewing import Review
from workflows.store import Delivery, DueKind

GLASS = """
break_glass: {people: ["@on-call", "@kim"], by: ["@governors"], review: 24h}
"""
FREEZE = """
freezes:
  - {name: night, from: "2026-03-02T09:00", until: "2026-03-02T18:00"}
"""


def a_house(store: SqlStore, clock: Clock, policy: str = POLICY + GLASS) -> Working:
    house = Working(store, clock, policy=policy)
    house.town.groups |= {"@on-call": {"otto", "rita", "olga"}, "@governors": {"gina", "otto"}}
    house.town.groups["@askers"].add("sam")
    return house


def asked(house: Working, *, by: str = "rita") -> RunId:
    run = house.start(by=by)
    house.settle()
    return run


def broken(
    house: Working, run: RunId, *, by: str = "otto", reason: str = "the shop is down"
) -> bool:
    order = Breaking(request=house.request(run).id, person=id_of(by), reason=reason)
    done = house.engine.break_glass(order)
    house.settle()
    return done


def used(house: Working, run: RunId) -> Entry:
    (found,) = [one for one in house.entries(run) if one.kind == "break_glass.used"]
    return found


def reviewed(
    house: Working,
    run: RunId,
    *,
    by: str = "gina",
    finding: Finding = Finding.RIGHT,
    comment: str = "",
) -> bool:
    order = Review(use=used(house, run).id, person=id_of(by), finding=finding, comment=comment)
    return house.engine.review_glass(order)


def cards(house: Working, run: RunId) -> list[str]:
    """Return for whom cards of the review are queued: "" for the channel."""
    with house.store.database.begin() as tx:
        rows = tx.run("SELECT key FROM outbox WHERE subject = 'review' ORDER BY id").fetchall()
    use = used(house, run).id
    return [str(key).removeprefix(use).removeprefix("/") for (key,) in rows]


def test_one_person_decides_alone_and_nobody_is_said_to_have_approved(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)

    assert house.status(run) == "done"
    assert "approval.granted" not in house.kinds(run)
    assert house.request(run).outcome is Outcome.APPROVED
    entry, request = used(house, run), house.request(run)
    assert entry.data["binding"] == request.binding
    assert entry.data["review_by"] == "2026-03-03T12:00:00.000Z"
    assert entry.data["people"] == ["@on-call"]
    assert entry.parts["reason"].value == b"the shop is down"
    assert check_projections(store.database) == []


def test_the_requester_may_break_it_too(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house, by="rita")
    broken(house, run, by="rita")

    assert house.status(run) == "done"


def test_a_person_named_by_the_policy_may_break_it(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)

    assert broken(house, asked(house), by="kim")


def joins_later(house: Working) -> None:
    house.town.groups["@on-call"].add("nina")


def leaves(house: Working) -> None:
    house.town.groups["@on-call"].discard("otto")


@pytest.mark.parametrize(
    ("who", "change", "why"),
    [
        ("ana", lambda _: None, "Only @on-call or @kim can break the glass"),
        ("nina", joins_later, "Only @on-call"),
        ("otto", leaves, "Only @on-call"),
        ("olga", lambda house: house.town.guests.add("olga"), "guests do not decide"),
    ],
)
def test_anybody_else_is_told_why_not(
    store: SqlStore, clock: Clock, who: str, change: Callable[[Working], None], why: str
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    change(house)

    with pytest.raises(NotEligibleError, match=why):
        house.engine.may_break_glass(house.request(run).id, id_of(who))
    with pytest.raises(NotEligibleError, match=why):
        broken(house, run, by=who)

    assert house.kinds(run)[-1] == "approval.requested"


def test_a_reason_is_mandatory(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)

    with pytest.raises(ReasonMissingError):
        broken(house, asked(house), reason="  ")


@pytest.mark.parametrize("when", ['workflow == "other"', "inputs.missing > 1"])
def test_there_is_no_glass_where_its_condition_is_not_true(
    store: SqlStore, clock: Clock, when: str
) -> None:
    house = a_house(store, clock, POLICY + GLASS.replace("}", f", when: '{when}'}}"))
    run = asked(house)

    with pytest.raises(NotEligibleError, match="no glass"):
        broken(house, run)


def test_there_is_no_glass_over_what_can_always_wait(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChangeWorld, "is_emergency", False)
    house = a_house(store, clock)
    run = asked(house)

    with pytest.raises(NotEligibleError, match="no glass"):
        broken(house, run)
    assert not any(one.is_emergency for one in (AccessReviewAction, EraseAction))
    assert not Door(ChangeWorld(house.world)).is_emergency


def test_a_card_of_an_older_version_breaks_nothing(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    order = Breaking(
        request=house.request(asked(house)).id, person=id_of("otto"), reason="x", shown="00000000"
    )

    with pytest.raises(StaleRequestError):
        house.engine.break_glass(order)


def test_a_glass_is_broken_once(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    delivery = Delivery(team="T0", kind="submission", key="v1")
    order = Breaking(
        request=house.request(run).id, person=id_of("otto"), reason="x", delivery=delivery
    )

    assert house.engine.break_glass(order)
    assert not house.engine.break_glass(order)
    assert not broken(house, run)
    with pytest.raises(RequestClosedError, match="already approved"):
        broken(house, run, by="kim")


def denied(house: Working, run: RunId) -> None:
    house.deny(run)


def expired(house: Working, run: RunId) -> None:
    del run
    house.clock.forward(timedelta(hours=24))


@pytest.mark.parametrize("ends", [denied, expired])
def test_what_is_closed_is_not_opened_again(
    store: SqlStore, clock: Clock, ends: Callable[[Working, RunId], None]
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    ends(house, run)

    with pytest.raises(RequestClosedError):
        broken(house, run)


def test_what_runs_is_still_exactly_what_was_shown(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.world.number = 1000  # The condition of the step is no longer true.
    broken(house, run)

    assert house.world.effects == []
    assert "approval.withdrawn" in house.kinds(run)


def test_a_changed_policy_voids_it(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.policy = load_policy(POLICY.replace("24h", "12h") + GLASS)
    broken(house, run)

    assert house.world.effects == []
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "approval.requested"]


def test_whoever_left_before_the_effect_no_longer_counts(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.effects_wait = "the comparison"
    broken(house, run)
    house.town.groups["@on-call"].discard("otto")
    house.effects_wait = None
    clock.forward(timedelta(seconds=20))
    house.settle()

    assert house.world.effects == []
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "approval.requested"]


def test_a_try_that_did_not_happen_shares_the_broken_glass(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, POLICY + GLASS + FREEZE)
    house.world.trouble = failing("before", UNREACHABLE)
    run = asked(house)
    broken(house, run)
    clock.forward(timedelta(minutes=2))
    house.settle()

    assert house.status(run) == "done"
    assert house.kinds(run).count("break_glass.used") == 1


def test_it_passes_a_freeze(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, POLICY + GLASS + FREEZE)
    run = asked(house)
    broken(house, run)

    assert house.status(run) == "done"
    assert "decision.made" not in house.kinds(run)


def test_what_was_approved_and_waits_for_a_freeze_can_be_let_through(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, POLICY + GLASS + FREEZE)
    run = asked(house)
    house.approve(run)
    house.settle()
    assert house.status(run) == "waiting"
    broken(house, run)

    assert house.status(run) == "done"
    assert used(house, run).data["settles"] is False
    assert check_projections(store.database) == []


@pytest.mark.parametrize("waits", [None, "the head of the log was not compared yet"])
def test_what_was_approved_and_waits_for_no_freeze_has_no_glass_any_more(
    store: SqlStore, clock: Clock, waits: str | None
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.approve(run)
    if waits is not None:
        house.effects_wait = waits
        house.settle()

    with pytest.raises(RequestClosedError, match="already approved"):
        broken(house, run)


def test_an_approver_who_had_agreed_can_still_stop_it(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, POLICY.replace("approve: 1", "approve: 2") + GLASS)
    run = asked(house)
    house.approve(run, by="ana")
    house.effects_wait = "the comparison"
    broken(house, run)
    house.deny(run, by="ana")
    house.effects_wait = None
    house.settle()

    assert house.status(run) == "denied"
    assert house.world.effects == []


def test_channel_and_reviewers_get_a_card_but_not_whoever_broke_it(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)
    reviewers = used(house, run).data["reviewers"]

    assert isinstance(reviewers, list)
    assert cards(house, run) == ["", *map(str, reviewers)]
    assert [store.person(one) for one in reviewers] == [id_of("gina")]  # type: ignore[arg-type]


def test_without_anybody_to_review_it_nobody_breaks_it(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.town.groups["@governors"] = {"otto", "rita"}

    with pytest.raises(NoApproverError, match="Nobody could review it"):
        broken(house, run, by="otto")


def test_a_review_is_a_fact_outside_the_run(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)
    assert reviewed(house, run, finding=Finding.NOT_RIGHT, comment="it could have waited")

    use = store.glass_use(used(house, run).id)
    assert use.finding is Finding.NOT_RIGHT
    assert use.reviewed_by is not None
    assert store.person(use.reviewed_by) == id_of("gina")
    assert check_projections(store.database) == []


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("otto", "You broke the glass"),
        ("rita", "You asked for this"),
        ("ana", "not among those who review"),
    ],
)
def test_not_everybody_reviews_it(store: SqlStore, clock: Clock, by: str, why: str) -> None:
    house = a_house(store, clock)
    run = asked(house, by="rita")
    broken(house, run)
    house.town.groups["@governors"].add("rita")

    with pytest.raises(NotAllowedError, match=why):
        reviewed(house, run, by=by)


def test_it_was_not_right_needs_a_comment(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)

    with pytest.raises(ReasonMissingError):
        reviewed(house, run, finding=Finding.NOT_RIGHT)


def test_it_is_reviewed_once(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)
    house.town.groups["@governors"].add("dora")

    assert reviewed(house, run)
    assert not reviewed(house, run)
    with pytest.raises(RequestClosedError, match="reviewed already"):
        reviewed(house, run, by="dora")


def test_who_reviews_now_may_do_so_where_the_old_group_is_gone(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)
    house.policy = load_policy(POLICY + GLASS.replace("@governors", "@owners"))
    members = house.town.members

    def gone(name: str, *, max_age: timedelta) -> object:
        if name == "@governors":
            raise PeopleUnreadableError("Slack knows no such group.")
        return members(name, max_age=max_age)

    monkeypatch.setattr(house.town, "members", gone)

    with pytest.raises(PeopleUnreadableError):
        reviewed(house, run, by="ana")
    assert reviewed(house, run, by="omar")


def test_reviewers_are_reminded_each_day_until_it_is_reviewed(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    broken(house, run)
    (gina,) = used(house, run).data["reviewers"]  # type: ignore[misc]
    (due,) = house.due(run)
    assert due.kind is DueKind.REVIEW  # It outlives the run.

    for _ in range(2):
        clock.forward(timedelta(hours=24))
        house.settle()
    reviewed(house, run)
    clock.forward(timedelta(hours=24))
    house.settle()

    assert cards(house, run) == [
        "",
        gina,
        "overdue-1",
        f"overdue-1/{gina}",
        "overdue-2",
        f"overdue-2/{gina}",
    ]
    assert house.due(run) == []


@pytest.mark.parametrize("by", ["otto", "olga"])
def test_an_overdue_review_blocks_the_next_one_of_that_group(
    store: SqlStore, clock: Clock, by: str
) -> None:
    house = a_house(store, clock)
    first = asked(house, by="sam")
    broken(house, first, by="otto")
    clock.forward(timedelta(hours=24))
    second = asked(house, by="sam")

    with pytest.raises(ReviewMissingError, match="otto broke the glass") as refused:
        broken(house, second, by=by)
    assert f"over step change of run {first}" in str(refused.value)
    assert "due by 2026-03-03 12:00 UTC" in str(refused.value)
    assert "@governors" in str(refused.value)
    assert house.kinds(second)[-1] == "approval.requested"

    reviewed(house, first)
    assert broken(house, second, by=by)


def test_another_group_is_not_blocked(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    broken(house, asked(house), by="otto")
    clock.forward(timedelta(hours=24))

    assert broken(house, asked(house), by="kim")


def test_a_review_that_is_not_due_yet_blocks_nobody(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    broken(house, asked(house), by="otto")
    clock.forward(timedelta(hours=23))

    assert broken(house, asked(house), by="otto")


def test_too_many_who_could_break_it_stop_the_step(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    house.town.groups["@on-call"] = {f"p{number}" for number in range(51)}

    assert house.status(asked(house)) == "exception"


def test_nothing_is_decided_while_people_cannot_be_read(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    house.town.is_readable = False

    with pytest.raises(InterlockError, match="Slack did not answer"):
        broken(house, run)


def test_what_people_were_shown_names_who_may_break_it(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = asked(house)
    (raised,) = [one for one in house.entries(run) if one.kind == "approval.requested"]
    glass: Json = raised.data["glass"]

    assert isinstance(glass, dict)
    assert glass["from"] == ["@on-call", "@kim"]
    assert glass["review"] == 86_400


def test_rules_that_come_to_count_meanwhile_do_not_stop_it(store: SqlStore, clock: Clock) -> None:
    at_night = '  - {name: at night, when: hour >= 20, stages: [{from: ["@directors"]}]}\n'
    house = a_house(store, clock, POLICY + at_night + GLASS)
    run = asked(house)
    clock.forward(timedelta(hours=9))
    broken(house, run)

    assert house.status(run) == "done"

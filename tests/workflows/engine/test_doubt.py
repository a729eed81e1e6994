"""An effect nobody can be sure of is found out or asked about, never done again on a guess."""

from datetime import timedelta

import pytest

from storage.listing import Wanted, list_runs
from tests.world import LOST, SLOW, Working, World, failing, id_of
from workflows.actions.base import Happened
from workflows.errors import ActionFailedError, NotAllowedError, RequestClosedError
from workflows.gate import Outcome

REFUSED = ActionFailedError("no", error_class="refused")


def approved(house: Working) -> str:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    return run


def test_a_lost_reply_is_settled_by_the_probe_without_a_second_effect(house: Working) -> None:
    house.world.trouble = failing("after", LOST)
    run = approved(house)

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/change"]
    assert "action.in_doubt" in house.kinds(run)
    assert "action.resolved" in house.kinds(run)


def test_a_probe_that_says_no_counts_only_after_the_deadline(house: Working) -> None:
    house.world.trouble = failing("before", LOST)
    run = approved(house)

    assert house.status(run) == "in_doubt"
    assert house.world.effects == []

    for _ in range(3):
        house.clock.forward(timedelta(minutes=11))
        house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/change"]


def test_what_stays_unknown_is_found_by_the_verification(house: Working) -> None:
    house.world.can_probe = False
    house.world.trouble = failing("after", LOST)
    run = approved(house)

    assert house.status(run) == "done"
    assert len(house.world.effects) == 1


@pytest.mark.parametrize("can_probe", [True, False])
def test_a_look_at_what_became_of_it_that_fails_is_no_answer(
    house: Working, monkeypatch: pytest.MonkeyPatch, *, can_probe: bool
) -> None:
    def trouble(place: str) -> None:
        if place == "before":
            house.world.trouble = failing("read", SLOW, times=100)
            raise LOST

    def fails(*_: object) -> Happened:
        raise SLOW

    house.world.trouble, house.world.can_probe = trouble, can_probe
    if can_probe:
        monkeypatch.setattr(house.actions["world.change"], "probe", fails)
    run = approved(house)
    house.clock.forward(timedelta(hours=1))
    house.settle()

    assert house.status(run) == "in_doubt"
    assert house.world.effects == []


def unknown(house: Working) -> str:
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    return approved(house)


def test_what_nobody_knows_waits_for_a_person_for_ever(house: Working) -> None:
    run = unknown(house)
    house.clock.forward(timedelta(days=30))
    house.settle()

    assert house.status(run) == "in_doubt"
    assert house.world.effects == []


def test_a_person_who_says_it_did_not_happen_makes_it_ask_again(house: Working) -> None:
    run = unknown(house)
    first = house.request(run)
    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
    house.settle()

    assert house.status(run) == "waiting"
    assert house.request(run).id != first.id

    house.approve(run)
    house.settle()

    assert house.status(run) == "done"
    assert len(house.world.effects) == 1


def test_the_card_of_an_earlier_doubt_answers_nothing_about_a_later_one(house: Working) -> None:
    run = unknown(house)
    first = intent_of(house, run)
    house.engine.settle_doubt(
        run, "change", person=id_of("sam"), happened=Happened.NO, asked_by=first
    )
    house.settle()
    house.world.trouble = failing("before", LOST)
    house.approve(run)
    house.settle()
    with pytest.raises(RequestClosedError, match="stopped once more"):
        house.engine.settle_doubt(
            run, "change", person=id_of("omar"), happened=Happened.YES, asked_by=first
        )

    assert house.status(run) == "in_doubt"

    house.engine.settle_doubt(
        run,
        "change",
        person=id_of("omar"),
        happened=Happened.UNKNOWN,
        asked_by=intent_of(house, run),
    )
    assert house.status(run) == "aborted"


def intent_of(house: Working, run: str) -> str:
    return [one.id for one in house.entries(run) if one.kind == "action.intended"][-1]


def test_a_person_who_says_it_happened_lets_the_run_go_on(house: Working) -> None:
    run = unknown(house)
    house.world.number += 5
    house.engine.settle_doubt(run, "change", person=id_of("sam"), happened=Happened.YES)
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == []


def test_aborting_a_doubt_ends_the_run_with_the_doubt_on_record(house: Working) -> None:
    run = unknown(house)
    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.UNKNOWN)

    assert house.status(run) == "aborted"
    assert house.kinds(run)[-1] == "run.finished"


def test_only_owner_and_deputy_settle_a_doubt(house: Working) -> None:
    run = unknown(house)

    with pytest.raises(NotAllowedError):
        house.engine.settle_doubt(run, "change", person=id_of("ana"), happened=Happened.YES)


def test_the_requester_never_says_what_became_of_a_destructive_step(house: Working) -> None:
    house.town.groups["@owners"].add("rita")
    run = unknown(house)

    with pytest.raises(NotAllowedError, match="someone else"):
        house.engine.settle_doubt(run, "change", person=id_of("rita"), happened=Happened.YES)


def test_a_doubt_is_settled_once(house: Working) -> None:
    run = unknown(house)
    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.UNKNOWN)

    with pytest.raises(RequestClosedError):
        house.engine.settle_doubt(run, "change", person=id_of("sam"), happened=Happened.NO)


def test_the_outcome_of_a_slow_worker_settles_the_doubt_of_the_one_that_took_over(
    house: Working,
) -> None:
    taken: list[str] = []

    def taken_over(place: str) -> None:
        if place == "after" and not taken:
            taken.append(place)
            other = Working(house.store, house.clock, world=World(can_probe=False))
            other.queue.hint(house.store_runs()[0])
            other.world.number = 10
            other.settle()

    house.world.trouble = taken_over
    run = approved(house)
    house.settle()

    assert taken
    assert house.status(run) == "done"
    assert len(house.world.effects) == 1
    assert [one.data["by"] for one in house.entries(run) if one.kind == "action.resolved"] == [
        "late_reply"
    ]


def test_what_happened_after_all_takes_back_the_card_that_asks_for_it_again(house: Working) -> None:
    taken: list[str] = []

    def taken_over(place: str) -> None:
        if place == "after" and not taken:
            taken.append(place)
            other = Working(house.store, house.clock, world=World(can_probe=False))
            (run,) = house.store_runs()
            other.queue.hint(run)
            other.settle()
            other.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
            other.settle()
            assert other.request(run).outcome is Outcome.OPEN

    house.world.trouble = taken_over
    run = approved(house)
    house.settle()
    withdrawn = [one for one in house.entries(run) if one.kind == "approval.withdrawn"]

    assert [one.data["reason"] for one in withdrawn] == ["already_happened"]
    assert house.request(run).outcome is Outcome.WITHDRAWN
    assert house.status(run) == "done"
    assert len(house.world.effects) == 1


def test_a_slow_worker_that_does_not_know_either_leaves_the_doubt_open(house: Working) -> None:
    taken: list[str] = []

    def taken_over(place: str) -> None:
        if place != "after" or taken:
            return
        taken.append(place)
        other = Working(house.store, house.clock, world=World(can_probe=False))
        other.queue.hint(house.store_runs()[0])
        other.settle()
        raise LOST

    house.world.trouble = taken_over
    run = approved(house)

    assert taken
    assert [one.data for one in house.entries(run) if one.kind == "action.resolved"] == [
        {"step": "change", "attempt": 1, "idem": f"{run}/change", "happened": "yes", "by": "probe"}
    ]
    assert house.status(run) == "done"
    assert len(house.world.effects) == 1


@pytest.mark.parametrize("again", [LOST, REFUSED])
def test_the_late_outcome_of_an_earlier_attempt_leaves_the_newer_one_where_it_stands(
    house: Working, again: Exception
) -> None:
    """Else the run says that it works, and is in no list of what waits for people."""
    stood: list[str] = []

    def taken_over(place: str) -> None:
        if place != "after" or stood:
            return
        run = house.store_runs()[0]
        other = Working(house.store, house.clock, world=World(can_probe=False))
        other.world.trouble = failing("before", again)
        other.queue.hint(run)
        other.settle()
        other.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
        other.world.number = 10
        other.settle()
        other.approve(run)
        other.settle()
        stood.append(other.status(run))
        house.world.can_probe, house.world.number = False, 0  # Nothing else settles it.

    house.world.trouble = taken_over
    run = approved(house)
    house.settle()

    told = [one.data.get("by") for one in house.entries(run) if one.kind == "action.resolved"]
    assert told == ["person", "late_reply"]
    assert stood == ["in_doubt" if again is LOST else "exception"]
    assert house.status(run) == stood[0]
    assert len(list_runs(house.store.database, Wanted(is_troubled=True), most=5)) == 1


@pytest.mark.parametrize("is_asked", [True, False])
def test_that_some_of_it_happened_counts_before_it_is_done_again_whatever_a_person_said(
    house: Working, *, is_asked: bool
) -> None:
    """Else people agree to a second time, or it is done, and nobody hears of the half."""
    taken: list[str] = []

    def taken_over(place: str) -> None:
        if place != "before" or taken:
            return
        taken.append(place)
        run = house.store_runs()[0]
        other = Working(house.store, house.clock, world=World(can_probe=False))
        other.queue.hint(run)
        other.settle()
        other.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
        if is_asked:
            other.world.number = 10
            other.settle()
        raise ActionFailedError("half", error_class="broken_off", partly=True)

    house.world.trouble = taken_over
    run = approved(house)
    told = [one for one in house.entries(run) if one.kind == "action.resolved"]

    assert [(one.data["by"], one.data["happened"]) for one in told] == [
        ("person", "no"),
        ("late_reply", "unknown"),
    ]
    assert house.status(run) == "exception"
    assert ("approval.withdrawn" in house.kinds(run)) == is_asked

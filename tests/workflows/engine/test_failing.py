"""Failures: tried again where that helps, a person asked where it does not."""

from datetime import timedelta
from functools import partial

import pytest

from tests.world import CHANGE, SLOW, UNREACHABLE, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.errors import ActionFailedError, NotAllowedError, RequestClosedError


def test_a_read_is_tried_three_times_before_a_person_is_asked(house: Working) -> None:
    house.world.trouble = failing("read", SLOW, times=99)
    run = house.start()
    for _ in range(5):
        house.settle()
        house.clock.forward(timedelta(minutes=2))

    assert house.world.reads == 3
    assert house.status(run) == "exception"


def test_a_read_that_recovers_leaves_a_run_that_goes_on(house: Working) -> None:
    house.world.trouble = failing("read", SLOW)
    run = house.start()
    house.settle()
    house.clock.forward(timedelta(minutes=2))
    house.settle()

    assert house.status(run) == "waiting"
    assert "approval.requested" in house.kinds(run)


def troubled(house: Working) -> str:
    house.world.trouble = failing("before", ActionFailedError("refused", error_class="http_422"))
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    return run


def test_an_effect_that_failed_is_not_tried_again_by_itself(house: Working) -> None:
    run = troubled(house)
    house.clock.forward(timedelta(days=1))
    house.settle()

    assert house.status(run) == "exception"
    assert house.kinds(run).count("action.intended") == 1


def test_a_retry_by_the_owner_asks_for_approval_again(house: Working) -> None:
    run = troubled(house)
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "waiting"
    assert house.kinds(run).count("approval.requested") == 2


def test_the_card_of_an_earlier_failure_answers_nothing_about_a_later_one(house: Working) -> None:
    run = troubled(house)
    first = house.entries(run)[-1]
    house.engine.settle_exception(
        run, "change", person=id_of("sam"), answer="retry", asked_by=first.id
    )
    house.settle()
    house.world.trouble = failing("before", ActionFailedError("refused", error_class="http_422"))
    house.approve(run)
    house.settle()
    settle = partial(house.engine.settle_exception, run, "change", person=id_of("omar"))
    with pytest.raises(RequestClosedError, match="stopped once more"):
        settle(answer="abort", asked_by=first.id)

    assert house.status(run) == "exception"

    settle(answer="abort", asked_by=house.entries(run)[-1].id)
    assert house.status(run) == "aborted"


def test_skipping_a_failed_step_ends_the_run_done(house: Working) -> None:
    run = troubled(house)
    house.engine.settle_exception(run, "change", person=id_of("sam"), answer="skip")
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == []


def test_aborting_ends_the_run(house: Working) -> None:
    run = troubled(house)
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="abort")

    assert house.status(run) == "aborted"


def test_an_exception_is_for_owner_and_deputy(house: Working) -> None:
    run = troubled(house)

    with pytest.raises(NotAllowedError):
        house.engine.settle_exception(run, "change", person=id_of("rita"), answer="skip")


def test_an_exception_is_settled_once(house: Working) -> None:
    run = troubled(house)
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="abort")

    with pytest.raises(RequestClosedError):
        house.engine.settle_exception(run, "change", person=id_of("omar"), answer="retry")


def test_a_step_that_has_not_stopped_is_told_from_one_that_is_settled(house: Working) -> None:
    run = troubled(house)
    settle = partial(house.engine.settle_exception, run, person=id_of("omar"), answer="retry")
    with pytest.raises(RequestClosedError, match="Nothing called chnge has stopped") as misnamed:
        settle("chnge")
    with pytest.raises(RequestClosedError, match="goes on by retry, skip, abort or undo"):
        house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.YES)

    assert "What has stopped is change." in str(misnamed.value)
    assert house.status(run) == "exception"


def test_an_effect_that_does_not_show_is_an_exception(house: Working) -> None:
    def undone(place: str) -> None:
        if place == "after":
            house.world.number = 10

    house.world.trouble = undone
    run = house.start()
    house.settle()
    house.approve(run)
    for _ in range(20):
        house.settle()
        house.clock.forward(timedelta(seconds=10))

    assert house.status(run) == "exception"
    assert "verification.failed" in house.kinds(run)


def test_a_stage_without_anybody_to_ask_runs_nothing(house: Working) -> None:
    house.town.groups["@deciders"] = {"rita"}
    run = house.start()
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == []


def test_a_destructive_step_without_a_rule_runs_nothing(store, clock) -> None:  # noqa: ANN001
    policy = """
defaults: {expires: 24h}
rules: [{name: other, when: workflow == "other", stages: [{from: ["@deciders"]}]}]
"""
    house = Working(store, clock, policy=policy, definitions=(CHANGE,))
    run = house.start()
    house.settle()

    assert house.status(run) == "exception"
    assert house.world.effects == []
    assert "no_gate" in [one.data.get("rule") for one in house.entries(run)]


def test_a_run_is_cancelled_while_it_waits(house: Working) -> None:
    run = house.start()
    house.settle()
    house.engine.cancel(run, person=id_of("rita"), reason="changed my mind")

    assert house.status(run) == "cancelled"
    assert house.kinds(run)[-2:] == ["approval.withdrawn", "run.cancelled"]


def test_a_cancel_during_an_effect_is_honoured_once_the_effect_has_ended(house: Working) -> None:
    def cancelled(place: str) -> None:
        if place == "after":
            house.engine.cancel(house.store_runs()[0], person=id_of("omar"), reason="stop")

    house.world.trouble = cancelled
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()

    assert house.status(run) == "cancelled"
    assert house.kinds(run)[-2:] == ["action.executed", "run.cancelled"]


def test_unreachable_targets_are_tried_three_times(house: Working) -> None:
    house.world.trouble = failing("before", UNREACHABLE, times=99)
    run = house.start()
    house.settle()
    house.approve(run)
    for _ in range(6):
        house.settle()
        house.clock.forward(timedelta(minutes=2))

    assert house.kinds(run).count("action.intended") == 3
    assert house.status(run) == "exception"

"""A cancelled run leaves nothing behind that could still be decided."""

from datetime import timedelta

import pytest

from tests.world import UNREACHABLE, Working, failing, id_of
from workflows.entry import RunId
from workflows.errors import ActionFailedError, RequestClosedError
from workflows.gate import Outcome
from workflows.store import Subject


def approved(house: Working) -> RunId:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    return run


def test_an_approval_that_a_failed_attempt_gave_back_ends_with_the_run(house: Working) -> None:
    house.world.trouble = failing("before", UNREACHABLE, times=9)
    run = approved(house)
    house.engine.cancel(run, person=id_of("rita"), reason="enough")

    assert house.kinds(run)[-2:] == ["approval.withdrawn", "run.cancelled"]
    assert house.request(run).outcome is Outcome.WITHDRAWN
    with pytest.raises(RequestClosedError):
        house.deny(run, by="ana")
    assert house.kinds(run)[-1] == "run.cancelled"


def test_it_ends_with_the_run_also_once_all_attempts_are_over(house: Working) -> None:
    house.world.trouble = failing("before", UNREACHABLE, times=99)
    run = approved(house)
    for _ in range(9):
        house.clock.forward(timedelta(minutes=11))
        house.settle()
    assert house.status(run) == "exception"

    house.engine.cancel(run, person=id_of("omar"), reason="enough")

    assert house.request(run).outcome is Outcome.WITHDRAWN


def test_an_approval_that_was_used_is_not_withdrawn(house: Working) -> None:
    house.world.trouble = failing("before", ActionFailedError("no", error_class="x", partly=True))
    run = approved(house)
    house.engine.cancel(run, person=id_of("omar"), reason="enough")

    assert house.kinds(run)[-2:] == ["decision.made", "run.cancelled"]
    assert house.request(run).outcome is Outcome.APPROVED


@pytest.mark.parametrize("answer", ["retry", "skip", "abort"])
def test_nobody_settles_an_exception_of_a_run_that_was_cancelled(
    house: Working, answer: str
) -> None:
    house.world.trouble = failing("before", ActionFailedError("no", error_class="x"))
    run = approved(house)
    assert house.status(run) == "exception"
    house.engine.cancel(run, person=id_of("rita"), reason="enough")

    with pytest.raises(RequestClosedError):
        house.engine.settle_exception(run, "change", person=id_of("omar"), answer=answer)
    assert house.kinds(run)[-1] == "run.cancelled"


def test_a_run_that_is_given_up_asks_nobody_any_more(house: Working) -> None:
    run = house.start()
    house.settle()
    house.engine.give_up(run, error_class="segments_died")

    assert house.status(run) == "exception"
    assert house.request(run).outcome is Outcome.WITHDRAWN


def test_the_card_of_an_exception_hears_that_the_run_was_cancelled(house: Working) -> None:
    house.world.trouble = failing("before", ActionFailedError("refused", error_class="http_422"))
    run = approved(house)
    card = house.store.outbox.find(Subject.TROUBLE, trouble_key(house, run))
    assert card is not None
    house.engine.cancel(run, person=id_of("omar"), reason="enough")
    again = house.store.outbox.find(Subject.TROUBLE, trouble_key(house, run))

    assert again is not None
    assert again.wanted == card.wanted + 1


def trouble_key(house: Working, run: RunId) -> str:
    stopped = [one for one in house.entries(run) if one.data.get("decision") == "exception"]
    return f"{run}/change/{stopped[0].id}"

"""A cancelled run leaves nothing behind that could still be decided."""

from datetime import timedelta

import pytest

from tests.world import UNREACHABLE, Working, failing, id_of
from workflows.errors import ActionFailedError, RequestClosedError
from workflows.gate import Outcome


def approved(house: Working) -> str:
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

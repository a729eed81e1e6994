"""Where a run stands, by its entries and by what was remembered with them."""

import pytest

from workflows.entry import Json
from workflows.status import Standing, Status, standing_after


def late(happened: str, *, attempt: int = 1) -> dict[str, Json]:
    return {"step": "s", "attempt": attempt, "happened": happened, "by": "late_reply"}


@pytest.mark.parametrize(
    ("happened", "status"), [("yes", Status.RUNNING), ("unknown", Status.EXCEPTION)]
)
def test_a_late_answer_settles_a_doubt_that_the_release_before_remembered(
    happened: str, status: Status
) -> None:
    before: Standing = {"s": "in_doubt"}

    assert standing_after("action.resolved", late(happened), Status.IN_DOUBT, before)[0] is status


def test_a_late_answer_about_an_earlier_attempt_leaves_the_doubt_about_the_newer_one() -> None:
    doubt: dict[str, Json] = {"step": "s", "attempt": 2, "cause": "crash"}
    now, standing = standing_after("action.in_doubt", doubt, Status.RUNNING, {})

    assert now is Status.IN_DOUBT
    assert standing_after("action.resolved", late("yes"), now, standing) == (now, standing)
    of_this = late("yes", attempt=2)
    assert standing_after("action.resolved", of_this, now, standing)[0] is Status.RUNNING


def test_a_late_answer_leaves_what_came_after_the_doubt() -> None:
    before: Standing = {"s": "exception"}
    found = standing_after("action.resolved", late("no"), Status.EXCEPTION, before)

    assert found == (Status.EXCEPTION, before)

"""All looks at Slack for one answer share the patience of whoever waits for it."""

import pytest

from bot.hurry import STEP, asking_at_most, time_left


def test_a_look_has_its_own_limit_where_nobody_waits() -> None:
    assert time_left(5.0) == 5.0


def test_a_look_has_its_own_limit_while_more_than_that_is_left() -> None:
    with asking_at_most(60):
        assert time_left(1.0) == 1.0


def test_a_look_has_what_is_left_in_few_sizes() -> None:
    with asking_at_most(1.1):
        assert time_left(5.0) in {0.0, STEP, 2 * STEP, 3 * STEP, 4 * STEP}


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_nothing_is_left_once_the_time_is_over(seconds: float) -> None:
    with asking_at_most(seconds):
        assert time_left(1.0) == 0.0


def test_what_one_answer_used_up_is_not_taken_from_the_next() -> None:
    with asking_at_most(0):
        pass

    assert time_left(1.0) == 1.0

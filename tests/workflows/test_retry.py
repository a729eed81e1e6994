"""When to try again: later each time, never all at once, and not for ever."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from workflows.retry import SPREAD, Backoff, GiveUp, next_try

SECONDS = st.integers(1, 3600).map(lambda one: timedelta(seconds=one))
SALTS = st.text(max_size=30)


@st.composite
def policies(draw: st.DrawFn) -> Backoff:
    first, longest = sorted((draw(SECONDS), draw(SECONDS)))
    attempts, grows = draw(st.integers(1, 20)), draw(st.booleans())
    return Backoff(attempts=attempts, first=first, longest=longest, is_exponential=grows)


@given(policy=policies(), salt=SALTS)
def test_there_are_as_many_attempts_as_the_policy_says(policy: Backoff, salt: str) -> None:
    answers = [next_try(number, policy, salt=salt) for number in range(1, policy.attempts + 3)]

    assert [isinstance(one, GiveUp) for one in answers] == [
        number >= policy.attempts for number in range(1, policy.attempts + 3)
    ]


@given(policy=policies(), salt=SALTS, attempt=st.integers(1, 20))
def test_a_wait_is_spread_by_a_fifth_and_never_longer_than_the_longest(
    policy: Backoff, salt: str, attempt: int
) -> None:
    wait = next_try(attempt, policy, salt=salt)
    if isinstance(wait, GiveUp):
        return
    whole = policy.first * (2 ** (attempt - 1) if policy.is_exponential else 1)
    whole = min(whole, policy.longest)

    assert whole * (1 - SPREAD) <= wait <= whole
    assert wait == next_try(attempt, policy, salt=salt)  # A replay gives the same moment.


def test_runs_that_failed_together_do_not_come_back_together() -> None:
    policy = Backoff(attempts=3, first=timedelta(seconds=10), longest=timedelta(seconds=60))
    waits = {next_try(1, policy, salt=f"r{number}/charge") for number in range(50)}

    assert len(waits) == 50

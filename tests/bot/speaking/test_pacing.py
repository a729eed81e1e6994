"""How fast we speak, as arithmetic: never faster than Slack allows, decisions first."""

import heapq
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.addresses import Addresses
from bot.pacing import POST, UPDATE, Pacer, PatientPacer, TooSoonError, Urgency
from bot.slack_client import SlackClient
from sandbox.server import SandboxServer


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(
    pacer: Pacer, method: str, *, channel: str | None = None, urgency: Urgency = Urgency.WORD
) -> bool:
    try:
        pacer.take(method, channel=channel, urgency=urgency)
    except TooSoonError:
        return False
    return True


def test_a_channel_takes_a_short_burst_and_then_one_a_second() -> None:
    ticks = Ticks()
    pacer = Pacer(ticks)

    at_once = sum(taken(pacer, POST, channel="C1") for _ in range(10))
    later = 0
    for _ in range(50):
        ticks.now += 0.2
        later += taken(pacer, POST, channel="C1")

    assert at_once == 3
    assert later in {9, 10}


def test_channels_do_not_wait_for_each_other() -> None:
    pacer = Pacer(Ticks())

    assert all(taken(pacer, POST, channel=f"C{number}") for number in range(8))


def test_live_states_leave_room_for_decisions() -> None:
    pacer = Pacer(Ticks())
    while taken(pacer, UPDATE, urgency=Urgency.LIVE):
        pass

    assert taken(pacer, UPDATE)


def test_what_slack_slowed_down_waits_and_the_rest_goes_on() -> None:
    ticks = Ticks()
    pacer = Pacer(ticks)
    pacer.slow_down(UPDATE, after=30)

    assert not taken(pacer, UPDATE)
    assert taken(pacer, POST, channel="C1")
    ticks.now = 30
    assert taken(pacer, UPDATE)


def test_whoever_is_too_early_is_told_when_to_come_back() -> None:
    ticks = Ticks()
    pacer = Pacer(ticks)
    while taken(pacer, POST, channel="C1"):
        pass
    with pytest.raises(TooSoonError) as told:
        pacer.take(POST, channel="C1")

    ticks.now += told.value.after

    assert taken(pacer, POST, channel="C1")


@pytest.mark.parametrize(
    ("urgency", "most"), [(Urgency.DECISION, 10), (Urgency.WORD, 10), (Urgency.LIVE, 30)]
)
def test_a_crowd_is_told_to_come_one_by_one(urgency: Urgency, most: int) -> None:
    pacer = Pacer(Ticks())
    waits = []
    for _ in range(40):
        try:
            pacer.take(POST, channel="C1", urgency=urgency)
        except TooSoonError as early:
            waits.append(early.after)

    assert waits == sorted(waits)
    assert len({round(one, 3) for one in waits[: most - 1]}) == most - 1
    assert waits[-1] == most


def test_two_hundred_cards_come_a_few_times_each_and_lose_no_second() -> None:
    ticks = Ticks()
    pacer, came = Pacer(ticks), 0
    due = [(0.0, number) for number in range(200)]
    sent = []
    while due:
        ticks.now, number = heapq.heappop(due)
        came += 1
        try:
            pacer.take(POST, channel="C1", urgency=Urgency.DECISION)
        except TooSoonError as early:
            heapq.heappush(due, (ticks.now + early.after, number))
        else:
            sent.append(ticks.now)

    assert came < 200 * 12  # It was 200 * 100, each of them drawn, and written twice.
    assert sent[-1] < 200
    assert max(later - one for one, later in itertools.pairwise(sent)) < 1.01


def test_a_decision_waits_for_no_crowd_of_words() -> None:
    pacer = Pacer(Ticks())
    for _ in range(40):
        taken(pacer, POST, channel="C1")

    with pytest.raises(TooSoonError) as told:
        pacer.take(POST, channel="C1", urgency=Urgency.DECISION)

    assert told.value.after <= 1


def test_a_crowd_comes_no_earlier_than_slack_wants_it() -> None:
    pacer = Pacer(Ticks())
    pacer.slow_down(POST, after=90)

    for _ in range(3):
        with pytest.raises(TooSoonError) as told:
            pacer.take(POST, channel="C1")
        assert told.value.after >= 90


def test_whoever_comes_a_little_early_by_another_clock_may_go() -> None:
    ticks = Ticks()
    pacer = Pacer(ticks)
    while taken(pacer, POST, channel="C1"):
        pass

    ticks.now += 0.9999

    assert taken(pacer, POST, channel="C1")


@settings(deadline=None)  # A busy machine is no defect.
@given(st.lists(st.floats(min_value=0, max_value=3), max_size=120))
def test_no_minute_ever_holds_more_updates_than_slack_allows(pauses: list[float]) -> None:
    ticks = Ticks()
    pacer = Pacer(ticks)
    at: list[float] = []
    for pause in pauses:
        ticks.now += pause
        if taken(pacer, UPDATE):
            at.append(ticks.now)

    assert all(sum(begin <= one < begin + 60 for one in at) <= 50 for begin in at)


def test_whoever_has_time_finds_a_channel_behind_a_thousand_others(
    server: SandboxServer, client: SlackClient
) -> None:
    for number in range(900):
        server.workspace.add_channel(f"a-{number:04}")
    last = server.workspace.add_channel("zz-last")
    ticks, waits = Ticks(), []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        ticks.now += seconds

    patient = Addresses(client, PatientPacer(ticks, sleep=sleep))
    hurried = Addresses(client, Pacer(ticks))

    assert patient.readable("#zz-last") == last.id
    assert 0 < sum(waits) < 30
    with pytest.raises(TooSoonError):
        hurried.readable("#zz-last")

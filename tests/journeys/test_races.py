"""Many clicks at one instant, through Slack and the whole bot, on both databases.

Behind a barrier everybody clicks at once. Who is first is chance; there is one outcome, the
money agrees with it, and nobody is left without an answer.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from tests.journeys.day import Case, Day, approve_label, day_at_work
from tests.sandbox.payload_checks import complaints_about

pytestmark = pytest.mark.slow

LEADS = [f"lead{number}" for number in range(10)]
ROUNDS = 4
SECONDS = 60.0
LAST = timedelta(seconds=5)
STAYS = "Nothing is taken back: what `refund` did stays done"


def with_leads(stage: Stage) -> None:
    workspace = stage.slack.workspace
    for name in LEADS:
        workspace.add_person(name)
        workspace.join_group(name, "finance-leads")


@pytest.fixture(params=["sqlite", "postgres"])
def day(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Day]:
    is_postgres = request.param == "postgres"
    database = str(request.getfixturevalue("postgres_url")) if is_postgres else ""
    with day_at_work(tmp_path, database=database, prepare=with_leads) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def at_once(*hands: Callable[[], object]) -> None:
    start = threading.Barrier(len(hands), timeout=SECONDS)

    def one(hand: Callable[[], object]) -> None:
        start.wait()
        hand()

    with ThreadPoolExecutor(len(hands)) as pool:
        for done in [pool.submit(one, hand) for hand in hands]:
            done.result()


def asked(day: Day) -> tuple[Case, SeenMessage, SeenMessage]:
    """Return a case of its own, in which a refund waits for approval."""
    case = Case(day)
    for name in LEADS:
        case.slack.workspace.join(name, case.channel.removeprefix("#"))
    root = case.asks()
    return case, root, case.card(root)


def approving(case: Case, name: str, card: SeenMessage) -> Callable[[], object]:
    label = approve_label(card)
    return lambda: case.person(name).click(label, message=card, stale=True)


def told(case: Case, name: str, card: SeenMessage) -> list[str]:
    """Return what somebody was told privately in this case's channel."""
    heard = case.person(name).ephemerals
    return [one.words for one in heard if one.channel == card.channel]


def test_of_ten_who_approve_at_once_one_counts_and_nine_hear_that_it_was_done(day: Day) -> None:
    case, root, card = asked(day)
    at_once(*(approving(case, name, card) for name in LEADS))
    case.ends(root, "done")
    heard = [told(case, name, card) for name in LEADS]

    assert case.refunds() == [500]
    assert case.kinds().count("approval.granted") == 1
    assert sorted(map(len, heard)) == [0, *[1] * 9]
    assert all("already approved" in one for given in heard for one in given)


def test_approving_while_it_is_changed_pays_what_was_shown_or_nothing_yet(day: Day) -> None:
    for _ in range(ROUNDS):
        case, root, card = asked(day)
        rita = case.person("rita")
        rita.click("Change", message=card)
        form = rita.wait_for_view("Order")
        changing = partial(rita.submit, {"Amount in cents": "300"})
        at_once(approving(case, "ana", card), changing)
        if "approval.edited" in case.kinds():
            assert ["has changed what is asked" in one for one in told(case, "ana", card)] == [True]
            case.approves("ben", case.card(root, other_than=card))
            case.ends(root, "done")
            assert case.refunds() == [300]
        else:
            assert "already approved" in rita.wait_for_view("", other_than=form).words
            rita.close_view(everything=True)
            case.ends(root, "done")
            assert case.refunds() == [500]


def test_approving_while_it_is_cancelled_pays_or_does_not_and_says_which(day: Day) -> None:
    for _ in range(ROUNDS):
        case, root, card = asked(day)
        run = case.entries()[0].run
        cancelling = partial(
            case.person("rita").command, f"/ops cancel {run} enough", channel=case.channel
        )
        at_once(approving(case, "ana", card), cancelling)
        end = case.waits(case.outcome, "an end")
        is_paid = "action.executed" in case.kinds()

        assert end in ("cancelled", "done")
        assert is_paid or end == "cancelled"
        assert case.refunds() == ([500] if is_paid else [])
        refused = [one for one in told(case, "ana", card) if "already" in one]
        assert bool(refused) == ("approval.granted" not in case.kinds())
        case.ends(root, end)
        if end == "cancelled":
            said = case.replies(root, "The run is cancelled").words
            assert (STAYS in said) == is_paid


def test_cancelling_amid_the_refund_waits_for_its_end_and_says_that_it_was_paid(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, root, card = asked(day)
    run = case.entries()[0].run
    amid: list[str] = []

    def cancels() -> None:
        if case.refunds() and not amid:  # The money has moved; its answer is not out yet.
            amid.append("cancelled")
            case.person("rita").command(f"/ops cancel {run} enough", channel=case.channel)
            case.waits(lambda: "decision.made" in case.kinds() or None, "the wish to cancel")

    monkeypatch.setattr(day.stage.shop.faults, "dawdle", cancels)
    case.approves("ana", card)
    case.ends(root, "cancelled")

    assert case.refunds() == [500]
    assert case.kinds()[-1] == "run.cancelled"
    assert "action.executed" in case.kinds()
    assert STAYS in case.replies(root, "The run is cancelled").words


def test_approving_at_the_last_moment_pays_or_expires(day: Day) -> None:
    for _ in range(ROUNDS):
        case, root, card = asked(day)
        day.time.ahead += timedelta(hours=24) - LAST
        at_once(approving(case, "ana", card), partial(day.later, LAST))
        end = case.waits(case.outcome, "an end")

        assert end in ("done", "expired")
        assert case.refunds() == ([500] if end == "done" else [])
        refused = [one for one in told(case, "ana", card) if "expired" in one]
        assert bool(refused) == ("approval.granted" not in case.kinds())
        case.ends(root, end)

"""Slack that is slow, refuses or forgets: nothing runs unseen, and people are told."""

import pytest

from sandbox import faults as fault
from sandbox.seen import SeenMessage
from tests.journeys.day import PATIENCE, Case, approve_label


def is_card(call: dict) -> bool:
    return "request.approve" in str(call.get("blocks"))


@pytest.mark.trap(13)
def test_a_card_that_slack_was_too_busy_for_comes_a_little_later(case: Case) -> None:
    case.slack.faults.next("chat.postMessage", fault.rate_limited(1), times=2, when=is_card)
    root = case.asks()
    case.approves("ana", case.card(root))
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert len([one for one in case.thread(root) if "(it cannot be undone)" in one.words]) == 1


@pytest.mark.trap(12)
@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel"])
def test_where_no_card_can_be_shown_nothing_runs_and_people_are_told(
    case: Case, error: str
) -> None:
    case.slack.faults.next("chat.postMessage", fault.refuse(error), times=9, when=is_card)
    root = case.asks()
    told = [
        case.person(name).wait_for_message(error, channel="@interlock", timeout=PATIENCE)
        for name in ("rita", "omar", "sam")
    ]
    case.waits(lambda: "approval.withdrawn" in case.kinds() or None, "the end of the request")

    rita = case.person("rita")
    outcome = rita.wait_for_message("withdrawn", channel="@interlock", timeout=PATIENCE)

    assert "The run is stopped" in outcome.words
    assert all("does not run" in one.words for one in told)
    assert case.refunds() == []
    assert "approval.granted" not in case.kinds()
    assert any("Abort" in str(one.buttons) for one in trouble(case, root))


def test_what_cannot_be_changed_any_more_in_an_archived_channel_is_not_called_stopped(
    case: Case,
) -> None:
    card = case.card(case.asks())
    case.slack.workspace.archive(case.channel)
    click = approve_label(card)
    case.person("ana").click(click, message=card)  # It was on its way when the channel went.
    case.waits(case.outcome, "an end")
    told = [
        case.person(name).wait_for_message("out of date", channel="@interlock", timeout=PATIENCE)
        for name in ("rita", "omar", "sam")
    ]

    assert case.refunds() == [500]
    for one in told:
        assert f"in {case.channel} (is_inactive)" in one.words
        assert "Nothing stopped for it" in one.words
        assert f"/ops show {case.run()}" in one.words
        assert "start the run again" not in one.words
        assert "does not run" not in one.words


def trouble(case: Case, root: SeenMessage) -> list[SeenMessage]:
    return case.waits(
        lambda: [one for one in case.thread(root) if one.buttons] or None, "an exception card"
    )


def test_a_thread_whose_first_message_is_gone_still_gets_its_decision(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.slack.workspace.delete_message(root)
    case.approves("ana", card, stale=True)
    case.waits(case.outcome, "an end")

    assert case.outcome() == "done"
    assert case.refunds() == [500]


def test_updates_that_fail_for_a_while_leave_the_card_right_in_the_end(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.slack.faults.next("chat.update", fault.server_error(503), times=2)
    case.approves("ana", card)
    case.ends(root, "done")
    case.waits(lambda: "Reject" not in case.now(card).buttons or None, "the card without buttons")

    assert case.refunds() == [500]


def test_a_slow_slack_does_not_make_a_second_card(case: Case) -> None:
    case.slack.faults.next("chat.postMessage", fault.slow(1.0), when=is_card)
    root = case.asks()
    case.approves("ana", case.card(root))
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert len([one for one in case.thread(root) if "(it cannot be undone)" in one.words]) == 1

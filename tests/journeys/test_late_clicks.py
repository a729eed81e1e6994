"""Clicks that come from the wrong people, too late, twice, at once, or on a card of the past."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_bolt import BoltRequest

from sandbox import faults as fault
from sandbox.errors import NotPossibleError
from sandbox.seen import SeenMessage
from tests.journeys.day import Case, approve_label

ROUNDS = 10


@pytest.mark.trap(8)
@pytest.mark.trap(9)
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("rita", "someone else"),
        ("petra", "not among"),
        ("gil", "guest"),
        ("connie", "another workspace"),
    ],
)
def test_whoever_may_not_decide_changes_nothing_and_is_told_why(
    case: Case, name: str, why: str
) -> None:
    root = case.asks()
    card = case.card(root)

    assert why in case.refused(name, card)
    assert case.now(card).blocks == card.blocks
    assert "approval.granted" not in case.kinds()


@pytest.mark.trap(9)
def test_somebody_deactivated_decides_nothing_even_with_a_click_that_was_on_its_way(
    case: Case,
) -> None:
    root = case.asks()
    card = case.card(root)
    case.refused("petra", card)
    sent = case.slack.recorder.deliveries("block_actions")[-1].payload
    dex = {**sent["user"], "id": "U0DEX", "username": "dex", "name": "dex"}
    body = {**sent, "user": dex, "trigger_id": f"dex-{case.order}"}
    with pytest.raises(NotPossibleError, match="deactivated"):
        case.approves("dex", card)
    answered = case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))

    assert answered.status == 200
    assert "approval.granted" not in case.kinds()


def test_who_joins_after_the_question_has_no_vote_on_it(case: Case) -> None:
    card = case.card(case.asks())
    workspace = case.slack.workspace
    workspace.join_group("ivan", "finance-leads")
    try:
        told = case.waits(lambda: _told(case, "ivan", card, "joined after"), "the answer")
    finally:
        workspace.leave_group("ivan", "finance-leads")

    assert "no vote" in told
    assert "approval.granted" not in case.kinds()


@pytest.mark.trap(7)
def test_who_left_the_group_since_has_no_vote_any_more(case: Case) -> None:
    card = case.card(case.asks())
    workspace = case.slack.workspace
    workspace.leave_group("ben", "finance-leads")
    case.is_heard()  # Until then his click would count.
    try:
        told = case.waits(lambda: _told(case, "ben", card, "no longer"), "the answer")
    finally:
        workspace.join_group("ben", "finance-leads")

    assert "no longer belong" in told
    assert "approval.granted" not in case.kinds()


def _told(case: Case, name: str, card: SeenMessage, words: str) -> str | None:
    """Return the refusal once the bot has heard that the group changed."""
    told = case.refused(name, card)
    return told if words in told else None


@pytest.mark.trap(1)
def test_clicking_twice_counts_once_and_pays_once(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    label = approve_label(card)
    ana = case.person("ana")
    # A quick bot takes the button away before the second click, which is on its way by then.
    clicks = [ana.click(label, message=card, stale=True, wait=False) for _ in range(2)]
    case.ends(root, "done")
    case.waits(lambda: all(one.acked for one in clicks) or None, "both answers")

    assert case.refunds() == [500]
    assert case.kinds().count("approval.granted") == 1


@pytest.mark.trap(3)
def test_approving_and_rejecting_at_once_ends_in_one_of_the_two_and_money_agrees(
    case: Case,
) -> None:
    """Who is first wins; where the approval was first and unused, another's no is too late."""
    for _ in range(ROUNDS):
        one = Case(case.day)
        card = one.card(one.asks())
        ben = one.person("ben")
        ben.click("Reject", message=card)
        ben.wait_for_view("")
        with ThreadPoolExecutor(2) as pool:
            pool.submit(one.approves, "ana", card, stale=True)
            pool.submit(ben.submit, {"reason": "No."})
        end = one.waits(one.outcome, "an end")
        if ben.view is not None:
            ben.close_view(everything=True)

        assert one.refunds() == ([500] if end == "done" else [])
        assert one.kinds().count("run.finished") == 1
        settling = [entry for entry in one.entries() if entry.data.get("settles")]
        assert len(settling) == 1


@pytest.mark.trap(4)
def test_a_click_after_the_time_is_over_is_refused_and_the_card_says_so(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.day.later(timedelta(hours=25))
    case.ends(root, "expired")
    told = case.refused("ana", card, stale=True)

    assert "expired" in told
    assert "Reject" not in case.closed(card).buttons
    assert case.refunds() == []


@pytest.mark.trap(6)
def test_a_card_of_what_is_no_longer_asked_decides_nothing(case: Case) -> None:
    root = case.asks()
    told = case.refused("ana", _with_another_digest(case.card(root)), stale=True)

    assert "older version" in told
    assert "approval.granted" not in case.kinds()


def _with_another_digest(card: SeenMessage) -> SeenMessage:
    """Return the card as it would be had it shown something else."""
    text = json.dumps([dict(one) for one in card.blocks])
    value = next(
        element["value"]
        for block in card.blocks
        for element in block.get("elements", [])
        if element.get("action_id") == "request.approve"
    )
    other = f"{value.partition('.')[0]}.00000000"
    return replace(card, blocks=tuple(json.loads(text.replace(value, other))))


@pytest.mark.trap(16)
def test_a_form_sent_after_the_request_was_settled_says_so_and_changes_nothing(
    case: Case,
) -> None:
    root = case.asks()
    card = case.card(root)
    ben = case.person("ben")
    ben.click("Reject", message=card)
    form = ben.wait_for_view("")
    case.approves("ana", card)
    case.ends(root, "done")
    ben.submit({"reason": "Too late."})
    told = ben.wait_for_view("already", other_than=form)
    ben.close_view(everything=True)

    assert "already approved" in told.words
    assert case.refunds() == [500]
    assert "approval.denied" not in case.kinds()


@pytest.mark.trap(16)
def test_a_submission_delivered_twice_starts_one_run(case: Case) -> None:
    case.slack.faults.next("view_submission", fault.duplicate())
    root = case.asks()
    case.card(root)

    assert len(case.roots()) == 1
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    assert case.refunds() == [500]


@pytest.mark.trap(12)
def test_a_card_that_somebody_deleted_is_posted_again_when_it_changes(case: Case) -> None:
    root = case.asks(**{"Amount in cents": "500"})
    card = case.card(root)
    case.slack.workspace.delete_message(card)
    case.approves("ana", card, stale=True)
    case.ends(root, "done")
    again = case.replies(root, "Refund a customer")

    assert again.ts != card.ts
    assert "Reject" not in again.buttons
    assert case.refunds() == [500]

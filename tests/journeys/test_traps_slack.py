"""Traps of Slack itself: groups nobody can read, limits, doors that close, late answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from slack_bolt import BoltRequest

from bot.hurried import Hurried, NotShownError
from bot.slack_client import Content, SlackClient
from bot.views.digest import digest
from bot.views.digest_values import HealthFigures
from bot.views.failure_charts import failure_charts
from bot.views.health import HealthShown, Line, health_page
from bot.views.pieces import Rendered
from bot.views.request_card import request_card
from bot.views.request_modals import review_modal
from bot.views.request_values import RequestCard
from bot.views.run_root import StepLine, run_root
from sandbox import events
from sandbox import faults as fault
from sandbox.seen import SeenMessage
from tests.bot.shown import a_digest, a_root
from tests.bot.views.test_limits import FULLEST, LONG
from tests.journeys.day import Case
from workflows.failure_modes import Share
from workflows.run import Phase

REJECT = "Reject"


@contextmanager
def nobody_in(case: Case, how: str) -> Iterator[None]:
    """Leave nobody of @finance-leads who could be asked."""
    workspace = case.slack.workspace
    group = workspace.group("finance-leads")
    if how == "disabled":
        workspace.disable_group("finance-leads")
    else:
        for name in ("ana", "ben"):
            workspace.leave_group(name, "finance-leads")
    case.is_heard()
    try:
        yield
    finally:
        group.disabled_at = 0
        for name in ("ana", "ben"):
            workspace.join_group(name, "finance-leads")
        events.group_updated(case.slack.hub, group)


def trouble(case: Case, root: SeenMessage) -> SeenMessage | None:
    return next((one for one in case.thread(root) if "Abort" in str(one.buttons)), None)


@pytest.mark.trap(11)
@pytest.mark.parametrize("how", ["empty", "disabled"])
def test_a_group_without_anybody_to_ask_stops_the_step_until_somebody_retries(
    case: Case, how: str
) -> None:
    with nobody_in(case, how):
        root = case.asks()
        card = case.in_time(lambda: trouble(case, root), "an exception card")
        assert "approval.requested" not in case.kinds()
        assert case.refunds() == []
    omar = case.person("omar")
    case.waits(lambda: retried(case, omar.name, card), "the retry")
    case.approves("ana", case.card(root))
    case.ends(root, "done")

    assert case.refunds() == [500]


def retried(case: Case, name: str, card: SeenMessage) -> bool | None:
    """Press Retry; the bot may not have heard yet that the group is whole again."""
    label = next((one for one in case.now(card).buttons if one.startswith("Retry")), None)
    if label is not None:
        case.person(name).click(label, message=case.now(card))
    return case.kinds().count("decision.made") > 1 or None


@pytest.mark.trap(11)
@pytest.mark.parametrize("how", [fault.server_error(503), fault.refuse("plan_upgrade_required")])
def test_where_slack_does_not_say_who_is_in_a_group_nothing_begins(
    case: Case, how: fault.Fault
) -> None:
    case.slack.faults.next("usergroups.list", how, times=100)
    case.slack.workspace.leave_group("ben", "finance-leads")  # The bot forgets what it knew.
    case.is_heard()  # Until then the run would start.
    rita = case.person("rita")
    typed = f"/ops run refund-customer order={case.order} amount=500 reason=broken"
    told = case.waits(lambda: refused(case, typed), "a refusal")
    case.slack.faults.clear()
    case.slack.workspace.join_group("ben", "finance-leads")

    assert case.roots() == []
    assert case.refunds() == []
    assert rita.complaints == []
    assert told


def refused(case: Case, typed: str) -> str | None:
    rita = case.person("rita")
    before = len(rita.ephemerals)
    rita.command(typed, channel=case.channel)
    words = case.waits(lambda: next(iter(rita.ephemerals[before:]), None), "an answer").words
    return words if "could not be asked" in words or "no user groups" in words else None


@pytest.mark.trap(13)
def test_a_card_whose_update_slack_holds_back_is_right_in_the_end(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.slack.faults.next("chat.update", fault.rate_limited(1), times=3)
    case.approves("ana", card)
    case.ends(root, "done")
    case.waits(lambda: REJECT not in case.now(card).buttons or None, "the card without buttons")

    assert case.refunds() == [500]


@pytest.mark.trap(13)
def test_a_click_whose_look_at_groups_is_limited_is_refused_and_may_be_repeated(
    case: Case,
) -> None:
    root = case.asks()
    card = case.card(root)
    case.slack.faults.next("usergroups.list", fault.rate_limited(1), times=1)
    case.slack.workspace.leave_group("ben", "finance-leads")  # The bot forgets what it knew.
    told = case.waits(lambda: limited(case, card), "a refusal")
    case.slack.workspace.join_group("ben", "finance-leads")
    case.waits(lambda: counted(case, card), "the click that counts")
    case.ends(root, "done")

    assert "Try again" in told
    assert case.refunds() == [500]


def limited(case: Case, card: SeenMessage) -> str | None:
    """Click as somebody who was never asked, until the bot has to ask Slack about groups."""
    told = case.refused("petra", card)
    return told if "asked us to wait" in told else None


def counted(case: Case, card: SeenMessage) -> bool | None:
    case.approves("ana", card, stale=True)
    return "approval.granted" in case.kinds() or None


@pytest.mark.trap(19)
@pytest.mark.parametrize(
    "error", ["expired_trigger_id", "exchanged_trigger_id", "trigger_exchanged"]
)
def test_a_form_that_slack_no_longer_opens_says_to_try_again(case: Case, error: str) -> None:
    card = case.card(case.asks())
    case.slack.faults.next("views.open", fault.refuse(error))
    ben = case.person("ben")
    before = len(ben.ephemerals)
    click = ben.click(REJECT, message=card)
    told = case.waits(lambda: next(iter(ben.ephemerals[before:]), None), "an answer")

    assert click.acked
    assert ben.view is None
    assert "Slack closed the door" in told.words
    ben.click(REJECT, message=card)
    assert ben.wait_for_view("").title == REJECT
    ben.close_view(everything=True)


@pytest.mark.trap(20)
def test_a_form_that_changed_meanwhile_is_not_overwritten(case: Case) -> None:
    card = case.card(case.asks())
    ben = case.person("ben")
    ben.click(REJECT, message=card)
    form = ben.wait_for_view("")
    hurried = Hurried(case.slack.bot_token, base_url=case.slack.api_url)

    with pytest.raises(NotShownError, match="hash_conflict"):
        hurried.update(form.id, "0123.of-another-time", review_modal(FULLEST))
    assert ben.view is not None
    assert ben.view.title == REJECT
    ben.close_view(everything=True)


@pytest.mark.trap(27)
@pytest.mark.parametrize("name", ["card", "first message", "digest", "health", "failures"])
def test_slack_takes_the_fullest_message_posted_and_updated(case: Case, name: str) -> None:
    shown = FULL[name]()
    content = Content(text=shown.text, blocks=shown.payload["blocks"])
    client = SlackClient(case.slack.bot_token, base_url=case.slack.api_url)
    channel = case.slack.workspace.channel(case.channel).id
    mark = {"event_type": "t", "event_payload": {}}
    place = client.post(channel, content, thread=None, metadata=mark)
    client.update(place, content)

    assert len(shown.text) <= 4_000
    assert [one.ts for one in case.roots()] == [place.ts]


def full_health() -> Rendered:
    many = [Line(name=LONG, words=LONG)] * 200
    return health_page(
        HealthShown(
            period="30d",
            requests=9,
            requests_until=FULLEST.expires,
            runs=9,
            runs_since=FULLEST.expires,
            findings=[LONG] * 200,
            calm="",
            total=LONG,
            buckets=[("under 5 s", 10**9), ("longer", 0)],
            workflows=many,
            people=many,
            causes=many,
            note=LONG,
        )
    )


def full_digest() -> Rendered:
    usual = a_digest()
    days = [replace(usual.days[0], done=10**9, refused=10**9, failed=10**9)] * 99
    return digest(replace(usual, days=days, workflows=[*usual.workflows] * 150))


def full_failures() -> Rendered:
    shares = [Share(label=f"{one}{LONG}", times=10**9, so_far=100) for one in range(6)]
    (drawn,) = failure_charts(HealthFigures(period="30d", words="", modes=[("step", shares)]))
    return drawn


FULL = {
    "card": lambda: request_card(RequestCard(preview=FULLEST)),
    "first message": lambda: run_root(
        a_root(title=LONG, steps=(StepLine(name=LONG, phase=Phase.APPROVED, note=LONG),) * 99)
    ),
    "digest": full_digest,
    "health": full_health,
    "failures": full_failures,
}


@pytest.mark.trap(29)
def test_private_words_are_replaced_at_their_own_address_and_never_updated(case: Case) -> None:
    rita = case.person("rita")
    typed = f"/ops run refund-customer order={case.order} amount=500 reason=broken"
    before = len(rita.ephemerals)
    for _ in range(2):
        rita.command(typed, channel=case.channel)
    asked = rita.wait_for_ephemeral("the same way a moment ago")
    rita.click("Start it once more", message=asked)
    case.waits(lambda: len(case.roots()) == 2 or None, "the second run")
    now = case.waits(lambda: replaced(rita.ephemerals[before:], asked), "the other words")

    updated = {call.arguments.get("ts") for call in case.slack.recorder.calls("chat.update")}
    assert "has started" in now.words
    assert asked.ts not in updated


def replaced(seen: list[SeenMessage], asked: SeenMessage) -> SeenMessage | None:
    found = next((one for one in seen if one.ts == asked.ts), None)
    return found if found is not None and found.words != asked.words else None


@pytest.mark.trap(30)
@pytest.mark.parametrize("how", ["six times", "after half an hour"])
def test_a_click_whose_answer_has_no_address_any_more_counts_all_the_same(
    case: Case, how: str
) -> None:
    root = case.asks()
    card = case.card(root)
    case.refused("petra", card)
    sent = case.slack.recorder.deliveries("block_actions")[-1].payload
    wears_out(case, sent["response_url"], how)
    ana = {**sent["user"], "id": "U0ANA", "username": "ana", "name": "ana"}
    dora = {**sent["user"], "id": "U0DORA", "username": "dora", "name": "dora"}
    answers = [
        case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))
        for body in (
            {**sent, "user": dora, "trigger_id": f"dora-{case.order}"},
            {**sent, "user": ana, "trigger_id": f"ana-{case.order}"},
        )
    ]
    case.ends(root, "done")

    assert [one.status for one in answers] == [200, 200]
    assert case.refunds() == [500]


def wears_out(case: Case, address: str, how: str) -> None:
    """Use the address as often as Slack takes it, or let its time go by."""
    url = case.slack.hub.state.response_urls[address.rpartition("/")[2]]
    if how == "after half an hour":
        url.expires -= timedelta(minutes=31).total_seconds()
    else:
        for _ in range(5):
            httpx.post(address, json={"text": "used", "response_type": "ephemeral"})
    answer = httpx.post(address, json={"text": "once more"})
    assert answer.status_code != 200

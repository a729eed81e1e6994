"""Traps in what is said: events that come again, names that mean harm, secrets in the clear."""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import BoltRequest

from sandbox import faults as fault
from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, send_form
from tests.journeys.day import Case, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about
from workflows.entry import RunId

SECRET = "shop-s3cret-value-4711"
# The form of a GitHub token, in two so that no scanner takes this file for a leak.
OF_SOMEBODY = "gh" + "p_" + "a1B" * 12
HOSTILE = "<!channel> *Boss* <https://evil.example|ok>"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company whose shop needs a token that the bot holds."""
    environment = {"INTERLOCK_SECRET_SHOP_TOKEN": SECRET}
    with day_at_work(tmp_path_factory.mktemp("words"), environment=environment) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def words_kept(case: Case) -> list[str]:
    """Return what the bot keeps of the thread's words."""
    run = RunId(str(case.entries()[0].run))
    with case.day.bot.core.store.begin() as unit:
        return [one.text for one in unit.thread_messages(run)]


def said(case: Case, root: SeenMessage, words: str) -> dict[str, Any]:
    """Have Rita write in the thread; return the delivery once the bot has taken it up."""
    case.person("rita").say(words, thread=root)
    case.waits(lambda: words in words_kept(case) or None, f"the words {words!r}")
    return latest(case, words)


def latest(case: Case, words: str) -> dict[str, Any]:
    found = [one.payload for one in case.slack.recorder.deliveries("message")]
    return next(one for one in reversed(found) if words in json.dumps(one))


def comes(case: Case, body: dict[str, Any]) -> None:
    """Deliver an event once more, or as Slack delivers what was not taken the first time."""
    answered = case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))
    assert answered.status == 200


def afresh(body: dict[str, Any], **event: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of an event.
    """Return another event about the same message."""
    made = copy.deepcopy(body)
    made["event_id"] = f"Ev-{json.dumps(event, sort_keys=True)}-{body['event_id']}"
    made["event"].update(event)
    return made


@pytest.mark.trap(23)
def test_an_event_that_comes_three_times_and_a_day_later_is_taken_once(case: Case) -> None:
    root = case.asks()
    case.card(root)
    body = said(case, root, "The parcel came back empty.")
    for _ in range(2):
        comes(case, body)
    case.day.later(timedelta(hours=24))
    store = case.day.bot.core.store
    store.forget_deliveries(seen_before=case.day.time() - timedelta(hours=48))
    comes(case, body)

    assert words_kept(case).count("The parcel came back empty.") == 1


@pytest.mark.trap(23)
def test_old_words_that_come_late_do_not_replace_what_was_edited_since(case: Case) -> None:
    root = case.asks()
    case.card(root)
    body = said(case, root, "Order 8841, I think.")
    event = body["event"]
    edited = {**event, "text": "Order 8842.", "edited": {"user": event["user"], "ts": event["ts"]}}
    comes(case, afresh(body, subtype="message_changed", message=edited))
    assert words_kept(case) == ["Order 8842."]
    comes(case, afresh(body, again="a retry"))

    assert words_kept(case) == ["Order 8842."]


@pytest.mark.trap(23)
@pytest.mark.parametrize("late", ["the words", "an edit of them"])
def test_what_was_deleted_is_not_kept_because_it_comes_late(case: Case, late: str) -> None:
    root = case.asks()
    case.card(root)
    body = said(case, root, "Her number is 0171.")
    event = body["event"]
    comes(case, afresh(body, subtype="message_deleted", previous_message=dict(event)))
    assert words_kept(case) == []
    if late == "the words":
        comes(case, afresh(body, again="a retry"))
    else:
        comes(case, afresh(body, subtype="message_changed", message=dict(event)))

    assert words_kept(case) == []


@pytest.mark.trap(14)
def test_what_was_said_below_a_first_message_whose_answer_was_lost_is_kept(case: Case) -> None:
    case.slack.faults.next(
        "chat.postMessage", fault.lose_answer(), when=lambda call: not call.get("thread_ts")
    )
    rita = case.person("rita")
    rita.command("/ops run refund-customer", channel=case.channel)
    rita.wait_for_view("Order")
    send_form(rita, case.form)
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    rita.say("It came back empty, says @ana & co.", thread=root)
    rita.say(f"The token is {SECRET}", thread=root)
    case.card(root)
    kept = case.waits(lambda: words_kept(case) or None, "the words")
    comes(case, afresh(latest(case, "It came back empty"), again="a retry"))

    assert len(kept) == 2
    assert any(one.startswith("It came back empty, says @") for one in kept)
    assert not [one for one in kept if SECRET in one]
    assert words_kept(case) == kept
    assert len(case.roots()) == 1


@pytest.mark.trap(25)
def test_a_command_in_a_direct_message_starts_a_run_where_the_bot_works(case: Case) -> None:
    rita = case.person("rita")
    known = {one.ts for one in case.slack.workspace.messages(OPS)}
    typed = f"/ops run refund-customer order={case.order} amount=500 reason=“a dent 💔”"
    rita.command(typed, channel="@interlock")
    root = case.waits(lambda: fresh(case, known), "the run's first message")

    assert rita.complaints == []
    assert "a dent 💔" in case.card(root).words
    assert "has started" in rita.wait_for_ephemeral("has started").words


def fresh(case: Case, known: set[str]) -> SeenMessage | None:
    return next((one for one in case.slack.workspace.messages(OPS) if one.ts not in known), None)


@pytest.mark.trap(31)
def test_a_name_that_somebody_gave_themselves_is_only_a_name(case: Case) -> None:
    workspace = case.slack.workspace
    workspace.add_person("mallory", real_name=HOSTILE)
    workspace.join("mallory", case.channel)
    assert asked_by_mallory(case) is None  # They may not yet; when they may, it is no repetition.
    workspace.join_group("mallory", "support")
    known = len(case.person("dora").notifications)
    root = case.waits(lambda: asked_by_mallory(case), "the run's first message")
    card = case.card(root)
    shown = json.dumps([card.text, card.blocks, root.text, root.blocks])

    assert "<!channel>" not in shown
    assert "<https://evil" not in shown
    assert "*Boss*" not in shown
    assert len(case.person("dora").notifications) == known


def asked_by_mallory(case: Case) -> SeenMessage | None:
    """Have them ask, as soon as the bot has heard that they are in support."""
    typed = f"/ops run refund-customer order={case.order} amount=500 reason=mine"
    if not case.roots():
        case.person("mallory").command(typed, channel=case.channel)
    return next(iter(case.roots()), None)


@pytest.mark.trap(35)
def test_what_a_phone_shows_of_a_card_says_who_wants_what_until_when(case: Case) -> None:
    ana = case.person("ana")
    before = len(ana.notifications)
    card = case.card(case.asks())
    told = case.waits(lambda: next(iter(ana.notifications[before:]), None), "a notification")
    asked = next(one for one in case.entries() if one.kind == "approval.requested")
    until = str(asked.data["expires"])[: len("2026-03-02")]

    for words in ("Refund a customer", "rita", "@finance-leads", until):
        assert words in card.text
    assert "rita" in told.text
    assert "Refund a customer" in told.text


@pytest.mark.trap(36)
@pytest.mark.parametrize("way", ["typed", "form", "thread", "reject"])
@pytest.mark.parametrize("secret", [SECRET, OF_SOMEBODY], ids=["held", "by its form"])
def test_a_secret_that_somebody_writes_stands_nowhere_afterwards(
    case: Case, way: str, secret: str
) -> None:
    rita = case.person("rita")
    known = len(case.slack.recorder.calls())
    if way == "typed":
        typed = f"/ops run refund-customer order={case.order} amount=500 reason={secret}"
        rita.command(typed, channel=case.channel)
    elif way == "form":
        rita.command("/ops run refund-customer", channel=case.channel)
        rita.wait_for_view("Order")
        rita.submit({**case.form, "Reason": f"See {secret}"})
        rita.close_view(everything=True)
    else:
        writes_it_later(case, way, secret)
    calls = [(one.method, one.arguments) for one in case.slack.recorder.calls()[known:]]

    assert secret not in json.dumps(calls, default=str)
    assert not case.roots() or case.outcome() in ("done", "denied")
    assert secret.encode() not in stored(case.day.stage.home)


def writes_it_later(case: Case, way: str, secret: str) -> None:
    root = case.asks()
    card = case.card(root)
    if way == "thread":
        case.person("rita").say(f"The token is {secret}", thread=root)
        case.waits(lambda: words_kept(case) or None, "the words")
        case.person("rita").wait_for_ephemeral("have it changed")
        case.approves("ana", card)
        case.ends(root, "done")
    else:
        ben = case.person("ben")
        ben.click("Reject", message=card)
        ben.wait_for_view("")
        ben.submit({"reason": f"Use {secret} instead."})
        assert "since others may have seen it" in str(ben.wait_for_view("").errors)
        ben.submit({"reason": "Use the other one instead."})
        case.ends(root, "denied")


def stored(home: Path) -> bytes:
    """Return the database and what was not folded into it yet."""
    return b"".join(path.read_bytes() for path in sorted(home.glob("interlock.db*")))

"""The outbox against a Slack over HTTP: nothing lost, nothing told twice, nothing out of order."""

import pytest

from sandbox import faults as fault
from sandbox.faults import Fault
from sandbox.seen import SeenMessage
from storage.outbox_values import MessagePlace, OutboxRow
from tests.bot.speaking.office import BOTH, Office
from workflows.errors import UnreadableVersionError
from workflows.store import Subject

CHART = {
    "type": "data_visualization",
    "chart": {"type": "pie", "segments": [{"label": "done", "value": 3}]},
}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Three runs are done."}}


def texts(office: Office, channel: str = "#ops") -> list[str]:
    return [one.text for one in office.server.workspace.everything(channel)]


def replies_of(office: Office) -> list[SeenMessage]:
    root, *replies = office.server.workspace.messages(
        "#ops", thread=office.server.workspace.messages("#ops")[0]
    )
    assert root.text == "r1 runs"
    return replies


def replies(office: Office) -> list[str]:
    return [one.text for one in replies_of(office)]


def posts(office: Office) -> int:
    return len(office.server.recorder.calls("chat.postMessage"))


def updates(office: Office) -> int:
    return len(office.server.recorder.calls("chat.update"))


@pytest.fixture
def thread(office: Office) -> Office:
    """Give an office in which the first message of run r1 stands in #ops."""
    office.start_run()
    office.send(Subject.ROOT, "r1", "r1 runs")
    office.deliver()
    return office


def test_a_message_is_delivered_once(thread: Office) -> None:
    assert thread.deliver(seconds=10) == 0
    assert texts(thread) == ["r1 runs"]


def test_a_message_is_marked_with_ids_only(thread: Office) -> None:
    (shown,) = thread.server.workspace.messages("#ops")

    assert shown.metadata["event_type"] == "interlock_message"
    assert set(shown.metadata["event_payload"]) == {"outbox", "subject", "key"}


@BOTH
def test_replies_stand_in_the_thread_in_their_order(office: Office) -> None:
    office.start_run()
    for number in range(4):
        office.send(Subject.STEP, f"e{number}", f"step {number}")
    office.send(Subject.CARD, "q1", "May I?")
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=20)

    assert texts(office) == ["r1 runs", *replies(office)]
    assert replies(office) == ["step 0", "step 1", "step 2", "step 3", "May I?"]


@BOTH
def test_the_newest_state_wins(thread: Office) -> None:
    for number in range(5):
        thread.send(Subject.ROOT, "r1", f"state {number}")

    thread.deliver(seconds=10)

    assert texts(thread) == ["state 4"]
    assert updates(thread) == 1


def test_a_live_state_is_updated_at_most_every_five_seconds(thread: Office) -> None:
    for number in range(20):
        thread.send(Subject.ROOT, "r1", f"state {number}")
        thread.deliver(seconds=0.5)
    thread.deliver(seconds=6)

    assert updates(thread) <= 4
    assert texts(thread) == ["state 19"]


def test_a_card_that_is_over_is_shown_at_once_and_then_updated_as_live_states_are(
    thread: Office,
) -> None:
    card = (Subject.CARD, "q1")
    thread.send(*card, "open")
    thread.deliver(seconds=2)
    thread.wordings.over.add(card)
    thread.wordings.incomplete.add(card)
    thread.send(*card, "approved")
    thread.deliver(seconds=0.5)
    at_once = texts(thread)[-1]
    thread.wordings.incomplete.clear()
    thread.send(*card, "approved, with its receipt")
    thread.deliver(seconds=2)
    complete, before = texts(thread)[-1], updates(thread)
    for number in range(20):  # What was approved is done, one item after the other.
        thread.send(*card, f"used up {number}")
        thread.deliver(seconds=0.5)
    thread.deliver(seconds=6)

    assert (at_once, complete) == ("approved", "approved, with its receipt")
    assert updates(thread) - before <= 4
    assert texts(thread)[-1] == "used up 19"


def test_a_decision_does_not_wait_for_live_states(thread: Office) -> None:
    thread.send(Subject.CARD, "q1", "open")
    thread.deliver(seconds=2)
    thread.send(Subject.ROOT, "r1", "state 1")
    thread.send(Subject.CARD, "q1", "approved")

    thread.deliver()

    assert "approved" in texts(thread)


@pytest.mark.trap(14)
def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(office: Office) -> None:
    office.start_run()
    office.server.faults.next("chat.postMessage", fault.lose_answer())
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=10)

    assert texts(office) == ["r1 runs"]
    assert posts(office) == 1
    assert office.store.outbox.place_of(Subject.ROOT, "r1") is not None


def test_a_post_that_was_found_is_not_repeated_though_its_update_has_to_wait(
    office: Office,
) -> None:
    office.start_run()
    office.server.faults.next("chat.postMessage", fault.lose_answer())
    office.server.faults.next("chat.update", fault.rate_limited(2))
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=20)

    assert texts(office) == ["r1 runs"]
    assert posts(office) == 1


@pytest.mark.parametrize(
    "wrong", [None, fault.rate_limited(2), fault.reset(), fault.server_error(503)]
)
def test_what_was_written_below_a_lost_post_is_heard_when_it_is_found(
    office: Office, wrong: Fault | None
) -> None:
    workspace = office.server.workspace
    office.start_run()
    office.server.faults.next("chat.postMessage", fault.lose_answer())
    if wrong is not None:
        office.server.faults.next("conversations.replies", wrong)
    office.send(Subject.ROOT, "r1", "r1 runs")
    office.deliver()
    (lost,) = workspace.messages("#ops")
    workspace.person("rita").say("It came back empty.", thread=lost)

    office.deliver(seconds=20)
    office.send(Subject.ROOT, "r1", "r1 is done")
    office.deliver(seconds=20)

    assert office.ledger.heard_words == [("r1", "It came back empty.")]
    assert [one.text for one in workspace.messages("#ops")] == ["r1 is done"]
    assert posts(office) == 1


def test_a_thread_that_cannot_be_read_holds_no_first_message_back(office: Office) -> None:
    office.start_run()
    office.server.faults.next("chat.postMessage", fault.lose_answer())
    office.server.faults.next("conversations.replies", fault.refuse("thread_not_found"), times=9)
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=20)

    assert office.store.outbox.place_of(Subject.ROOT, "r1") is not None
    assert office.ledger.lost == []


FROZEN = fault.refuse("edit_window_closed")


@BOTH
def test_news_of_a_card_that_cannot_be_changed_stand_once_though_the_answer_was_lost(
    thread: Office,
) -> None:
    thread.send(Subject.CARD, "q1", "May I?")
    thread.deliver(seconds=2)
    thread.server.faults.next("chat.update", FROZEN, times=2)
    thread.server.faults.next("chat.postMessage", fault.lose_answer())
    thread.send(Subject.CARD, "q1", "approved")
    thread.deliver(seconds=10)
    thread.send(Subject.CARD, "q1", "used")
    thread.deliver(seconds=10)

    assert replies(thread) == ["May I?", "used"]


def test_news_of_a_first_message_that_cannot_be_changed_stand_once_though_the_answer_was_lost(
    thread: Office,
) -> None:
    for words in ("r1 waits", "r1 is done"):
        thread.server.faults.next("chat.update", FROZEN, times=2)
        thread.server.faults.next("chat.postMessage", fault.lose_answer())
        thread.send(Subject.ROOT, "r1", words)
        thread.deliver(seconds=20)

    assert replies(thread) == ["r1 waits", "r1 is done"]
    assert [one.text for one in thread.server.workspace.messages("#ops")] == ["r1 runs"]


def test_news_that_never_arrived_below_what_cannot_be_changed_are_posted(thread: Office) -> None:
    thread.server.faults.next("chat.update", FROZEN, times=2)
    thread.server.faults.next("chat.postMessage", fault.reset())
    thread.send(Subject.ROOT, "r1", "r1 is done")
    thread.deliver(seconds=20)

    assert replies(thread) == ["r1 is done"]


@BOTH
def test_a_lost_reply_is_found_in_its_thread(thread: Office) -> None:
    thread.server.faults.next("chat.postMessage", fault.lose_answer())
    thread.send(Subject.CARD, "q1", "May I?")

    thread.deliver(seconds=10)

    assert texts(thread).count("May I?") == 1
    assert posts(thread) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        fault.reset(),
        fault.server_error(500),
        fault.rate_limited(2),
        fault.refuse("ratelimited"),
        fault.refuse("service_unavailable"),
        fault.refuse("internal_error"),
    ],
)
def test_a_post_that_did_not_happen_is_made_up_for(office: Office, wrong: Fault) -> None:
    office.start_run()
    office.server.faults.next("chat.postMessage", wrong)
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=10)

    assert texts(office) == ["r1 runs"]


@pytest.mark.parametrize("error", ["update_failed", "external_channel_migrating"])
def test_a_change_that_slack_could_not_make_just_now_is_made_later(
    thread: Office, error: str
) -> None:
    thread.send(Subject.CARD, "q1", "open")
    thread.deliver(seconds=2)
    thread.server.faults.next("chat.update", fault.refuse(error))
    thread.send(Subject.CARD, "q1", "approved")

    thread.deliver(seconds=70)

    assert texts(thread)[1:] == ["approved"]
    assert thread.ledger.lost == []


def test_a_timeout_is_looked_up_before_it_is_repeated(office: Office) -> None:
    hasty = office.another_process("hasty", timeout=0.3)
    patient = office.another_process("hasty")
    office.start_run()
    office.server.faults.next("chat.postMessage", fault.slow(0.8))
    office.send(Subject.ROOT, "r1", "r1 runs")
    office.deliver(hasty)
    office.server.workspace.wait_for_message("r1 runs", channel="#ops")

    office.deliver(patient, seconds=10)

    assert texts(office) == ["r1 runs"]


def test_other_work_goes_on_while_slack_holds_one_method_back(thread: Office) -> None:
    thread.send(Subject.CARD, "q1", "open")
    thread.deliver(seconds=2)
    thread.server.faults.next("chat.update", fault.rate_limited(30))
    thread.send(Subject.CARD, "q1", "approved")
    thread.send(Subject.STEP, "e1", "step 1")

    thread.deliver(seconds=5)
    assert "step 1" in texts(thread)
    assert "open" in texts(thread)

    thread.deliver(seconds=30)
    assert "approved" in texts(thread)


@BOTH
def test_a_process_that_died_between_post_and_record_leaves_one_message(office: Office) -> None:
    office.start_run()
    office.send(Subject.ROOT, "r1", "r1 runs")
    (row,) = office.store.outbox.claim_messages(by="dead", limit=1)
    office.store.outbox.mark_posting(row.id, by="dead")
    dead = office.another_process("dead")
    mark = {"outbox": row.id, "subject": "run", "key": "r1"}
    dead._post.courier._client.post(  # noqa: SLF001 - what the dead process had done.
        "#ops",
        office.wordings.render(row).content,  # type: ignore[union-attr]
        thread=None,
        metadata={"event_type": "interlock_message", "event_payload": mark},
    )
    assert office.deliver() == 0

    office.deliver(seconds=70)

    assert texts(office) == ["r1 runs"]
    assert posts(office) == 1


def test_a_deleted_card_is_posted_again(thread: Office) -> None:
    thread.send(Subject.CARD, "q1", "open")
    thread.deliver(seconds=2)
    (card,) = replies_of(thread)
    thread.server.workspace.delete_message(card)
    thread.send(Subject.CARD, "q1", "approved")

    thread.deliver(seconds=5)

    assert replies(thread) == ["approved"]


@pytest.mark.trap(12)
@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed"])
def test_a_frozen_card_is_answered_in_its_thread(thread: Office, error: str) -> None:
    thread.send(Subject.CARD, "q1", "open")
    thread.deliver(seconds=2)
    thread.server.faults.next("chat.update", fault.refuse(error))
    thread.send(Subject.CARD, "q1", "approved")

    thread.deliver(seconds=5)

    assert replies(thread) == ["open", "approved"]


@pytest.mark.parametrize(("subject", "key"), [(Subject.ROOT, "r1"), (Subject.CARD, "q1")])
def test_what_is_posted_anew_stands_once_though_the_answer_to_that_was_lost(
    office: Office, subject: Subject, key: str
) -> None:
    workspace = office.server.workspace
    office.start_run()
    office.send(Subject.ROOT, "r1", "r1")
    office.send(Subject.CARD, "q1", "q1")
    office.deliver(seconds=10)
    workspace.delete_message(next(one for one in workspace.everything("#ops") if one.text == key))
    office.server.faults.next("chat.postMessage", fault.lose_answer())
    office.send(subject, key, "newer words")
    office.deliver(seconds=20)
    office.send(subject, key, "last words")
    office.deliver(seconds=20)

    shown = [one.text for one in workspace.everything("#ops")]
    assert (shown.count("newer words"), shown.count("last words")) == (0, 1)


def test_a_card_of_a_deleted_thread_is_still_shown(thread: Office) -> None:
    thread.server.faults.next("chat.postMessage", fault.refuse("thread_not_found"))
    thread.send(Subject.CARD, "q1", "May I?")

    thread.deliver(seconds=5)

    assert [one.text for one in thread.server.workspace.messages("#ops")] == ["r1 runs", "May I?"]


@BOTH
@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("nowhere", "channel_not_found"),
        ("general", "not_in_channel"),
        ("archive", "is_archived"),
    ],
)
def test_what_slack_will_never_take_has_consequences(
    office: Office, channel: str, error: str
) -> None:
    office.start_run(channel=channel)
    office.send(Subject.ROOT, "r1", "r1 runs")
    office.send(Subject.CARD, "q1", "May I?")

    office.deliver(seconds=30)

    assert (Subject.ROOT, "r1", error) in office.ledger.lost
    assert (Subject.CARD, "q1", error) in office.ledger.lost
    assert posts(office) == 1


def test_the_run_is_told_where_its_message_stands(office: Office) -> None:
    office.start_run()
    office.send(Subject.POST, "r1/tell", "Order refunded.", channel="#ops")

    office.deliver()

    (shown,) = office.server.workspace.messages("#ops")
    assert office.ledger.done == [("r1", "tell", {"channel": shown.channel, "ts": shown.ts})]


def test_a_person_is_told_in_a_direct_conversation(office: Office) -> None:
    office.send(Subject.NOTICE, "n1", "Your run is done.", run=None, channel="slack:T0ACME:U0RITA")

    office.deliver()

    assert texts(office, "@rita") == ["Your run is done."]


def test_whoever_left_cannot_be_told_and_nothing_is_stuck(office: Office) -> None:
    office.send(Subject.NOTICE, "n1", "Hello", run=None, channel="U0DEX")
    office.send(Subject.NOTICE, "n2", "Hello again", run=None, channel="U0RITA")

    office.deliver(seconds=3)

    assert office.ledger.lost == [(Subject.NOTICE, "n1", "user_disabled")]
    assert texts(office, "@rita") == ["Hello again"]


@pytest.mark.trap(28)
def test_a_digest_whose_chart_is_refused_arrives_without_it(office: Office) -> None:
    office.wordings.blocks[Subject.DIGEST, "d1"] = [SECTION, CHART]
    office.server.faults.next("chat.postMessage", fault.refuse("invalid_blocks"))
    office.send(Subject.DIGEST, "d1", "The week", run=None, channel="#ops")

    office.deliver()

    (shown,) = office.server.workspace.messages("#ops")
    assert [one["type"] for one in shown.blocks] == ["section"]


def test_a_card_without_its_buttons_is_no_card(thread: Office) -> None:
    thread.wordings.blocks[Subject.CARD, "q1"] = [{"type": "section"}]
    thread.wordings.blocks[Subject.STEP, "e1"] = [{"type": "section"}]
    thread.send(Subject.CARD, "q1", "May I?")
    thread.send(Subject.STEP, "e1", "step 1")

    thread.deliver(seconds=5)

    assert thread.ledger.lost == [(Subject.CARD, "q1", "invalid_blocks")]
    assert texts(thread) == ["r1 runs", "step 1"]


def test_a_subject_with_nothing_to_tell_is_settled_silently(office: Office) -> None:
    office.start_run()
    office.send(Subject.ROOT, "r1", "")

    office.deliver(seconds=2)

    assert posts(office) == 0
    assert office.deliver(seconds=70) == 0


def test_a_defect_with_one_message_does_not_stop_the_others(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.wordings.blocks[Subject.NOTICE, "n1"] = [5]  # type: ignore[list-item]
    office.send(Subject.NOTICE, "n1", "broken", run=None, channel="#ops")
    office.send(Subject.NOTICE, "n2", "whole", run=None, channel="#ops")

    office.deliver(seconds=2)

    assert texts(office) == ["whole"]
    assert "message not delivered" in caplog.text


def test_what_can_never_be_drawn_is_given_up_so_that_its_thread_goes_on(thread: Office) -> None:
    thread.wordings.blocks[Subject.STEP, "e1"] = [5]  # type: ignore[list-item]
    thread.send(Subject.STEP, "e1", "broken")
    thread.send(Subject.STEP, "e2", "whole")

    thread.deliver(seconds=10)
    assert replies(thread) == []
    thread.deliver(seconds=330)

    assert thread.ledger.lost == [(Subject.STEP, "e1", "defect")]
    assert replies(thread) == ["whole"]


def test_what_only_a_newer_release_can_draw_is_left_to_it_and_never_given_up(
    thread: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_read(row: OutboxRow) -> None:
        raise UnreadableVersionError(f"A newer release made {row.key}.")

    thread.send(Subject.STEP, "e1", "of the newer release")
    with monkeypatch.context() as patch:
        patch.setattr(thread.wordings, "render", cannot_read)
        thread.deliver(seconds=400)
    assert thread.ledger.lost == []
    thread.deliver(seconds=40)

    assert replies(thread) == ["of the newer release"]


def test_what_follows_a_message_stands_below_it_once(office: Office) -> None:
    office.wordings.follow[Subject.DIGEST, "d1"] = ["first detail", "second detail"]
    office.server.faults.next(
        "chat.postMessage", fault.lose_answer(), when=lambda call: call["text"] == "first detail"
    )
    office.send(Subject.DIGEST, "d1", "The week", run=None, channel="#ops")

    office.deliver(seconds=20)

    (digest,) = office.server.workspace.messages("#ops")
    shown = [one.text for one in office.server.workspace.messages("#ops", thread=digest)]
    assert shown == ["The week", "first detail", "second detail"]
    assert office.ledger.digests == [("d1", MessagePlace(channel="C0OPS", ts=digest.ts))]


def test_a_message_with_more_replies_than_may_leave_at_once_stands_once(office: Office) -> None:
    details = [f"detail {number}" for number in range(20)]
    office.wordings.follow[Subject.DIGEST, "d1"] = details
    office.send(Subject.DIGEST, "d1", "The week", run=None, channel="#ops")

    office.deliver(office.another_process("ends"), seconds=15)
    office.deliver(seconds=60)

    (digest,) = office.server.workspace.messages("#ops")
    shown = [one.text for one in office.server.workspace.messages("#ops", thread=digest)]
    assert shown == ["The week", *details]
    assert not digest.edited
    assert office.ledger.digests == [("d1", MessagePlace(channel="C0OPS", ts=digest.ts))]


def test_a_message_whose_receipt_is_pending_is_drawn_again(office: Office) -> None:
    office.start_run()
    office.wordings.incomplete.add((Subject.ROOT, "r1"))
    office.send(Subject.ROOT, "r1", "no receipt yet")
    office.deliver()
    office.wordings.incomplete.clear()
    office.wordings.words[Subject.ROOT, "r1"] = "with its receipt"

    office.deliver(seconds=7)

    assert texts(office) == ["with its receipt"]


def test_what_may_wait_is_posted_a_moment_later_with_all_that_came_by_then(office: Office) -> None:
    office.start_run()
    office.wordings.patient.add((Subject.OUTCOME, "r1"))
    office.send(Subject.OUTCOME, "r1", "approved", channel="slack:T0ACME:U0RITA")
    office.deliver()
    early = posts(office)
    office.wordings.patient.clear()
    office.send(Subject.OUTCOME, "r1", "approved, and done", channel="slack:T0ACME:U0RITA")
    office.deliver(seconds=4)

    assert early == 0
    assert texts(office, "@rita") == ["approved, and done"]
    assert office.server.workspace.person("rita").notifications[-1].text == "approved, and done"


def test_what_may_wait_waits_once_and_is_then_kept_up(office: Office) -> None:
    office.start_run()
    office.wordings.patient.add((Subject.OUTCOME, "r1"))
    office.send(Subject.OUTCOME, "r1", "approved", channel="slack:T0ACME:U0RITA")
    office.deliver(seconds=4)
    office.send(Subject.OUTCOME, "r1", "denied after all", channel="slack:T0ACME:U0RITA")
    office.deliver()

    assert texts(office, "@rita") == ["denied after all"]
    assert posts(office) == 1


def test_a_direct_message_to_an_approver_goes_behind_everything_else(thread: Office) -> None:
    thread.send(Subject.NUDGE, "q1/ana", "Please decide", channel="slack:T0ACME:U0ANA")
    thread.send(Subject.CARD, "q1", "A card")
    (first,) = thread.store.outbox.claim_messages(by="one", limit=1)

    assert first.subject is Subject.CARD


def test_those_whom_a_card_is_for_hear_once_where_it_stands(thread: Office) -> None:
    thread.send(Subject.CARD, "q1", "A card")
    thread.deliver()
    thread.send(Subject.CARD, "q1", "A card, decided")
    thread.send(Subject.STEP, "e1", "A reply")
    thread.deliver()

    assert thread.ledger.stand == ["r1", "q1"]


def test_a_wrong_token_loses_nothing(office: Office) -> None:
    office.start_run()
    office.server.revoke_token("token_revoked")
    office.send(Subject.ROOT, "r1", "r1 runs")

    office.deliver(seconds=10)

    assert office.ledger.lost == []
    assert posts(office) == 1


def test_posts_keep_the_pace_of_their_channel(office: Office) -> None:
    for number in range(10):
        office.send(Subject.NOTICE, f"n{number}", f"note {number}", run=None, channel="C0OPS")

    office.deliver()
    at_once = posts(office)
    office.deliver(seconds=3)

    assert at_once <= 3
    assert posts(office) - at_once in {2, 3, 4}


@BOTH
def test_the_threads_deliver_and_stop(office: Office) -> None:
    office.outbox.start()
    try:
        office.send(Subject.NOTICE, "n1", "Hello", run=None, channel="#ops")
        office.outbox.nudge()
        office.server.workspace.wait_for_message("Hello", channel="#ops")
    finally:
        office.outbox.stop()

    assert texts(office) == ["Hello"]

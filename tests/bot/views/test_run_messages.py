from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.views import doubt_card as doubts
from bot.views import exception_card as troubles
from bot.views.doubt_card import DoubtSettled, doubt_card
from bot.views.exception_card import DoneEffect, Standing, TroubleSettled, exception_card
from bot.views.notice import notice, posted
from bot.views.outcome import RequestSettled, RunOutcome, outcome
from bot.views.pieces import Rendered
from bot.views.run_root import StepLine, run_root
from bot.views.step_reply import StepReply, reply_about, step_reply
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import ANA, NOON, RITA, a_doubt, a_root, a_trouble
from workflows.entry import INTERLOCK, Entry, Json, RunId
from workflows.gate import Outcome
from workflows.run import Phase, Status
from workflows.telling import REPLIES, TOLD_DECISIONS


def told_by(message: Rendered) -> str:
    assert faults_of_message(message.payload) == []
    return text_of(message.payload)


def test_the_root_says_where_the_run_stands_and_for_whom_it_waits() -> None:
    told = told_by(run_root(a_root(waits_link="https://acme.example/p1")))

    assert "It waits for @finance-leads until <!date^" in told
    assert "<https://acme.example/p1|go there>" in told
    assert "Asked for by <@U0RITA> with the form" in told
    assert "3 signed entries" in told


def test_the_root_lists_every_step_with_its_state() -> None:
    told = told_by(run_root(a_root()))

    assert "✅ `order`  read\n✋ `refund`  waits for approval\n▫️ `tell`" in told


@pytest.mark.parametrize("status", list(Status))
def test_the_root_has_words_for_every_state(status: Status) -> None:
    root = run_root(a_root(status=status, finished_at=NOON + timedelta(minutes=3)))

    assert "Refund a customer" in root.text
    assert "Rita" in root.text
    assert "after 3 min" in told_by(root)


@pytest.mark.parametrize("phase", list(Phase))
def test_the_root_has_a_sign_for_every_phase(phase: Phase) -> None:
    told_by(run_root(a_root(steps=(StepLine(name="one", phase=phase, note="held by r_2"),))))


def test_a_run_that_ended_waits_for_nobody() -> None:
    assert "It waits for" not in told_by(run_root(a_root(status=Status.DONE)))


def test_of_very_many_steps_the_ones_at_work_are_shown_and_the_rest_counted() -> None:
    steps = tuple(
        StepLine(name=f"step{at}", phase=Phase.EXECUTED if at < 50 else Phase.PENDING)
        for at in range(100)
    )
    told = told_by(run_root(a_root(steps=steps)))

    assert "`step50`" in told
    assert "70 further steps" in told


def an_entry(kind: str, **data: Json) -> Entry:
    return Entry(
        id="e1",
        index=7,
        run=RunId("r_7f3a"),
        rseq=3,
        at=NOON,
        kind=kind,
        actor=INTERLOCK,
        data={"step": "refund", "attempt": 1, **data},
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (an_entry("action.executed", ms=120), "✅ `refund` is done in 120 ms"),
        (an_entry("action.executed", ms=120, attempt=3), "attempt 3"),
        (an_entry("action.failed", error_class="http_500", performed="no"), "failed (http_500)"),
        (an_entry("action.failed", error_class="x", performed="partly"), "some of it may have"),
        (an_entry("action.in_doubt", cause="timeout"), "it took longer than its time"),
        (an_entry("action.in_doubt", cause="end_unknown"), "nobody can say how the program ended"),
        (an_entry("action.in_doubt", cause="http_502"), "the service answered 502, which does not"),
        (an_entry("action.resolved", happened="yes", by="probe"), "did happen, as the system"),
        (an_entry("action.resolved", happened="no", by="person"), "did not happen by <@U0ANA>"),
        (an_entry("action.resolved", happened="unknown", by="person"), "stays unknown"),
        (an_entry("verification.passed"), "is verified"),
        (an_entry("verification.failed"), "is not verified"),
        (an_entry("verification.unknown"), "could not be verified"),
        (an_entry("decision.made", decision="skip"), "is skipped by <@U0ANA>"),
        (an_entry("decision.made", decision="exception"), "needs a person"),
        (an_entry("decision.made", decision="retry"), "is tried again by <@U0ANA>"),
        (an_entry("decision.made", decision="abort"), "is aborted by <@U0ANA>"),
        (
            an_entry("decision.made", decision="cancel"),
            "being cancelled by <@U0ANA>; it ends once `refund` has an end",
        ),
        (an_entry("run.cancelled", reason="cancelled"), "The run is cancelled by <@U0ANA>"),
        (an_entry("run.cancelled", reason="parent_ended"), ", since the run that it was a part"),
        (an_entry("decision.made", decision="queue", holder="r_0"), "waits until run `r_0` is"),
        (an_entry("decision.made", decision="odd<!here>"), "odd&lt;!here&gt;"),
    ],
)
def test_each_notable_entry_is_one_line_in_the_thread(entry: Entry, words: str) -> None:
    told = told_by(step_reply(reply_about(entry, actor=ANA)))

    assert words in told
    assert "Entry 4 of this run · entry #7 of the log" in told


@pytest.mark.parametrize(
    ("entry", "of_target", "of_program"),
    [
        (an_entry("action.in_doubt", cause="crash"), "not sent again", "not started again"),
        (an_entry("action.resolved", happened="yes", by="late_reply"), "late answer", "late end"),
    ],
)
def test_a_line_about_a_program_speaks_of_nothing_sent(
    entry: Entry, of_target: str, of_program: str
) -> None:
    reply = reply_about(entry)

    assert of_target in told_by(step_reply(reply))
    assert of_program in told_by(step_reply(replace(reply, is_program=True)))


def test_a_reminder_speaks_to_those_who_have_not_decided() -> None:
    told = told_by(step_reply(reply_about(an_entry("approval.reminded"), asked=[ANA])))

    assert "<@U0ANA>: this still waits for a decision" in told


def test_a_reminder_of_an_exception_leads_to_its_card() -> None:
    reply = reply_about(an_entry("exception.reminded", to=["@finance-ops"], n=1), asked=[ANA])

    assert "<@U0ANA>: `refund` still waits for one of you. The card above" in told_by(
        step_reply(reply)
    )
    told = told_by(step_reply(replace(reply, card="https://acme.example/p1")))
    assert "<https://acme.example/p1|The card> has the buttons" in told


def test_whatever_the_engine_tells_has_a_line_of_its_own() -> None:
    # These speak to people, or of the run as a whole.
    of_no_step = {"approval.reminded", "approval.escalated", "approval.edited"}
    of_no_step |= {"run.moved", "run.cancelled"}
    for kind in REPLIES - of_no_step:
        data = {"step": "refund", "call": "run/refund/1"}
        assert "`refund`" in told_by(step_reply(StepReply(kind=kind, data=data)))
    for decision in TOLD_DECISIONS:
        reply = StepReply(kind="decision.made", data={"step": "s", "decision": decision})
        assert f": {decision}" not in told_by(step_reply(reply))


def test_a_change_is_told_with_what_changed_as_dead_letters() -> None:
    reply = reply_about(an_entry("approval.edited"), actor=ANA)
    told = told_by(step_reply(replace(reply, changes=["Reason: *x* → <!here>"])))

    assert "What is asked was changed by <@U0ANA>; approvals given before no longer count" in told
    assert "<!here>" not in told
    assert "→ &lt;!here&gt;" in told


def test_a_reply_quotes_what_came_back_as_dead_letters() -> None:
    reply = reply_about(an_entry("action.failed", error_class="http_500"), words="<!channel> *no*")

    assert "“&lt;!channel&gt; " in told_by(step_reply(reply))


def test_a_doubt_asks_owner_and_deputy_with_three_answers() -> None:
    card = doubt_card(a_doubt())

    told = told_by(card)
    assert "<@U0ANA> or <@U0OTTO>, please say what happened" in told
    assert "under the key `r_7f3a/refund`" in told
    assert set(buttons_of(card.payload)) == {doubts.HAPPENED, doubts.NOT_HAPPENED, doubts.ABORT}
    assert set(buttons_of(card.payload).values()) == {"r_7f3a/refund#e_1"}


def test_a_doubt_after_an_answer_names_the_answer() -> None:
    told = str(doubt_card(a_doubt(cause="http_500")).payload)

    assert "but the service answered 500, which does not say whether it was done" in told


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("end_unknown", "but nobody can say how the program ended"),
        ("crash", "but the bot stopped between sending it and hearing back"),
    ],
)
def test_a_doubt_says_whether_a_program_or_the_bot_was_lost(cause: str, words: str) -> None:
    assert words in str(doubt_card(a_doubt(cause=cause)).payload)


def test_a_doubt_about_a_program_speaks_of_no_key_and_of_nothing_sent() -> None:
    told = str(doubt_card(a_doubt(is_program=True, cause="timeout")).payload)

    assert "Started <!date" in told
    assert "but it was stopped when its time was over" in told
    assert "under the key" not in told
    assert "sends it" not in told


def test_a_doubt_about_a_target_that_acts_once_under_a_key_says_so() -> None:
    plain, once = (str(doubt_card(a_doubt(is_once=one)).payload) for one in (False, True))

    assert "will have happened twice" in plain
    assert "acts on it once" in once
    assert "twice" not in once


@pytest.mark.parametrize("happened", ["yes", "no", "unknown"])
def test_a_settled_doubt_keeps_who_said_so_and_has_no_buttons(happened: str) -> None:
    by_ana = a_doubt(settled=DoubtSettled(happened=happened, by=ANA, at=NOON))
    by_probe = a_doubt(settled=DoubtSettled(happened=happened, by=None, at=NOON))
    by_itself = replace(by_probe, is_program=True)

    assert "according to <@U0ANA>" in told_by(doubt_card(by_ana))
    assert "the system it was sent to" in told_by(doubt_card(by_probe))
    assert "according to the program itself" in told_by(doubt_card(by_itself))
    assert buttons_of(doubt_card(by_ana).payload) == {}


def test_an_exception_says_what_was_tried_and_what_is_already_done() -> None:
    card = exception_card(a_trouble())

    told = told_by(card)
    assert "*The service answered 500* (`http_500`)" in told
    assert "It certainly did not happen" in told
    assert "Internal Server Error" in told
    assert "*Tried 3 times*" in told
    assert "2026-03-02 12:00 UTC>: `http_502`" in told
    assert "• hold: PUT shop /holds/1: ↩️ can be undone" in told
    assert "• tell: POST shop /mails: 🔒 cannot be undone" in told
    assert set(buttons_of(card.payload)) == {
        *(troubles.RETRY, troubles.SKIP, troubles.ABORT, troubles.UNDO)
    }


@pytest.mark.parametrize(
    ("error_class", "words"),
    [
        ("signal_9", "*The program was ended by signal 9*"),
        ("stopped", "*The program was stopped when its time was over*"),
    ],
)
def test_an_exception_says_how_a_program_ended(error_class: str, words: str) -> None:
    assert words in told_by(exception_card(a_trouble(error_class=error_class)))


def test_abort_and_undo_is_offered_only_where_something_can_be_undone() -> None:
    final = DoneEffect(name="tell", what="tell: a mail", standing=Standing.FINAL)
    undone = DoneEffect(name="hold", what="hold: a hold", standing=Standing.UNDONE)
    undoable = DoneEffect(name="charge", what="charge: money", standing=Standing.UNDOABLE)

    assert troubles.UNDO not in buttons_of(exception_card(a_trouble(done=(final, undone))).payload)
    assert troubles.UNDO in buttons_of(exception_card(a_trouble(done=(final, undoable))).payload)


def test_it_says_before_it_counts_what_abort_and_undo_takes_back_and_in_which_order() -> None:
    done = tuple(
        DoneEffect(name=name, what=name, standing=Standing.UNDOABLE)
        for name in ("charge", "charge/3", "hold")
    )
    asked = confirm_of(exception_card(a_trouble(done=done)), troubles.UNDO)

    assert "in this order: hold, charge/3 and charge." in asked["text"]["text"]
    assert asked["confirm"]["text"] == "Abort and undo"


def test_a_list_of_what_is_undone_fits_the_dialog() -> None:
    done = tuple(DoneEffect(name="x" * 99, what="", standing=Standing.UNDOABLE) for _ in range(40))

    asked = confirm_of(exception_card(a_trouble(done=done)), troubles.UNDO)

    assert "35 more" in asked["text"]["text"]
    assert "What cannot be undone stays." in asked["text"]["text"]


def test_a_retry_of_what_may_have_happened_is_asked_twice() -> None:
    def question(performed: str) -> Any:  # noqa: ANN401 - Slack's JSON.
        return confirm_of(exception_card(a_trouble(performed=performed)), troubles.RETRY)

    assert question("no") == question("") == {}
    for performed in ("partly", "yes", "unknown"):
        assert "a second time" in question(performed)["text"]["text"]


def test_an_undoing_that_failed_says_what_skipping_leaves_and_offers_no_second_undo() -> None:
    card = exception_card(a_trouble(step="hold/undo", is_undoing=True))

    assert troubles.UNDO not in buttons_of(card.payload)
    assert "stays as it is" in confirm_of(card, troubles.SKIP)["text"]["text"]


def test_a_run_that_cannot_end_names_no_step() -> None:
    card = exception_card(a_trouble(step="", error_class="segments_died", tried=(), performed=""))
    told = told_by(card)

    assert "Stopped: Refund a customer, at its end" in told
    assert "Run `r_7f3a` · for owner" in told
    assert "Refund a customer stopped at its end: " in card.payload["text"]


def test_what_never_was_tried_is_not_said_to_have_been() -> None:
    told = told_by(exception_card(a_trouble(error_class="no_gate", tried=(), performed="")))

    assert "It is destructive, and nobody is asked about it" in told
    assert "It was not tried" in told
    assert "Nothing was changed by it" in told


def confirm_of(card: Rendered, action_id: str) -> dict[str, Any]:
    """Return the dialog of a button."""
    elements = (one for block in card.payload["blocks"] for one in block.get("elements", []))
    found = next(one for one in elements if one.get("action_id") == action_id)
    return dict(found.get("confirm", {}))


def test_a_step_that_must_not_be_skipped_offers_no_skip() -> None:
    card = exception_card(a_trouble(may_skip=False, done=()))

    assert troubles.SKIP not in buttons_of(card.payload)
    assert "This run has changed nothing so far" in told_by(card)


@pytest.mark.parametrize("answer", ["retry", "skip", "abort", "undo", "cancel"])
def test_a_settled_exception_keeps_who_said_so_and_has_no_buttons(answer: str) -> None:
    settled = TroubleSettled(answer=answer, by=ANA, at=NOON, reason="by <!here> hand")
    card = exception_card(a_trouble(settled=settled))

    assert "by <@U0ANA>" in told_by(card)
    assert "by &lt;!here&gt; hand" in told_by(card)
    assert buttons_of(card.payload) == {}


ENDED = RunOutcome(
    run="r_7f3a", title="Refund a customer", status=Status.DONE, took=timedelta(minutes=9)
)


@pytest.mark.parametrize("status", [one for one in Status if one.is_end])
def test_the_requester_is_told_every_end(status: Status) -> None:
    told = told_by(outcome(replace(ENDED, status=status, thread="https://acme.example/p1")))

    assert "Your run of *Refund a customer* ended" in told
    assert "took 9 min" in told


def test_the_requester_of_a_rejected_run_is_told_by_whom_and_why() -> None:
    denied = replace(ENDED, status=Status.DENIED, by=ANA, reason="<!here> too much", step="refund")
    message = outcome(denied)

    assert "rejected by <@U0ANA> at step `refund`" in told_by(message)
    assert "too much" in message.text
    assert "<!here>" not in message.text


def told_so_far(*settled: RequestSettled, asks_again: bool = False) -> Rendered:
    goes_on = replace(ENDED, status=Status.RUNNING, took=None)
    return outcome(replace(goes_on, settled=settled, asks_again=asks_again))


@pytest.mark.parametrize("outcome_", [Outcome.WITHDRAWN, Outcome.APPROVED])
def test_the_requester_of_a_run_that_stopped_is_not_told_that_it_goes_on(
    outcome_: Outcome,
) -> None:
    stopped = replace(ENDED, status=Status.EXCEPTION, took=None)
    settled = RequestSettled(step="refund", outcome=outcome_, at=NOON)
    message = outcome(replace(stopped, settled=(settled,)))

    assert "It goes on" not in message.text
    assert "The run is stopped: somebody has to say how it goes on." in message.text


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        (
            RequestSettled(step="refund", outcome=Outcome.APPROVED, at=NOON, by=[ANA, RITA]),
            "step refund was approved by Ana and Rita. It goes on.",
        ),
        (
            RequestSettled(
                step="refund", outcome=Outcome.DENIED, at=NOON, by=[ANA], reason="<!here> no"
            ),
            "step refund was rejected by Ana. &lt;!here&gt; no",
        ),
        (
            RequestSettled(step="refund", outcome=Outcome.EXPIRED, at=NOON),
            "step refund was expired.",
        ),
        (
            RequestSettled(
                step="refund",
                outcome=Outcome.APPROVED,
                at=NOON,
                by=[ANA],
                reason="The shop is down",
                is_alone=True,
            ),
            "was let through with broken glass by Ana. It goes on. The shop is down",
        ),
    ],
)
def test_the_requester_is_told_what_became_of_a_request_while_the_run_goes_on(
    settled: RequestSettled, words: str
) -> None:
    message = told_so_far(settled)

    assert words in message.text
    assert "*What became of its requests*" in told_by(message)


def test_a_withdrawn_request_says_why_and_that_it_is_asked_again() -> None:
    void = RequestSettled(
        step="refund", outcome=Outcome.WITHDRAWN, at=NOON, reason="The policy has changed."
    )
    message = told_so_far(void, asks_again=True)

    assert "was withdrawn. It waits for a decision again. The policy has changed." in message.text


def test_the_end_of_a_run_lists_what_became_of_each_request_and_tells_no_reason_twice() -> None:
    settled = (
        RequestSettled(step="hold", outcome=Outcome.APPROVED, at=NOON, by=[ANA]),
        RequestSettled(step="refund", outcome=Outcome.DENIED, at=NOON, by=[RITA], reason="No."),
    )
    denied = replace(ENDED, status=Status.DENIED, by=RITA, reason="No.", settled=settled * 9)
    told = told_by(outcome(denied))

    assert "✅ `hold` approved by <@U0ANA>" in told
    assert "⛔ `refund` rejected by <@U0RITA>" in told
    assert "10 earlier requests, in the run's thread" in told
    assert told.count("No.") == 2  # In the line for phones, and once below.


def test_a_notice_is_one_sentence_with_what_it_is_about() -> None:
    assert "nightly-check" in told_by(notice("A firing was missed.", about="nightly-check"))


def test_what_a_workflow_posts_is_shown_letter_by_letter() -> None:
    told = told_by(posted("Refunded <!channel>\nfor *Rita*", about="refund-customer"))

    assert "Refunded <!channel>\nfor *Rita*" in told


def test_a_post_that_is_too_long_says_that_it_was_cut() -> None:
    assert "was cut here" in told_by(posted("line\n" * 5_000))

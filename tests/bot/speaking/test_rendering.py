"""What each message says, drawn from the entries of a run alone."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.directory import Directory
from bot.letters import Letter
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.slack_client import SlackClient
from storage.home_values import Told
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import preview_json
from tests.storage.run_drafts import (
    ANA,
    BEN,
    BINDING,
    executed,
    fact,
    failed,
    finished,
    intended,
    new_run,
    requested,
    started,
    verdict,
)
from tests.workflows.definition_kit import refund
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Part, Ref, RunId
from workflows.people import PersonId
from workflows.store import Message, Subject

RITA, OMAR = PersonId("slack:T0ACME:U0RITA"), PersonId("slack:T0ACME:U0OMAR")


class Shelf:
    """Definitions, of which there is one."""

    def active(self, name: str) -> Definition:
        del name
        return refund()

    def version(self, digest: str) -> Definition:
        del digest
        return refund()


class Bench:
    """A run that grows entry by entry, and what its messages say."""

    def __init__(self, store: SqlStore, client: SlackClient) -> None:
        self.store = store
        directory = Directory(client, team="T0ACME")
        reader = RunReader(store, Shelf(), directory, workspace_url="https://acme.slack.com/")
        self.rendering = Rendering(store, reader)

    def person(self, who: PersonId, name: str) -> Actor:
        with self.store.begin() as unit:
            return Actor(kind=ActorKind.USER, ref=unit.ref(who, name))

    def begin(self) -> None:
        rita = self.person(RITA, "Rita")
        with self.store.begin() as unit:
            unit.add_run(new_run())
            unit.append(started(actor=rita))

    def add(self, *drafts: Draft) -> list[str]:
        with self.store.begin() as unit:
            unit.lock_run(RunId("r1"))
            return [unit.append(one).id for one in drafts]

    def ask(self, *, people: tuple[str, ...] = (ANA.ref, BEN.ref), **preview: Any) -> None:  # noqa: ANN401 - whatever a test is about.
        draft = requested(people=people)
        shown = preview_json(run="r1", request="q1", digest=BINDING[:8], **preview)
        parts = {**draft.parts, "preview": Part(value=json.dumps(shown).encode())}
        self.add(
            Draft(kind=draft.kind, actor=draft.actor, data=draft.data, parts=parts, run=draft.run)
        )

    def row(self, subject: Subject, key: str, body: Any = None) -> OutboxRow:  # noqa: ANN401 - JSON.
        with self.store.begin() as unit:
            unit.send(Message(subject=subject, key=key, run=RunId("r1"), body=body))
        found = self.store.outbox.find(subject, key)
        assert found is not None
        return found

    def letter(self, subject: Subject, key: str, body: Any = None) -> Letter:  # noqa: ANN401 - JSON.
        found = self.rendering.render(self.row(subject, key, body))
        assert found is not None
        payload = {"text": found.content.text, "blocks": list(found.content.blocks)}
        assert faults_of_message(payload) == []
        return found

    def says(self, subject: Subject, key: str) -> tuple[str, dict[str, str]]:
        content = self.letter(subject, key).content
        payload = {"text": content.text, "blocks": list(content.blocks)}
        return text_of(payload), buttons_of(payload)


@pytest.fixture
def bench(store: SqlStore, client: SlackClient) -> Bench:
    made = Bench(store, client)
    made.begin()
    return made


def test_the_first_message_says_for_whom_a_run_waits(bench: Bench) -> None:
    bench.ask()

    words, _ = bench.says(Subject.ROOT, "r1")

    assert "@finance" in words
    assert "U0RITA" in words


def test_the_first_message_links_to_the_card_it_waits_for(bench: Bench) -> None:
    bench.ask()
    row = bench.row(Subject.CARD, "q1")
    bench.store.outbox.adopt(row.id, MessagePlace(channel="C0OPS", ts="1795404074.580038"))

    words, _ = bench.says(Subject.ROOT, "r1")

    assert "https://acme.slack.com/archives/C0OPS/p1795404074580038" in words


def test_an_open_card_carries_the_request_and_what_it_shows(bench: Bench) -> None:
    bench.ask()

    words, buttons = bench.says(Subject.CARD, "q1")

    assert "0 of 1 approval" in words
    assert set(buttons.values()) == {f"q1.{BINDING[:8]}"}


def test_a_settled_card_says_who_and_carries_its_receipt(bench: Bench) -> None:
    bench.ask()
    ana = bench.person(PersonId("slack:T0ACME:U0ANA"), "Ana")
    bench.add(verdict("granted", by=ana))

    letter = bench.letter(Subject.CARD, "q1")

    told = json.dumps(list(letter.content.blocks), ensure_ascii=False)
    assert "U0ANA" in told
    assert "· head " in told
    assert letter.is_complete


def test_a_card_says_whom_it_was_opened_to_and_since_when(bench: Bench) -> None:
    bench.ask()
    dora = bench.person(PersonId("slack:T0ACME:U0DORA"), "Dora")
    bench.add(
        fact(
            "approval.escalated",
            request="q1",
            to=[dora.ref],
            n=1,
            groups=["@governors"],
            stages=[0],
        )
    )

    words, _ = bench.says(Subject.CARD, "q1")

    assert "or <!subteam^S0GOVERNORS>; one rejection stops it" in words
    assert "It waited for long: since <!date^" in words


def test_those_whom_a_request_is_opened_to_are_named_in_the_thread(bench: Bench) -> None:
    bench.ask()
    dora = bench.person(PersonId("slack:T0ACME:U0DORA"), "Dora")
    (entry,) = bench.add(
        fact("approval.escalated", request="q1", to=[dora.ref], n=1, groups=[], stages=[0])
    )

    words, _ = bench.says(Subject.STEP, entry)

    assert "<@U0DORA>: this has waited for long, so you may decide it too" in words


def test_a_step_that_needs_nobody_says_by_which_rule_and_why(bench: Bench) -> None:
    told = fact("decision.made", step="refund", decision="auto_approved", rule="small *ones*")
    (entry,) = bench.add(replace(told, parts={"reason": Part(value=b"It hurts nobody.")}))

    words, _ = bench.says(Subject.STEP, entry)

    assert "`refund` needs nobody's approval, by the rule *small" in words
    assert "“It hurts nobody.”" in words


def test_a_used_approval_can_no_longer_be_taken_back(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted"))
    before = bench.says(Subject.CARD, "q1")[1]

    bench.add(intended())

    assert len(before) == 1
    assert bench.says(Subject.CARD, "q1")[1] == {}


@pytest.mark.parametrize("preview", [b"", b'{"v": 99}'])
def test_a_card_that_cannot_be_read_offers_no_button(bench: Bench, preview: bytes) -> None:
    draft = requested()
    parts = {**draft.parts, "preview": Part(value=preview or b"null")}
    bench.add(
        Draft(kind=draft.kind, actor=draft.actor, data=draft.data, parts=parts, run=draft.run)
    )

    words, buttons = bench.says(Subject.CARD, "q1")

    assert "Nothing can be decided here" in words
    assert buttons == {}


def test_a_doubt_asks_owner_and_deputy_until_somebody_answers(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted"))
    (intent,) = bench.add(intended())
    named = {"step": "refund", "attempt": 1, "idem": "r1/refund"}
    bench.add(fact("action.in_doubt", **named, cause="timeout"))
    key = f"r1/refund/{intent}"
    words, buttons = bench.says(Subject.DOUBT, key)
    assert "no answer came in time" in words
    assert len(buttons) == 3

    omar = bench.person(OMAR, "Omar")
    bench.add(fact("action.resolved", actor=omar, **named, happened="yes", by="person"))

    words, buttons = bench.says(Subject.DOUBT, key)
    assert "U0OMAR" in words
    assert buttons == {}


def test_a_doubt_about_a_program_names_no_key_that_the_program_was_never_told(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted"))
    plain = intended()
    (intent,) = bench.add(replace(plain, data={**plain.data, "action": "shell.run"}))
    named = {"step": "refund", "attempt": 1, "idem": "r1/refund"}
    (doubt,) = bench.add(fact("action.in_doubt", **named, cause="timeout"))

    words, _ = bench.says(Subject.DOUBT, f"r1/refund/{intent}")
    line, _ = bench.says(Subject.STEP, doubt)

    assert "it was stopped when its time was over" in words
    assert "under the key" not in words
    assert "It is not started again blindly" in line


def test_an_exception_says_what_stands_until_somebody_answers(bench: Bench) -> None:
    bench.add(intended(step="order", request=None), executed(step="order"))
    bench.add(intended(request=None), failed())
    (stopped,) = bench.add(
        fact("decision.made", step="refund", decision="exception", rule="attempts")
    )
    key = f"r1/refund/{stopped}"
    words, buttons = bench.says(Subject.TROUBLE, key)
    assert "not_performed" in words
    assert "order: http.request shop" in words
    assert len(buttons) == 3

    omar = bench.person(OMAR, "Omar")
    bench.add(fact("decision.made", actor=omar, step="refund", decision="skip", rule="person"))

    words, buttons = bench.says(Subject.TROUBLE, key)
    assert "U0OMAR" in words
    assert buttons == {}


def test_an_answered_exception_tells_what_was_done_when_it_was_answered(bench: Bench) -> None:
    bench.add(intended(step="order", request=None), failed(step="order"))
    (stopped,) = bench.add(fact("decision.made", step="order", decision="exception", rule="x"))
    omar = bench.person(OMAR, "Omar")
    bench.add(fact("decision.made", actor=omar, step="order", decision="skip", rule="person"))

    bench.add(intended(request=None))  # The run is at its next step before the card is drawn.
    words, _ = bench.says(Subject.TROUBLE, f"r1/order/{stopped}")

    assert "may have happened" not in words
    assert "This run has changed nothing so far" in words


@pytest.mark.parametrize("name", ["refund/3", "refund/3/undo"])
def test_cards_about_items_and_undoings_are_found_by_their_keys(bench: Bench, name: str) -> None:
    named = {"step": name, "attempt": 1, "idem": f"r1/{name}"}
    (intent,) = bench.add(intended(step=name, request=None))
    bench.add(fact("action.in_doubt", **named, cause="timeout"))
    words, buttons = bench.says(Subject.DOUBT, f"r1/{name}/{intent}")
    assert f"r1/{name}" in words
    assert set(buttons.values()) == {f"r1/{name}#{intent}"}

    bench.add(fact("action.resolved", **named, happened="no", by="probe"))
    (stopped,) = bench.add(
        fact("decision.made", step=name, decision="exception", rule="not_performed")
    )

    words, buttons = bench.says(Subject.TROUBLE, f"r1/{name}/{stopped}")
    assert "It was not done" in words
    assert set(buttons.values()) == {f"r1/{name}#{stopped}"}


def test_a_reminder_speaks_to_those_it_names_and_leads_to_the_card(bench: Bench) -> None:
    bench.add(intended(request=None), failed())
    (stopped,) = bench.add(fact("decision.made", step="refund", decision="exception", rule="x"))
    card = bench.row(Subject.TROUBLE, f"r1/refund/{stopped}")
    bench.store.outbox.adopt(card.id, MessagePlace(channel="C0OPS", ts="1795404074.580038"))
    (reminder,) = bench.add(
        fact("exception.reminded", step="refund", to=["@finance-ops", "@governors"], n=3)
    )

    words, _ = bench.says(Subject.STEP, reminder)

    assert "<!subteam^S0GOVERNORS>" in words
    assert "https://acme.slack.com/archives/C0OPS/p1795404074580038" in words
    assert "<!subteam^S0GOVERNORS>" in bench.says(Subject.TROUBLE, card.key)[0]


def test_an_exception_says_what_was_tried_and_what_cannot_be_undone(bench: Bench) -> None:
    bench.add(intended(step="order", request=None), executed(step="order"))
    bench.add(intended(request=None), failed())
    (stopped,) = bench.add(fact("decision.made", step="refund", decision="exception", rule="x"))

    words, _ = bench.says(Subject.TROUBLE, f"r1/refund/{stopped}")

    assert "Tried 1 time" in words
    assert "order: http.request shop: 🔒 cannot be undone" in words


def test_a_reply_tells_of_one_entry(bench: Bench) -> None:
    _, entry = bench.add(intended(request=None), failed())

    words, _ = bench.says(Subject.STEP, entry)

    assert "it did not happen" in words


def test_one_line_tells_that_a_run_was_cancelled_at_once_by_whom_and_what_stays(
    bench: Bench,
) -> None:
    bench.add(intended(request=None), executed())
    omar = bench.person(OMAR, "Omar")
    asked, end = bench.add(
        fact("decision.made", actor=omar, step="refund", decision="cancel", rule="person"),
        fact("run.cancelled", step=None, reason="cancelled"),
    )

    words, _ = bench.says(Subject.STEP, end)

    assert bench.rendering.render(bench.row(Subject.STEP, asked)) is None
    assert "cancelled by <@U0OMAR>. Nothing is taken back: what `refund` did stays done" in words


def test_a_cancelling_that_has_to_wait_is_told_and_so_is_the_end_that_follows(
    bench: Bench,
) -> None:
    bench.add(intended(request=None))
    omar = bench.person(OMAR, "Omar")
    asked, _, end = bench.add(
        fact("decision.made", actor=omar, step="refund", decision="cancel", rule="person"),
        failed(),
        fact("run.cancelled", step=None, reason="cancelled"),
    )

    assert "it ends once `refund` has an end" in bench.says(Subject.STEP, asked)[0]
    words, _ = bench.says(Subject.STEP, end)
    assert "The run is cancelled\nEntry" in words


def test_an_entry_that_is_not_there_is_not_told(bench: Bench) -> None:
    assert bench.rendering.render(bench.row(Subject.STEP, "nothing")) is None


def test_the_end_is_told_to_whoever_asked(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("denied", by=bench.person(OMAR, "Omar")), finished(outcome="denied"))

    letter = bench.letter(Subject.OUTCOME, "r1")

    assert letter.channel == RITA
    assert "Omar" in letter.content.text


def test_nobody_is_told_of_an_end_that_has_not_come(bench: Bench) -> None:
    assert bench.rendering.render(bench.row(Subject.OUTCOME, "r1")) is None


@pytest.mark.parametrize(("channel", "in_thread"), [("#finance", False), (None, True)])
def test_a_post_goes_where_it_says_else_into_the_thread(
    bench: Bench, channel: str | None, *, in_thread: bool
) -> None:
    letter = bench.letter(
        Subject.POST, "r1/tell", {"channel": channel, "text": "Done <!channel> *now*"}
    )

    assert letter.in_thread is in_thread
    assert letter.channel == (channel or "C0OPS")
    assert "<!channel>" not in letter.content.text


def test_somebody_whose_name_was_erased_is_still_somebody(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted", by=ANA))

    words, _ = bench.says(Subject.CARD, "q1")

    assert "somebody whose name was erased" in words


# --- what requesters and approvers are told directly ------------------------------------------


def test_the_requester_is_told_of_an_approval_before_the_run_ends(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted", by=bench.person(OMAR, "Omar")))

    letter = bench.letter(Subject.OUTCOME, "r1")

    assert letter.channel == RITA
    assert letter.may_wait
    assert "step refund was approved by Omar. It goes on." in letter.content.text


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (fact("approval.expired", request="q1", binding="b", have=0, need=1), "expired"),
        (
            fact("approval.withdrawn", request="q1", binding="b", reason="cancelled"),
            "withdrawn. It goes on. The run was cancelled.",
        ),
        (
            fact("approval.withdrawn", request="q1", binding="b", reason="parent_ended"),
            "The run that it was a part of has ended.",
        ),
    ],
)
def test_the_requester_is_told_how_a_request_ended_without_a_decision(
    bench: Bench, end: Draft, words: str
) -> None:
    bench.ask()
    bench.add(end)

    assert words in bench.letter(Subject.OUTCOME, "r1").content.text


def test_at_the_end_the_requester_is_told_all_of_it_in_the_same_message(bench: Bench) -> None:
    bench.ask()
    bench.add(verdict("granted", by=bench.person(OMAR, "Omar")), intended(), executed(), finished())

    letter = bench.letter(Subject.OUTCOME, "r1")
    words, _ = bench.says(Subject.OUTCOME, "r1")

    assert not letter.may_wait
    assert "ended: done" in letter.content.text
    assert "✅ `refund` approved by <@U0OMAR>" in words


@pytest.mark.parametrize(
    ("told", "is_told_good", "is_told_bad"),
    [(Told.ALL, True, True), (Told.TROUBLE, False, True), (Told.NOTHING, False, False)],
)
def test_a_requester_is_told_no_more_than_they_chose(
    bench: Bench, told: Told, *, is_told_good: bool, is_told_bad: bool
) -> None:
    rita = bench.person(RITA, "Rita")
    with bench.store.begin() as unit:
        unit.open_home(Ref(rita.ref), shown=None)
    bench.store.homes.choose(rita.ref, told)
    bench.ask()
    bench.add(verdict("granted"))
    good = bench.rendering.render(bench.row(Subject.OUTCOME, "r1"))
    bench.add(verdict("denied"))
    bad = bench.rendering.render(bench.row(Subject.OUTCOME, "r1"))

    assert (good is not None, bad is not None) == (is_told_good, is_told_bad)


def nudged(bench: Bench, who: str) -> Letter | None:
    return bench.rendering.render(bench.row(Subject.NUDGE, f"q1/{who}"))


def test_an_approver_is_told_directly_what_waits_for_them_and_where(bench: Bench) -> None:
    ana = bench.person(PersonId("slack:T0ACME:U0ANA"), "Ana")
    bench.ask(people=(ana.ref, ANA.ref))
    row = bench.row(Subject.CARD, "q1")
    early = bench.letter(Subject.NUDGE, f"q1/{ana.ref}")
    bench.store.outbox.adopt(row.id, MessagePlace(channel="C0OPS", ts="1795404074.580038"))

    letter = bench.letter(Subject.NUDGE, f"q1/{ana.ref}")

    assert (early.may_wait, letter.may_wait) == (True, False)
    assert letter.channel == "slack:T0ACME:U0ANA"
    assert "waits for your decision until" in letter.content.text
    assert "p1795404074580038" in str(letter.content.blocks)
    assert not letter.in_thread


def test_whoever_need_not_act_is_not_written_to_at_all(bench: Bench) -> None:
    ana = bench.person(PersonId("slack:T0ACME:U0ANA"), "Ana")
    bench.ask(people=(ana.ref, ANA.ref))
    stranger = nudged(bench, bench.person(OMAR, "Omar").ref)
    bench.add(verdict("granted", by=ana))

    assert stranger is None
    assert nudged(bench, ana.ref) is None


def test_what_an_approver_was_told_says_later_what_became_of_it(bench: Bench) -> None:
    ana = bench.person(PersonId("slack:T0ACME:U0ANA"), "Ana")
    omar = bench.person(OMAR, "Omar")
    bench.ask(people=(ana.ref, omar.ref))
    row = bench.row(Subject.NUDGE, f"q1/{ana.ref}")
    bench.store.outbox.adopt(row.id, MessagePlace(channel="D0ANA", ts="1795404074.580039"))
    reminded = fact("approval.reminded", request="q1", to=[ana.ref], n=1)
    bench.add(reminded)
    asking, _ = bench.says(Subject.NUDGE, f"q1/{ana.ref}")
    bench.add(verdict("denied", by=omar))
    ended, buttons = bench.says(Subject.NUDGE, f"q1/{ana.ref}")

    assert "Reminded <!date" in asking
    assert "Rejected by <@U0OMAR>" in ended
    assert "There is nothing for you to do any more." in ended
    assert buttons == {}


def test_a_run_in_the_queue_of_a_lock_says_who_holds_it(
    store: SqlStore, client: SlackClient
) -> None:
    bench = Bench(store, client)
    ben = bench.person(PersonId("slack:T0ACME:U0BEN"), "Ben")
    rita = bench.person(RITA, "Rita")
    with store.begin() as unit:
        for name, by in (("r0", ben), ("r1", rita)):
            unit.add_run(new_run(name, lock_key="order/one"))
            unit.append(started(name, actor=by))
            unit.take_lock("order/one", RunId(name))
    waits = {"step": "", "decision": "queue", "rule": "lock", "holder": "r0"}
    (queued,) = bench.add(fact("decision.made", **waits))

    said, _ = bench.says(Subject.ROOT, "r1")
    told, _ = bench.says(Subject.STEP, queued)
    assert "It waits for run r0 of refund-customer, asked for by Ben" in said
    assert "The run waits until run `r0` is done with the same thing" in told

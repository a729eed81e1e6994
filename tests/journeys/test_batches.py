"""Items of a loop that are put to people together: one card, all at once or one by one."""

import itertools
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage, SeenView
from tests.journeys.day import Case, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about

CREDITS = """
workflow: credit-orders
title: Credit orders
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  orders: {type: list, of: {type: string, pattern: "^ord_[0-9]+$"}, title: Orders}
steps:
  - id: each
    foreach: ${{ inputs.orders }}
    as: order
    on_item_failure: continue
    steps:
      - id: credit
        uses: http.request
        with:
          service: shop
          method: POST
          path: /refunds
          json: {order: "${{ order }}", amount: 5}
        effect: write
"""
RULE = """  - name: credits
    when: effect == "write" && workflow == "credit-orders"
    stages: [{from: ["@finance-leads"], approve: 1}]
    batch: true
    nudge: {after: 10m}
  - name: many credits
    when: effect == "write" && workflow == "credit-orders" && size(inputs.orders) > 3
    stages: [{from: ["@finance-leads"], approve: 1}]
    reason: required
    batch: true
  - name: coded credits
    when: effect == "write" && workflow == "credit-orders" && size(inputs.orders) == 5
    stages: [{from: ["@finance-leads"], approve: 1}]
    step_up: totp
    batch: true
services:
"""
NUMBERS = itertools.count(1300)


def with_batches(stage: Stage) -> None:
    text = stage.policy.read_text().replace("roles:\n", 'roles:\n  viewers: ["@support", "@ben"]\n')
    stage.policy.write_text(text.replace("services:\n", RULE, 1))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("batches")
    with day_at_work(home, prepare=with_batches, workflow=CREDITS) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


class Batch:
    """A run that asks about some orders at once, and its card."""

    def __init__(self, case: Case, count: int) -> None:
        self.case = case
        self.orders = [f"ord_{next(NUMBERS)}" for _ in range(count)]
        rita = case.person("rita")
        rita.command("/ops run credit-orders", channel=case.channel)
        rita.wait_for_view("Orders")
        rita.submit({"Orders": "\n".join(self.orders)})
        self.root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
        self.card = case.waits(lambda: self._card(count), "a card with all items")

    def _card(self, count: int) -> SeenMessage | None:
        cards = [one for one in self.case.thread(self.root) if "Decide one by one" in one.buttons]
        return next((one for one in cards if f"{count}. POST" in one.words), None)

    def cards(self) -> list[SeenMessage]:
        return [one for one in self.case.thread(self.root) if "Batch" in one.words]

    def shows(self, *words: str) -> str:
        """Return what the card says once it says all of this."""

        def said() -> str | None:
            told = self.case.now(self.card).words
            return told if all(one in told for one in words) else None

        return self.case.waits(said, f"a card with {words}")

    def effects(self) -> list[str]:
        shop = self.case.day.stage.shop
        return [one for one in self.orders if shop.effects(one)]

    def ends(self) -> None:
        self.case.waits(
            lambda: "is done (" in self.case.now(self.root).words or None, "the end of the run"
        )


def test_all_items_are_approved_at_once_on_one_card(case: Case) -> None:
    batch = Batch(case, 3)
    assert len(batch.cards()) == 1
    assert "0 of 1 approval" in batch.card.words

    case.person("ana").click("Approve all 3", message=batch.card)
    batch.ends()
    words = batch.shows("✅ 3 approved", "approved items 1 to 3", "leaf")

    assert batch.effects() == batch.orders
    case.waits(lambda: not case.now(batch.card).buttons or None, "the end of the buttons")
    assert "Waiting for approval" not in words


def test_each_item_gets_its_own_verdict_in_the_modal_and_the_requester_hears_of_both(
    case: Case,
) -> None:
    batch = Batch(case, 3)
    ana = case.person("ana")
    ana.click("Decide one by one", message=batch.card)
    page = ana.wait_for_view("Decide one by one")
    approve, reject, _ = fields(page, "verdict")
    reasons = fields(page, "item_reason")
    ana.submit({approve: "Approve", reject: "Reject", reasons[1]: "paid twice"})
    batch.shows("✅ 1 approved", "⛔ 1 rejected", "✋ 1 open", "rejected item 2", "paid twice")
    case.waits(lambda: batch.effects() == batch.orders[:1] or None, "the approved item alone")

    ana.close_view(everything=True)
    case.person("ben").click("Approve", message=case.now(batch.card))
    batch.ends()

    assert batch.effects() == [batch.orders[0], batch.orders[2]]
    told = case.waits(
        lambda: next((one for one in direct(case, "rita") if "ended" in one), None), "the end"
    )
    assert "`credit` item 2 rejected by @ana" in told
    assert "paid twice" in told
    assert "`credit` item 1 approved by @ana" in told
    assert "`credit` item 3 approved by @ben" in told
    assert len(direct(case, "rita")) == 1


def fields(page: SeenView, kind: str) -> list[str]:
    found = [str(one.get("block_id", "")) for one in page.blocks]
    return [one for one in found if one.startswith(f"{kind}.")]


def direct(case: Case, name: str) -> list[str]:
    """Return what the bot told somebody directly about the case's run."""
    run = case.waits(lambda: batch_run(case), "the run")
    found = case.slack.workspace.everything(f"@{name}")
    return [one.words for one in found if run in str(one.blocks)]


def batch_run(case: Case) -> str | None:
    cards = [one for one in case.thread(case.roots()[0]) if "Batch" in one.words]
    return cards[0].words.partition("run `")[2].partition("`")[0] if cards else None


def test_a_click_decides_what_it_showed_and_says_what_was_settled_meanwhile(case: Case) -> None:
    batch = Batch(case, 3)
    ana, ben = case.person("ana"), case.person("ben")
    ben.click("Decide one by one", message=batch.card)
    page = ben.wait_for_view("Decide one by one")
    ben.submit({fields(page, "verdict")[0]: "Reject"})
    batch.shows("⛔ 1 rejected")
    ben.close_view(everything=True)
    before = len(ana.ephemerals)
    ana.click("Approve all 3", message=batch.card, stale=True)
    told = case.waits(lambda: next(iter(ana.ephemerals[before:]), None), "an answer").words
    batch.ends()

    assert "2 of 3 items decided" in told
    assert "item 1: This request is already rejected." in told
    assert batch.effects() == batch.orders[1:]


def test_a_reason_that_is_wanted_is_asked_for_with_each_item_or_once_for_all(case: Case) -> None:
    batch = Batch(case, 4)
    ana = case.person("ana")
    ana.click("Decide one by one", message=batch.card)
    page = ana.wait_for_view("Decide one by one")
    first, reason = fields(page, "verdict")[0], fields(page, "item_reason")[0]
    ana.submit({first: "Approve"})
    refused = ana.wait_for_view("Decide one by one")
    ana.submit({reason: "checked by hand"})
    batch.shows("✅ 1 approved", "checked by hand")
    ana.close_view(everything=True)
    ana.click("Approve all 3", message=case.now(batch.card))
    ana.wait_for_view("Why do you approve?")
    ana.submit({"reason": "as agreed"})
    batch.ends()

    assert refused.errors == {reason: "Say why in a few words."}
    assert "approved items 2 to 4" in batch.shows("as agreed", "✅ 4 approved")
    assert batch.effects() == batch.orders


def test_a_reason_for_an_item_that_is_left_as_it_is_is_not_dropped(case: Case) -> None:
    batch = Batch(case, 3)
    ana = case.person("ana")
    ana.click("Decide one by one", message=batch.card)
    page = ana.wait_for_view("Decide one by one")
    verdicts, reasons = fields(page, "verdict"), fields(page, "item_reason")
    ana.submit({verdicts[0]: "Approve", reasons[1]: "paid twice"})
    refused = ana.wait_for_view("Decide one by one")

    assert list(refused.errors) == [reasons[1]]
    assert "choose above, or empty this" in refused.errors[reasons[1]]
    assert "✅" not in case.now(batch.card).words

    ana.submit({verdicts[1]: "Reject"})
    batch.shows("✅ 1 approved", "⛔ 1 rejected", "paid twice", "✋ 1 open")
    ana.close_view(everything=True)
    case.person("ben").click("Approve", message=case.now(batch.card))
    batch.ends()


def test_whoever_has_no_codes_rejects_one_item_and_is_told_why_they_approve_none(
    case: Case,
) -> None:
    batch = Batch(case, 5)
    ana = case.person("ana")
    ana.click("Decide one by one", message=batch.card)
    page = ana.wait_for_view("Decide one by one")
    choices = [
        [one["value"] for one in block["element"]["options"]]
        for block in page.blocks
        if str(block.get("block_id", "")).startswith("verdict.")
    ]
    ana.submit({fields(page, "verdict")[1]: "Reject", fields(page, "item_reason")[1]: "paid"})
    batch.shows("⛔ 1 rejected", "✋ 4 open")

    assert "you have none that count yet" in page.words
    assert "Code from your authenticator app" not in page.words
    assert choices == [["deny", "leave"]] * 5

    ana.close_view(everything=True)
    ana.click("Reject all 4", message=case.now(batch.card))
    ana.wait_for_view("Reject")
    ana.submit({"reason": "not this month"})
    batch.shows("⛔ 5 rejected")


def test_of_an_item_that_is_settled_no_reason_is_wanted_any_more(case: Case) -> None:
    batch = Batch(case, 4)
    ana, ben = case.person("ana"), case.person("ben")
    pages = []
    for one in (ana, ben):
        one.click("Decide one by one", message=batch.card)
        pages.append(one.wait_for_view("Decide one by one"))
    verdict, reason = fields(pages[0], "verdict")[0], fields(pages[0], "item_reason")[0]
    ben.submit({verdict: "Reject", reason: "paid twice"})
    batch.shows("⛔ 1 rejected")
    ana.submit({verdict: "Approve"})
    told = ana.wait_for_view("already rejected").words

    assert "item 1: This request is already rejected. ben rejected it." in told
    assert batch.effects() == []

    ana.close_view(everything=True)
    ben.close_view(everything=True)
    ana.click("Reject all 3", message=case.now(batch.card))
    ana.wait_for_view("Reject")
    ana.submit({"reason": "not this month"})
    batch.shows("⛔ 4 rejected")


def test_all_are_rejected_with_one_reason(case: Case) -> None:
    batch = Batch(case, 2)
    ana = case.person("ana")
    ana.click("Reject all 2", message=batch.card)
    ana.wait_for_view("Reject")
    ana.submit({"reason": "not this month"})
    batch.shows("⛔ 2 rejected", "rejected items 1 to 2", "not this month")

    assert batch.effects() == []


def test_all_approvals_that_nothing_has_used_yet_are_taken_back_with_one_reason(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_answers = threading.Event()
    monkeypatch.setattr(case.day.stage.shop.faults, "dawdle", shop_answers.wait)
    batch = Batch(case, 3)
    ana, ben = case.person("ana"), case.person("ben")
    try:
        ana.click("Approve all 3", message=batch.card)
        case.waits(lambda: "Take all 2 back" in case.now(batch.card).buttons or None, "the button")
        before = len(ben.ephemerals)
        ben.click("Take all 2 back", message=case.now(batch.card))
        told = case.waits(lambda: next(iter(ben.ephemerals[before:]), None), "an answer").words
        ana.click("Take all 2 back", message=case.now(batch.card))
        form = ana.wait_for_view("Take back")
        ana.submit({"reason": "wrong list"})
        batch.shows("✅ 1 approved", "⛔ 2 rejected", "rejected items 2 to 3", "wrong list")
    finally:
        shop_answers.set()
    batch.ends()

    assert "This request is already approved." in told
    assert "items 2 to 3" in form.words
    assert "What has begun by the time you send this goes on" in form.words
    assert batch.effects() == batch.orders[:1]
    assert not case.now(batch.card).buttons


def test_what_was_decided_in_part_is_not_called_not_done(case: Case) -> None:
    batch = Batch(case, 3)
    ana, ben = case.person("ana"), case.person("ben")
    for one in (ana, ben):
        one.click("Reject all 3", message=batch.card)
        one.wait_for_view("Reject")
    ben.close_view()
    ben.click("Decide one by one", message=batch.card)
    page = ben.wait_for_view("Decide one by one")
    ben.submit({fields(page, "verdict")[0]: "Approve"})
    batch.shows("✅ 1 approved")
    ben.close_view(everything=True)
    ana.submit({"reason": "wrong list"})
    partly = ana.wait_for_view("Not decided")
    ana.close_view(everything=True)
    batch.shows("✅ 1 approved", "⛔ 2 rejected")

    assert partly.title == "Partly decided"
    assert "✅ 0 approved · ⛔ 2 rejected" in partly.words
    assert "item 1: This request is already approved." in partly.words


def test_the_requester_cannot_decide_any_of_them(case: Case) -> None:
    batch = Batch(case, 2)
    rita = case.person("rita")
    before = len(rita.ephemerals)
    rita.click("Approve all 2", message=batch.card)
    told = case.waits(lambda: next(iter(rita.ephemerals[before:]), None), "an answer").words

    assert "0 of 2 items decided" in told
    assert "items 1 to 2: You asked for this" in told

    case.person("ana").click("Approve all 2", message=batch.card)
    batch.ends()


def test_whoever_cannot_decide_any_of_them_hears_that_before_a_form_opens(case: Case) -> None:
    batch = Batch(case, 4)  # So many want a reason.
    for who, why in {"rita": "You asked for this", "sam": "not among the people"}.items():
        person = case.person(who)
        for button in ("Approve all 4", "Reject all 4", "Decide one by one"):
            before = len(person.ephemerals)
            person.click(button, message=batch.card)
            case.waits(lambda: person.ephemerals[before:] or None, "an answer")  # noqa: B023

            assert why in person.ephemerals[-1].words
            assert person.view is None

    case.person("ana").click("Reject all 4", message=batch.card)
    case.person("ana").wait_for_view("Reject")
    case.person("ana").submit({"reason": "not this month"})
    batch.shows("⛔ 4 rejected")


def test_what_does_not_stand_on_the_card_is_for_those_with_a_part_and_viewers(case: Case) -> None:
    batch = Batch(case, 2)
    refusals = {"connie": "another workspace reads no more", "omar": "needs the role viewer"}
    for who, why in refusals.items():
        for button in ("Review", "Decide one by one"):
            person = case.person(who)
            before = len(person.ephemerals)
            person.click(button, message=batch.card)
            case.waits(lambda: person.ephemerals[before:] or None, "an answer")  # noqa: B023

            assert why in person.ephemerals[-1].words
            assert person.view is None
    ana = case.person("ana")  # No viewer, but asked to decide.
    ana.click("Review", message=batch.card)
    ana.wait_for_view(batch.orders[0])
    ana.submit()
    batch.ends()


def test_approvers_are_written_to_once_about_all_of_it(case: Case) -> None:
    batch = Batch(case, 3)
    case.day.later(timedelta(minutes=11))

    def asked() -> list[str]:
        title = "Credit orders: 3 items"
        found = case.slack.workspace.everything("@ana")
        return [one.words for one in found if title in one.words and "waits for you" in one.words]

    told = case.waits(lambda: asked() or None, "a direct message")
    assert len(told) == 1
    case.person("ana").click("Approve all 3", message=batch.card)
    batch.ends()
    case.waits(lambda: not asked() or None, "the message to say that nothing waits any more")


def test_a_batch_is_one_thing_on_home_and_can_be_approved_there(case: Case) -> None:
    batch = Batch(case, 2)
    ben = case.person("ben")
    before = len(ben.ephemerals)
    ben.command("/ops approvals", channel=case.channel)
    told = case.waits(lambda: next(iter(ben.ephemerals[before:]), None), "the list").words
    assert told.count("Credit orders") == 1
    assert "2 items, POST shop /refunds first" in told
    ben.open_home()
    home = ben.wait_for_home("2 items of `credit`")
    ben.click("Review all, then approve", home=home)
    ben.wait_for_view("Review")
    ben.submit()
    batch.ends()
    assert batch.effects() == batch.orders

"""Budgets, freezes, denials that stick and broken glass, as people in Slack live them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from tests.journeys.day import Case, Day, approve_label, day_at_work
from tests.sandbox.payload_checks import complaints_about

FORMAT = "%Y-%m-%dT%H:%M"
NOW = datetime.now(UTC)
# Of the demo's policy, in Berlin; a day more or less changes nothing here.
FROM, UNTIL = f"{NOW - timedelta(days=2):{FORMAT}}", f"{NOW + timedelta(days=3):{FORMAT}}"
LIMITS = f"""
break_glass: {{people: ["@platform", "@support-leads"], by: ["@governors"], review: 24h}}
freezes:
  - {{name: stocktaking, from: "{FROM}", until: "{UNTIL}", when: inputs.reason == "Frozen"}}
budgets:
  - name: refunds of an order
    when: workflow == "refund-customer"
    amount: args.json.amount
    per: inputs.order
    limit: 1000
    window: 7d
"""
THAW = timedelta(days=4)


def remember_denials(stage: Stage) -> None:
    text = stage.policy.read_text()
    told = text.replace("defaults: {expires: 24h}", "defaults: {expires: 7d, sticky: 7d}")
    # The shipped workflow wants an answer within a day; the freeze here lasts longer.
    stage.policy.write_text(told)
    file = stage.workflows / "refund-customer.yaml"
    file.write_text(file.read_text().replace("expires: 24h", "expires: 7d"))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("limits")
    with day_at_work(home, more_policy=LIMITS, prepare=remember_denials) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def in_ops(case: Case, words: str) -> SeenMessage:
    """Return the newest message in the bot's own channel that has these words."""

    def found() -> SeenMessage | None:
        told = case.slack.workspace.messages("#ops")
        return next((one for one in reversed(told) if words in one.words), None)

    return case.waits(found, f"a message in the channel with {words!r}")


def says(case: Case, message: SeenMessage, words: str) -> SeenMessage:
    def found() -> SeenMessage | None:
        now = case.now(message)
        return now if words in now.words else None

    return case.waits(found, f"a message that says {words!r}")


def breaks(case: Case, name: str, card: SeenMessage, reason: str) -> None:
    person = case.person(name)
    person.click("Break glass", message=card)
    person.wait_for_view("Why can it not wait?")
    person.submit({"reason": reason})


def reviews(case: Case, name: str, card: SeenMessage, button: str, comment: str = "") -> None:
    person = case.person(name)
    person.click(button, message=card)
    person.wait_for_view("Anything to add?" if button == "It was right" else "Why was it not")
    person.submit({"reason": comment} if comment else {})


def refused(case: Case, name: str, button: str, card: SeenMessage) -> str:
    person = case.person(name)
    before = len(person.ephemerals)
    person.click(button, message=card)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer").words


def test_glass_is_broken_with_a_reason_and_reviewed_by_somebody_else(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    assert "Only @platform or @support-leads" in refused(case, "ana", "Break glass", card)
    assert case.refunds() == []
    breaks(case, "petra", card, f"Nobody answers, and {case.order} is urgent.")
    case.ends(root, "done")

    settled = says(case, card, "Decided alone, by breaking the glass")
    assert "Break glass" not in settled.buttons
    assert "head" in says(case, card, "· head ").words  # The receipt of the entry.
    assert case.replies(root, "was decided alone by").words
    assert case.refunds() == [500]
    alert = in_ops(case, case.order)
    assert "Glass broken: Refund a customer" in alert.words
    assert "someone else has to review it" in refused_review(case, "petra", alert)
    assert "not among those who review" in refused_review(case, "ana", alert)
    told = case.person("ivan").wait_for_notification("petra broke the glass")
    assert told
    reviews(case, "ivan", alert, "It was not right", "It could have waited a day.")
    seen = says(case, alert, "*It was not right*, says")
    assert "It could have waited a day." in seen.words
    assert "It was right" not in seen.buttons
    asker = case.person("rita")
    asker.command(f"/ops audit {case.run()}", channel=case.channel)
    audit = asker.wait_for_ephemeral("Audit of run").words
    assert "on the breaking of the glass by @petra (" in audit
    assert "on the approval of" not in audit  # Nobody approved.
    assert "Reviewed the use of the glass: it was not right" in audit
    exceptions = case.day.bot.core.digests.look().figures["exceptions"]
    assert any("by breaking the glass" in one for one in exceptions)


def refused_review(case: Case, name: str, card: SeenMessage) -> str:
    """Have somebody try to review; return what the modal says instead of closing."""
    person = case.person(name)
    person.click("It was right", message=card)
    first = person.wait_for_view("Anything to add?")
    person.submit({})
    told = person.wait_for_view("", other_than=first).words
    person.close_view(everything=True)
    return told


def test_an_overdue_review_reminds_people_and_blocks_that_group(case: Case) -> None:
    root = case.asks()
    breaks(case, "petra", case.card(root), f"Now, for {case.order}.")
    case.ends(root, "done")
    alert = in_ops(case, case.order)
    case.day.later(timedelta(hours=25))
    in_ops(case, "nobody has reviewed it")
    says(case, alert, "Overdue")
    another = Case(case.day)
    root = another.asks()
    card = another.card(root)

    told = refused(another, "petra", "Break glass", card)
    assert "nobody has reviewed that, though it was due by" in told
    assert "@governors" in told
    reviews(case, "dora", alert, "It was right")
    says(case, alert, "*It was right*, says")
    breaks(another, "petra", card, "Again.")
    another.ends(root, "done")
    reviews(another, "dora", in_ops(another, "Again."), "It was right")


def test_whoever_asked_breaks_the_glass_over_their_own_request(case: Case) -> None:
    root = case.asks("sam")
    breaks(case, "sam", case.card(root), f"Alone at night with {case.order}.")
    case.ends(root, "done")
    reviews(case, "ivan", in_ops(case, case.order), "It was right")


def test_an_approved_refund_waits_for_the_end_of_a_freeze(case: Case) -> None:
    root = case.asks(Reason="Frozen")
    card = case.card(root)
    assert "The freeze “stocktaking” holds it back until" in card.words
    case.approves("ana", card)

    assert (
        "It waits for the freeze “stocktaking” until"
        in says(case, root, "It waits for the freeze").words
    )
    assert "It waits for a freeze until" in says(case, card, "It waits for a freeze").words
    assert case.refunds() == []
    case.day.later(THAW)
    case.ends(root, "done")
    assert case.refunds() == [500]
    assert case.kinds().count("approval.requested") == 1


def test_an_order_is_not_refunded_beyond_its_budget(case: Case) -> None:
    case.amount = 700
    first = case.asks()
    card = case.card(first)
    assert f"Budget refunds of an order (for {case.order}): 0 of 1,000 used in 7d" in card.words
    case.approves("ana", card)
    case.ends(first, "done")
    known = {one.ts for one in case.roots()}
    case.person("rita").command("/ops run refund-customer", channel=case.channel)
    case.person("rita").wait_for_view("Order")
    case.person("rita").submit({**case.form, "Amount in cents": "400"})
    second = case.waits(
        lambda: next((one for one in case.roots() if one.ts not in known), None), "another run"
    )
    card = case.card(second)
    assert "700 of 1,000 used in 7d, this takes 400. There is not enough" in card.words
    case.approves("ana", card)
    stopped = case.replies(second, "There is not enough of a budget for it")

    assert "Budget refunds of an order" in stopped.words
    assert "there is room from" in stopped.words
    assert case.refunds() == [700]
    case.person("omar").click("Abort", message=stopped)


def test_what_was_rejected_is_approved_only_knowingly(case: Case) -> None:
    first = case.asks()
    ana = case.person("ana")
    ana.click("Reject", message=case.card(first))
    ana.wait_for_view("")
    ana.submit({"reason": "Already replaced."})
    case.ends(first, "denied")
    known = {one.ts for one in case.roots()}
    case.person("rita").command("/ops run refund-customer", channel=case.channel)
    case.person("rita").wait_for_view("Order")
    case.person("rita").submit(case.form)
    second = case.waits(
        lambda: next((one for one in case.roots() if one.ts not in known), None), "another run"
    )
    card = case.card(second)

    assert "*Rejected before* by @ana" in card.words
    assert "Already replaced." in card.words
    ben = case.person("ben")
    ben.click(approve_label(card), message=card, confirm=False)
    assert case.refunds() == []
    ben.click(approve_label(card), message=card)
    case.waits(lambda: case.refunds() or None, "the refund")

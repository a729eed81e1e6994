"""Changing what is asked, from the card and from the command: a new card, and only that counts."""

from sandbox import faults as fault
from sandbox.seen import SeenMessage
from tests.journeys.day import Case

AMOUNT = "Amount in cents"


def changes(case: Case, name: str, card: SeenMessage, **fields: str) -> None:
    """Have somebody press Change and send the form with other values."""
    person = case.person(name)
    person.click("Change", message=card)
    person.wait_for_view("Order")
    person.submit(fields)


def leads_to(message: SeenMessage, card: SeenMessage) -> bool:
    return f"/p{card.ts.replace('.', '')}|" in str(message.blocks)


def old_card(case: Case, card: SeenMessage) -> SeenMessage:
    return case.waits(
        lambda: now if "changed it" in (now := case.now(card)).words else None,
        "the old card without buttons",
    )


def test_the_requester_changes_the_amount_and_the_new_amount_is_paid(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    changes(case, "rita", card, **{AMOUNT: "300"})
    newer = case.card(root, other_than=card)

    assert "Amount in cents: 500 → 300" in newer.words
    assert "Reject" not in old_card(case, card).buttons
    assert case.replies(root, "What is asked was changed by")

    case.approves("ana", newer)
    case.ends(root, "done")
    assert case.refunds() == [300]


def test_the_first_message_leads_to_the_newer_card_however_late_that_is_posted(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.waits(lambda: leads_to(case.now(root), card) or None, "the way to the first card")
    case.slack.faults.next("chat.postMessage", fault.slow(0.5), times=3)
    changes(case, "rita", card, **{AMOUNT: "300"})
    newer = case.card(root, other_than=card)

    case.waits(lambda: leads_to(case.now(root), newer) or None, "the way to the newer card")


def test_the_form_opens_with_the_present_values(case: Case) -> None:
    root = case.asks()
    rita = case.person("rita")
    rita.click("Change", message=case.card(root))
    form = rita.wait_for_view("Order")
    rita.submit({"Reason": "Broken twice"})
    newer = case.replies(root, "Broken twice")

    assert "people decide anew" in form.words
    assert "Reason: Broken → Broken twice" in newer.words


def test_a_click_on_the_card_from_before_is_refused_and_leads_to_the_new_one(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    changes(case, "rita", card, **{AMOUNT: "300"})
    newer = case.card(root, other_than=card)
    # People may see the new card a moment before the bot has noted where it stands.
    case.waits(lambda: leads_to(case.now(card), newer) or None, "the way to the new card")
    told = case.refused("ana", card, stale=True)

    assert "has changed what is asked" in told
    assert leads_to(case.person("ana").ephemerals[-1], newer)
    assert "approval.granted" not in case.kinds()


def test_a_rejection_typed_for_the_card_from_before_counts_for_nothing(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    ben = case.person("ben")
    ben.click("Reject", message=card)
    form = ben.wait_for_view("")
    changes(case, "rita", card, **{AMOUNT: "300"})
    newer = case.card(root, other_than=card)
    ben.submit({"reason": "Too much."})
    told = ben.wait_for_view("", other_than=form)
    ben.close_view(everything=True)

    assert "has changed what is asked" in told.words
    assert "Reject" in case.now(newer).buttons
    assert "approval.denied" not in case.kinds()


def test_whoever_sends_a_change_after_somebody_elses_hears_of_that_and_keeps_what_they_typed(
    case: Case,
) -> None:
    root = case.asks()
    card = case.card(root)
    sam = case.person("sam")
    sam.click("Change", message=card)
    sam.wait_for_view("Order")
    changes(case, "rita", card, **{AMOUNT: "300"})
    sam.submit({"Order": "Nr. 7", AMOUNT: "700"})  # The first of which does not fit either.
    view = sam.wait_for_view("Order")
    told = view.hints
    sam.close_view(everything=True)

    assert list(told) == ["Order"]
    assert "has changed what is asked here (" in told["Order"]
    assert "Amount in cents: 500 → 300. Nothing of yours was sent" in told["Order"]
    assert "Nr. 7" in str(view.values)


def test_the_command_opens_the_same_form(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    run = case.entries()[0].run
    sam = case.person("sam")
    sam.command(f"/ops change {run}", channel=case.channel)
    sam.wait_for_view("Order")
    sam.submit({AMOUNT: "300"})
    newer = case.card(root, other_than=card)

    assert "(whoever changed what is asked)" in newer.words


def test_whoever_may_not_start_such_runs_is_shown_no_values_and_changes_nothing(
    case: Case,
) -> None:
    root = case.asks()
    petra, run = case.person("petra"), case.entries()[0].run
    petra.click("Change", message=case.card(root))
    by_click = case.waits(lambda: next(iter(petra.ephemerals), None), "an answer to the click")
    before = len(petra.ephemerals)
    petra.command(f"/ops change {run}", channel=case.channel)
    typed = case.waits(lambda: next(iter(petra.ephemerals[before:]), None), "an answer")

    assert petra.view is None
    assert "You may not run this workflow" in by_click.words
    assert "You may not run this workflow" in typed.words
    assert "approval.edited" not in case.kinds()


def test_another_order_would_need_another_lock_so_it_is_refused(case: Case) -> None:
    root = case.asks()
    rita = case.person("rita")
    rita.click("Change", message=case.card(root))
    form = rita.wait_for_view("Order")
    rita.submit({"Order": "ord_9999"})
    told = rita.wait_for_view("", other_than=form)
    rita.close_view(everything=True)

    assert "another lock" in told.words


def test_the_same_values_are_no_change_and_the_form_says_so(case: Case) -> None:
    root = case.asks()
    rita = case.person("rita")
    rita.click("Change", message=case.card(root))
    rita.wait_for_view("Order")
    rita.submit({})
    hints = rita.view.hints if rita.view is not None else {}
    rita.close_view(everything=True)

    assert hints == {"Order": "nothing is different from what is asked already"}


def test_after_the_decision_change_says_that_it_is_too_late(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.approves("ana", card)
    case.ends(root, "done")
    rita = case.person("rita")
    rita.click("Change", message=card, stale=True)
    told = rita.wait_for_ephemeral("already approved")

    assert "Nothing was changed" in told.words

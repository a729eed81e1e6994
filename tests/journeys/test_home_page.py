"""A requester and an approver in a real browser: the form, Home, the keyboard, refusals."""

import re
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bot.homes import Homes
from tests.journeys.day import Case
from tests.journeys.pages import channel_of, opens_home, picture

pytestmark = pytest.mark.browser


def test_an_approver_finds_reads_and_approves_on_home_with_the_keyboard_alone(
    case: Case, sits: Callable[[str], Page]
) -> None:
    ana = sits("ana")
    opens_home(ana)
    case.card(case.asks())
    home = ana.get_by_role("region", name="Home")
    expect(home).to_contain_text(case.order)
    picture(ana, "home-approver")

    approve = home.get_by_role("button", name=re.compile("Approve")).last
    approve.focus()
    ana.keyboard.press("Enter")

    expect(home).to_contain_text("You approved")
    expect(home).not_to_contain_text(f"Order: {case.order}")
    focused = ana.evaluate("document.activeElement.closest('#place') !== null")
    assert focused
    assert case.waits(case.outcome, "the end of the run") == "done"
    picture(ana, "home-approved")


def test_a_requester_asks_cannot_approve_it_themselves_and_is_told_how_it_ended(
    case: Case, sits: Callable[[str], Page]
) -> None:
    rita = sits("rita")
    rita.get_by_role("button", name=re.compile(f"^{case.channel[1:]}")).click()
    line = rita.get_by_role("textbox", name=f"Message {case.channel}")
    line.fill("/ops run refund-customer")
    line.press("Enter")
    form = rita.get_by_role("dialog")
    form.get_by_label("Order").fill(case.order.replace("ord_", "no "))
    form.get_by_label("Amount in cents").fill(str(case.amount))
    form.get_by_label("Reason").fill("It arrived broken")
    form.get_by_role("button", name="Run").click()
    expect(form).to_contain_text("ord_1042")
    expect(form.get_by_label("Order")).to_be_focused()
    picture(rita, "form-fault")
    form.get_by_label("Order").fill(case.order)
    form.get_by_role("button", name="Run").click()
    expect(rita.get_by_role("dialog")).to_have_count(0)

    root = case.waits(lambda: next(iter(case.roots()), None), "the first message")
    card = case.card(root)
    channel_of(rita, case)
    rita.get_by_role("button", name=re.compile("^Approve")).last.click()
    expect(rita.get_by_role("log", name="Thread")).to_contain_text("You asked for this")
    picture(rita, "requester-refused")
    case.approves("ana", card)
    case.ends(root, "done")  # Runs of other journeys have been told of as well.
    rita.get_by_role("button", name="Messages").first.click()
    expect(rita.get_by_role("main")).to_contain_text("ended: done")
    picture(rita, "requester-told")

    assert case.refunds() == [case.amount]


def test_a_requester_sees_on_home_how_their_run_goes_and_comes_to_its_thread(
    case: Case, sits: Callable[[str], Page]
) -> None:
    rita = sits("rita")
    opens_home(rita)
    card = case.card(case.asks())
    home = rita.get_by_role("region", name="Home")
    expect(home).to_contain_text("waiting")
    picture(rita, "home-requester")

    case.approves("ana", card)
    expect(home).to_contain_text("Ended last:")
    home.get_by_role("link", name="Refund a customer").first.click()

    expect(rita.get_by_role("heading", name=re.compile("# case-"))).to_be_visible()


def test_somebody_refused_on_home_reads_why_and_closes_it_with_escape(
    case: Case, sits: Callable[[str], Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A Home that is drawn once more has no button for whoever belongs to nobody asked.
    drawing, publish = threading.Lock(), Homes.publish_next

    def publish_next(homes: Homes) -> bool:
        with drawing:
            return publish(homes)

    monkeypatch.setattr(Homes, "publish_next", publish_next)
    ben = sits("ben")
    opens_home(ben)
    case.card(case.asks())
    home = ben.get_by_role("region", name="Home")
    expect(home).to_contain_text(case.order)
    with drawing:
        case.slack.workspace.group("finance-leads").members.remove(
            "U0BEN"
        )  # Slack has not told yet.
        case.day.bot.core.people.groups_changed()  # type: ignore[attr-defined]  # A directory has it.
        try:
            home.get_by_role("button", name=re.compile("Approve")).last.click()
            dialog = ben.get_by_role("dialog")
            expect(dialog).to_contain_text("You no longer belong to the people who were asked.")
            picture(ben, "home-refused")
            ben.keyboard.press("Escape")
            expect(ben.get_by_role("dialog")).to_have_count(0)
        finally:
            case.slack.workspace.join_group("ben", "finance-leads")

    assert "approval.granted" not in case.kinds()

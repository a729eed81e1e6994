"""The page without a mouse and without eyes: where the keyboard is, and what is said aloud."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from sandbox.workspace import Workspace
from tests.sandbox.page.office import Office

pytestmark = pytest.mark.browser
Sits = Callable[[str], Page]


@pytest.fixture
def line(client: WebClient) -> str:
    """Post a message with a thread; give its id on the page."""
    ts = client.chat_postMessage(channel="C0OPS", text="The beginning")["ts"]
    client.chat_postMessage(channel="C0OPS", thread_ts=ts, text="The first reply")
    return f"m-{ts}"


def focused(page: Page) -> str:
    said = "(one) => one.getAttribute('aria-label') ?? one.id ?? one.textContent"
    return str(page.evaluate(f"({said})(document.activeElement)"))


def test_enter_on_a_message_opens_its_thread_and_escape_comes_back_to_it(
    sits: Sits, line: str
) -> None:
    page = sits("rita")
    message, lines = page.locator(f"[id='{line}']"), page.get_by_role("log", name="Messages")
    expect(message).to_be_visible()
    lines.focus()
    page.keyboard.press("ArrowUp")
    expect(message).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply…")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.get_by_role("complementary", name="Thread")).to_be_hidden()
    expect(message).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Message #ops")).to_be_focused()


def test_arrows_go_through_messages_and_the_one_in_front_has_a_ring(
    sits: Sits, workspace: Workspace
) -> None:
    for number in range(3):
        workspace.person("sam").say(f"Line {number}")
    page = sits("rita")
    messages = page.locator("#place .message")
    expect(messages).to_have_count(3)
    page.get_by_role("log", name="Messages").focus()
    for key, at in (("ArrowUp", 2), ("ArrowUp", 1), ("Home", 0), ("ArrowUp", 0), ("End", 2)):
        page.keyboard.press(key)
        expect(messages.nth(at)).to_be_focused()

    ring = "(one) => getComputedStyle(one).outlineStyle"
    assert messages.nth(2).evaluate(ring) == "solid"


def test_f6_goes_from_part_to_part_and_back(sits: Sits) -> None:
    page = sits("rita")
    composer = page.get_by_label("Message #ops")
    expect(composer).to_be_visible()
    composer.focus()

    page.keyboard.press("Shift+F6")
    expect(page.get_by_role("log", name="Messages")).to_be_focused()
    page.keyboard.press("Shift+F6")
    expect(page.get_by_role("button", name="ops", exact=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("button", name="general", exact=True)).to_be_focused()
    page.keyboard.press("F6")
    page.keyboard.press("F6")
    expect(composer).to_be_focused()


def test_alt_and_arrows_open_the_place_above_and_below(sits: Sits) -> None:
    page = sits("rita")
    expect(page.get_by_role("heading", name="# ops")).to_be_visible()

    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("heading", name="# general")).to_be_visible()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("heading", name="# ops")).to_be_visible()


def test_the_first_tab_leads_past_everything_to_where_one_types(sits: Sits) -> None:
    page = sits("rita")
    expect(page.get_by_label("Message #ops")).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to where you type")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_label("Message #ops")).to_be_focused()


def test_the_keys_are_listed_and_the_list_gives_the_keyboard_back(sits: Sits) -> None:
    page = sits("rita")
    page.get_by_label("Message #ops").focus()
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Enter on a message")

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Message #ops")).to_be_focused()


@pytest.mark.usefixtures("office")
def test_after_a_modal_the_keyboard_is_where_it_was(sits: Sits) -> None:
    page = sits("rita")
    composer = page.get_by_label("Message #ops")
    composer.fill("/ops form")
    composer.press("Enter")
    expect(page.get_by_label("Order")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(composer).to_be_focused()


def test_after_a_modal_the_keyboard_finds_the_button_that_was_drawn_anew(
    sits: Sits, office: Office, client: WebClient
) -> None:
    page = sits("rita")
    page.get_by_label("Message #ops").fill("/ops modal card")
    page.get_by_label("Message #ops").press("Enter")
    opens = page.get_by_role("button", name="Open the form")
    opens.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Order")).to_be_focused()
    office.redraws(client, "A card that changed meanwhile")
    expect(page.locator(".message").last).to_contain_text("changed meanwhile")

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opens).to_be_focused()


def test_what_comes_is_said_aloud_once_and_own_words_are_not(
    sits: Sits, workspace: Workspace
) -> None:
    workspace.person("sam").say("Before anybody looked")
    page = sits("rita")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Before anybody")
    said = page.locator("#news")
    expect(said).to_be_empty()

    workspace.person("sam").say("Hello there")
    expect(said).to_have_text("Sam (support lead): Hello there")
    workspace.person("rita").say("My own words")
    expect(page.get_by_role("log", name="Messages")).to_contain_text("My own words")
    expect(said).to_have_text("Sam (support lead): Hello there")
    workspace.person("ana").say("Look @rita", channel="#general")
    expect(said).to_contain_text("In general: ")
    assert said.get_attribute("aria-live") == "polite"


@pytest.mark.usefixtures("office")
def test_words_for_one_person_are_said_to_be_so(sits: Sits) -> None:
    page = sits("rita")

    page.get_by_label("Message #ops").fill("/ops hello")
    page.get_by_label("Message #ops").press("Enter")

    expect(page.locator("#news")).to_contain_text("only visible to you: You said hello")


def test_everything_that_can_be_pressed_has_a_name(sits: Sits, line: str) -> None:
    page = sits("rita")
    expect(page.locator(f"[id='{line}']")).to_be_visible()
    page.get_by_role("button", name="1 reply").click()
    expect(page.get_by_label("Reply…")).to_be_visible()

    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, textarea, select, input, dialog[open]')]
          .filter((one) => one.checkVisibility())
          .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim()))
          .map((one) => one.outerHTML)"""
    )
    assert nameless == []

"""The page in a real browser: what people do there, with a real Bolt app behind it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.page.office import Office

pytestmark = pytest.mark.browser
Sits = Callable[[str], Page]

# What people do is answered late, while the page hears at once what came of it.
SLOW_ANSWERS = """() => {
  const real = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    if (String(asked[0]).includes("api/act")) await new Promise((done) => setTimeout(done, 3000));
    return answer;
  };
}"""
# Slack waits a second for those who never answer.
in_vain = pytest.mark.parametrize("settings", [SandboxSettings(ack_seconds=1.0, rate_scale=None)])


def types(page: Page, words: str, *, into: str = "Message #ops") -> None:
    page.get_by_label(into).fill(words)
    page.get_by_label(into).press("Enter")


def test_a_person_chooses_who_they_are_and_sees_their_own_channels(sits: Sits) -> None:
    page = sits("")

    page.get_by_role("button", name="Ana (finance)").click()

    expect(page.get_by_role("heading", name="# ops")).to_be_visible()
    expect(page.get_by_role("button", name="Be somebody else")).to_contain_text("Ana (finance)")
    expect(page.get_by_label("Channels and direct messages")).to_contain_text("finance")


def test_somebody_who_is_not_in_a_private_channel_does_not_see_it(sits: Sits) -> None:
    page = sits("rita")

    sidebar = page.get_by_label("Channels and direct messages")
    expect(sidebar).to_contain_text("general")
    expect(sidebar).not_to_contain_text("finance")


@pytest.mark.usefixtures("office")
def test_a_form_shows_what_is_wrong_beside_its_field_and_keeps_what_was_typed(sits: Sits) -> None:
    page = sits("rita")
    types(page, "/ops form")
    page.get_by_label("Order").fill("1042")
    page.get_by_label("Amount").fill("a lot")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Please enter a valid number.")).to_be_visible()
    expect(page.get_by_label("Amount")).to_be_focused()
    page.get_by_label("Amount").fill("500")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("An order starts with ord_.")).to_be_visible()
    expect(page.get_by_label("Amount")).to_have_value("500")

    page.get_by_label("Order").fill("ord_1042")
    page.get_by_role("button", name="Run").click()

    expect(page.locator(".message").last).to_contain_text("@rita refunds 500 for ord_1042")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.usefixtures("office")
def test_a_form_is_sent_again_as_soon_as_it_says_what_is_wrong(sits: Sits) -> None:
    page = sits("rita")
    types(page, "/ops form")
    page.get_by_label("Order").fill("1042")
    page.get_by_label("Amount").fill("500")
    page.evaluate(SLOW_ANSWERS)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("An order starts with ord_.")).to_be_visible()
    page.get_by_label("Order").fill("ord_1042")
    page.get_by_role("button", name="Run").click()

    expect(page.locator(".message").last).to_contain_text("@rita refunds 500 for ord_1042")


def test_every_kind_of_field_brings_its_value_to_the_app(sits: Sits, office: Office) -> None:
    page = sits("rita")
    types(page, "/ops everything")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Words").fill("two\nlines")
    dialog.get_by_label("Menu", exact=True).select_option("green")
    for box in ("Red", "Blue"):
        dialog.get_by_role("group", name="Menus").get_by_label(box).check()
    dialog.get_by_role("radiogroup", name="Radio").get_by_label("Blue").check()
    dialog.get_by_role("group", name="Boxes").get_by_label("Red").check()
    dialog.get_by_label("Day").fill("2026-03-02")
    dialog.get_by_label("Hour").fill("10:30")
    dialog.get_by_label("Who").select_option("U0ANA")
    dialog.get_by_label("Where").select_option("C0OPS")
    dialog.get_by_role("combobox", name="Fruit").press_sequentially("ap")
    dialog.get_by_role("option", name="Apricots").click()
    paper = {"name": "plan.csv", "mimeType": "text/csv", "buffer": b"a,b\n"}
    dialog.get_by_label("Paper").set_input_files(paper)
    expect(dialog).to_contain_text("plan.csv")
    dialog.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    held = {name: next(iter(fields.values())) for name, fields in office.values[-1].items()}
    assert held["words"]["value"] == "two\nlines"
    assert held["menu"]["selected_option"]["value"] == "green"
    assert [one["value"] for one in held["menus"]["selected_options"]] == ["red", "blue"]
    assert held["radio"]["selected_option"]["value"] == "blue"
    assert [one["value"] for one in held["boxes"]["selected_options"]] == ["red"]
    assert (held["day"]["selected_date"], held["hour"]["selected_time"]) == ("2026-03-02", "10:30")
    assert held["who"]["selected_user"] == "U0ANA"
    assert held["where"]["selected_conversation"] == "C0OPS"
    assert held["mail"]["value"] is None
    assert held["fruit"]["selected_option"]["value"] == "apricots"
    assert [(one["name"], one["size"]) for one in held["paper"]["files"]] == [("plan.csv", 4)]


@pytest.mark.usefixtures("office")
def test_a_message_offers_the_shortcuts_of_the_app_by_their_names(
    sits: Sits, workspace: Workspace
) -> None:
    workspace.person("ana").say("Who refunds 1042?")
    page = sits("rita")
    page.locator(".message").filter(has_text="Who refunds 1042?").hover()
    expect(page.get_by_role("button", name="Open the door")).to_have_count(0)

    page.get_by_role("button", name="Find its run").click()

    expect(page.get_by_text("Looking for: Who refunds 1042?", exact=True)).to_be_visible()


def test_escape_goes_back_to_the_form_below_with_its_words(sits: Sits, office: Office) -> None:
    page = sits("rita")
    types(page, "/ops form")
    page.get_by_label("Order").fill("ord_7")
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_text("Nothing is known of it.")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_label("Order")).to_have_value("ord_7")
    assert office.values[-1]["order"]["field"]["value"] == "ord_7"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.usefixtures("office")
def test_a_pressed_button_changes_the_card_on_everybodys_page(sits: Sits) -> None:
    rita, ana = sits("rita"), sits("ana")
    types(rita, "/ops card")

    ana.get_by_role("button", name="Approve").click()

    expect(rita.get_by_text("Approved by @ana")).to_be_visible()
    expect(rita.get_by_role("button", name="Approve")).to_have_count(0)


def test_backing_out_of_a_question_tells_the_app_nothing(sits: Sits, office: Office) -> None:
    page = sits("rita")
    types(page, "/ops card")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("It is gone.")
    page.get_by_role("dialog").get_by_role("button", name="Back").click()
    assert office.clicks == []

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert office.was_asked_to_delete.wait(60)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert office.clicks == ["delete"]


@pytest.mark.usefixtures("office")
def test_a_whisper_is_marked_and_can_be_put_away(sits: Sits) -> None:
    ana, rita = sits("ana"), sits("rita")
    types(rita, "/ops card")
    rita.get_by_role("button", name="Why?").click()

    whisper = rita.locator(".message", has_text="Because you asked.")
    expect(whisper).to_contain_text("Only visible to you")
    expect(ana.get_by_role("button", name="Why?")).to_be_visible()
    expect(ana.get_by_text("Because you asked.")).to_have_count(0)
    whisper.get_by_role("button", name="Dismiss").click()
    expect(whisper).to_have_count(0)


@in_vain
@pytest.mark.usefixtures("office")
def test_a_click_without_an_answer_gets_a_warning_beside_its_button(sits: Sits) -> None:
    page = sits("rita")
    types(page, "/ops card")

    page.get_by_role("button", name="Broken").click()

    warning = page.get_by_role("alert").filter(has_text="This didn't work.")
    expect(warning).to_be_visible()


@in_vain
@pytest.mark.usefixtures("office")
def test_a_command_without_an_answer_is_told_in_the_channel(sits: Sits) -> None:
    page = sits("rita")

    types(page, "/ops sleep")

    failed = '/ops failed with the error "operation_timeout"'
    expect(page.locator(".message").last).to_contain_text(failed)


def test_a_command_nobody_knows_says_so_and_stays_to_be_mended(sits: Sits) -> None:
    page = sits("rita")

    types(page, "/nope now")

    expect(page.get_by_text("/nope is not a valid command.")).to_be_visible()
    expect(page.get_by_label("Message #ops")).to_have_value("/nope now")


def test_the_page_says_when_the_app_is_not_connected(sits: Sits) -> None:
    page = sits("rita")

    expect(page.get_by_text("The app is not connected")).to_be_visible()


def test_the_page_notices_when_the_app_connects(sits: Sits, request: pytest.FixtureRequest) -> None:
    page = sits("rita")
    banner = page.get_by_text("The app is not connected")
    expect(banner).to_be_visible()

    request.getfixturevalue("office")

    expect(banner).to_have_count(0)


def test_a_thread_is_read_and_answered_beside_its_channel(sits: Sits, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0OPS", text="The beginning")["ts"]
    client.chat_postMessage(channel="C0OPS", thread_ts=ts, text="The first reply")
    page = sits("rita")
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("The first reply")

    types(page, "And mine", into="Reply…")

    expect(thread.locator(".message").last).to_contain_text("And mine")
    expect(page.get_by_role("button", name="2 replies")).to_be_visible()
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()


def test_a_file_in_a_thread_opens_and_nothing_in_it_runs(sits: Sits, client: WebClient) -> None:
    root = client.chat_postMessage(channel="C0OPS", text="The week")["ts"]
    content = "<p>All of it</p><script>document.body.textContent = 'It ran'</script>"
    client.files_upload_v2(
        channel="C0OPS", thread_ts=root, filename="week.html", title="As a page", content=content
    )
    page = sits("ana")
    page.get_by_role("button", name="1 reply").click()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="As a page").click()

    expect(opened.value.get_by_text("All of it")).to_be_visible()


def test_what_others_write_appears_and_leaves_typed_words_and_the_scroll_alone(
    sits: Sits, workspace: Workspace
) -> None:
    for number in range(40):
        workspace.person("sam").say(f"Line {number}")
    page = sits("rita")
    lines = page.get_by_role("log", name="Messages")
    expect(lines).to_contain_text("Line 39")
    page.get_by_label("Message #ops").fill("half a thou")
    lines.evaluate("(node) => { node.scrollTop = 100 }")

    workspace.person("ana").say("Something new")

    expect(lines).to_contain_text("Something new")
    expect(page.get_by_label("Message #ops")).to_have_value("half a thou")
    assert lines.evaluate("(node) => node.scrollTop") == 100


def test_eight_tabs_at_once_all_stay_live(sits: Sits, workspace: Workspace) -> None:
    tabs = [sits(name) for name in ("rita", "sam", "ana", "ben", "dora", "omar", "petra", "ivan")]
    expect(tabs[-1].get_by_label("Message #ops")).to_be_visible()

    workspace.person("sam").say("Can everybody hear me?")

    for tab in tabs:
        expect(tab.locator(".message").last).to_contain_text("Can everybody hear me?")
    tabs[0].close()  # The tab that listened for the others.
    workspace.person("sam").say("And now?")
    expect(tabs[-1].locator(".message").last).to_contain_text("And now?")


def test_unread_places_are_marked_until_they_are_looked_at(
    sits: Sits, workspace: Workspace
) -> None:
    page = sits("rita")
    expect(page.get_by_role("button", name="general", exact=True)).to_be_visible()
    workspace.person("sam").say("Hello @rita", channel="#general")

    page.get_by_role("button", name="general, 1 for you").click()

    expect(page.locator(".message").last).to_contain_text("Hello @rita")
    expect(page.get_by_role("button", name="general", exact=True)).to_be_visible()


def test_a_notification_leads_to_its_message(sits: Sits, workspace: Workspace) -> None:
    page = sits("rita")
    workspace.person("sam").say("Look here @rita", channel="#general")

    page.get_by_role("button", name="Notifications, 1 new").click()
    page.locator("#notifications").get_by_role("button", name="Look here").click()

    expect(page.get_by_role("heading", name="# general")).to_be_visible()
    expect(page.locator(".message.sought")).to_contain_text("Look here")


def test_a_permalink_leads_to_its_message_in_the_thread(
    sits: Sits, client: WebClient, server: SandboxServer
) -> None:
    ts = client.chat_postMessage(channel="C0OPS", text="The beginning")["ts"]
    reply = client.chat_postMessage(channel="C0OPS", thread_ts=ts, text="The reply")["ts"]
    address = client.chat_getPermalink(channel="C0OPS", message_ts=reply)["permalink"]
    assert address.startswith(server.url)
    page = sits("rita")
    expect(page.get_by_role("button", name="1 reply")).to_be_visible()

    page.goto(address)

    expect(page.get_by_role("complementary", name="Thread")).to_contain_text("The reply")


@pytest.mark.usefixtures("office")
def test_home_shows_what_the_app_published(sits: Sits) -> None:
    page = sits("rita")

    page.get_by_role("button", name="Interlock", exact=True).click()

    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()


@pytest.mark.usefixtures("office")
def test_a_home_that_changes_keeps_the_keyboard_where_it_was(sits: Sits, client: WebClient) -> None:
    def a_home(*labels: str) -> dict[str, object]:
        buttons = [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": label},
                "action_id": f"do.{label}",
            }
            for label in labels
        ]
        return {"type": "home", "blocks": [{"type": "actions", "elements": buttons}]}

    page = sits("rita")
    page.get_by_role("button", name="Interlock", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    client.views_publish(user_id="U0RITA", view=a_home("One", "Two"))
    page.get_by_role("button", name="Two").focus()

    client.views_publish(user_id="U0RITA", view=a_home("Two", "Three"))
    expect(page.get_by_role("button", name="Three")).to_be_visible()
    stays = page.get_by_role("button", name="Two")
    expect(stays).to_be_focused()
    client.views_publish(user_id="U0RITA", view=a_home("Three"))

    expect(stays).to_have_count(0)
    expect(page.get_by_role("region", name="Home")).to_be_focused()


@pytest.mark.usefixtures("office")
def test_the_address_of_the_app_leads_to_its_home_from_anywhere(
    sits: Sits, client: WebClient, server: SandboxServer
) -> None:
    address = f"{server.url}/app_redirect?app=A0INTERLOCK&team=T0ACME&tab=home"
    client.chat_postMessage(channel="C0OPS", text=f"Look at my <{address}|Home tab>")
    page = sits("rita")

    page.get_by_role("link", name="Home tab").click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    page.goto(f"{server.url}/?as=rita")
    page.goto(address)

    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()


@pytest.mark.usefixtures("office")
def test_the_whole_journey_works_with_the_keyboard_alone(sits: Sits) -> None:
    page = sits("")
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    page.keyboard.press("Enter")  # The first person has the focus.
    expect(page.get_by_label("Message #ops")).to_be_focused()
    page.keyboard.type("/o")
    page.keyboard.press("Tab")  # Takes the command that is offered.
    page.keyboard.type("form")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Order")).to_be_focused()
    page.keyboard.type("ord_9")
    page.keyboard.press("Tab")
    page.keyboard.type("70")
    page.keyboard.press("Enter")

    expect(page.locator(".message").last).to_contain_text("@rita refunds 70 for ord_9")
    expect(page.get_by_label("Message #ops")).to_be_focused()

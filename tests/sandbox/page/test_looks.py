"""How the page looks: light and dark, wide and narrow, and by whose clock."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from sandbox.workspace import Workspace

pytestmark = pytest.mark.browser
Sits = Callable[[str], Page]

NOON = 1772452800  # 2 March 2026, 12:00 UTC.
PAIRS = (
    ("--ink", "--ground"),
    ("--ink", "--whisper"),
    ("--ink", "--sought"),
    ("--quiet", "--ground"),
    ("--quiet", "--whisper"),
    ("--link", "--ground"),
    ("--link", "--mention"),
    ("--code", "--soft"),
    ("--danger", "--raised"),
    ("--on-me", "--me"),
    ("--on-chosen", "--chosen"),
    ("--on-aubergine", "--aubergine"),
    ("--on-warning", "--warning"),
    ("--group", "--raised"),
)
COLOUR = """(name) => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}"""


def colour(page: Page, name: str) -> list[float]:
    told = str(page.evaluate(COLOUR, name))
    return [float(one) for one in re.findall(r"[\d.]+", told)[:3]]


def brightness(rgb: list[float]) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [one / 255 for one in rgb]
    r, g, b = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(page: Page, ink: str, ground: str) -> float:
    dark, bright = sorted(brightness(colour(page, one)) for one in (ink, ground))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_either_light(sits: Sits, scheme: str) -> None:
    page = sits("rita")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # One of the two it knows.
    expect(page.get_by_label("Message #ops")).to_be_visible()
    ground = brightness(colour(page, "--ground"))
    weak = {pair: contrast(page, *pair) for pair in PAIRS if contrast(page, *pair) < 4.5}

    assert weak == {}
    assert (ground > 0.5) is (scheme == "light")


def test_a_person_chooses_their_colours_and_the_browser_remembers(sits: Sits) -> None:
    page = sits("rita")
    page.emulate_media(color_scheme="light")
    button = page.get_by_role("button", name="Colours: auto")
    button.click()
    button = page.get_by_role("button", name="Colours: light")
    button.click()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert brightness(colour(page, "--ground")) < 0.1

    page.reload()

    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert brightness(colour(page, "--ground")) < 0.1
    page.get_by_role("button", name="Colours: dark").click()
    assert brightness(colour(page, "--ground")) > 0.9


def test_every_moment_stands_in_the_zone_of_whoever_looks(
    sits: Sits, workspace: Workspace, client: WebClient
) -> None:
    workspace.add_person("noor", real_name="Noor (New York)", tz="America/New_York")
    workspace.join("noor", "ops")
    text = f"Until <!date^{NOON}^{{date_num}} {{time}}|somewhen>"
    ts = client.chat_postMessage(channel="C0OPS", text=text)["ts"]
    there, here = (sits(name).locator(f"[id='m-{ts}']") for name in ("noor", "rita"))

    expect(there).to_contain_text("Until 2026-03-02 07:00")
    expect(here).to_contain_text("Until 2026-03-02 13:00")
    assert there.locator(".head time").text_content() != here.locator(".head time").text_content()


@pytest.mark.trap(34)
def test_a_clock_change_moves_what_is_shown_and_not_what_is_meant(
    sits: Sits, client: WebClient
) -> None:
    spring, autumn = 1774745940, 1792886340  # 01:59 on either night in Berlin, before the change.
    moments = (spring, spring + 60, autumn, autumn + 60, autumn + 3660)
    text = " ".join(f"<!date^{one}^{{time}}|somewhen>" for one in moments)
    ts = client.chat_postMessage(channel="C0OPS", text=text)["ts"]
    shown = sits("rita").locator(f"[id='m-{ts}'] .words")

    expect(shown).to_have_text("01:59 03:00 01:59 02:00 02:00")


@pytest.mark.trap(34)
@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-03-02T13:00", NOON),
        ("2026-07-01T10:30", 1782894600),
        ("2026-03-29T02:30", 1774747800),  # No clock in Berlin shows it: 03:30 after the change.
        ("2026-10-25T02:30", 1792891800),  # They show it twice; one of the two is meant.
    ],
)
def test_a_time_on_the_wall_is_a_moment_in_the_zone_of_the_person(
    sits: Sits, wall: str, moment: int
) -> None:
    page = sits("rita")
    expect(page.get_by_label("Message #ops")).to_be_visible()
    counted = page.evaluate(f"import('./times.js').then((times) => times.momentOf('{wall}'))")
    back = page.evaluate(f"import('./times.js').then((times) => times.wallTime({counted}))")

    assert counted in (moment, moment + 3600 * (wall.startswith("2026-10")))
    assert back == wall.replace("T02", "T03") if "03-29" in wall else back == wall


def test_unread_words_have_a_dot_and_calls_a_number(sits: Sits, workspace: Workspace) -> None:
    page = sits("rita")
    expect(page.get_by_role("button", name="general", exact=True)).to_be_visible()

    workspace.person("sam").say("Just words", channel="#general")

    unread = page.get_by_role("button", name="general, unread")
    expect(unread.locator(".dot")).to_be_visible()
    workspace.person("sam").say("For @rita", channel="#general")
    called = page.get_by_role("button", name="general, 1 for you")
    expect(called.locator(".count")).to_have_text("1")
    expect(called.locator(".dot")).to_have_count(0)


def test_on_a_phone_the_places_come_in_from_the_side(sits: Sits) -> None:
    page = sits("rita")
    page.set_viewport_size({"width": 390, "height": 780})
    places, button = page.locator("#sidebar"), page.get_by_role("button", name="Channels")
    expect(places).to_be_hidden()
    button.click()
    expect(page.get_by_role("button", name="ops", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(places).to_be_hidden()
    expect(button).to_be_focused()

    button.click()
    page.get_by_role("button", name="general", exact=True).click()

    expect(page.get_by_role("heading", name="# general")).to_be_visible()
    expect(places).to_be_hidden()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390

"""How messages look on the page: every kind of block and markup, and words that mean harm."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from slack_sdk import WebClient

import sandbox
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import SandboxSettings
from sandbox.workspace import Workspace
from tests.sandbox.page.tabs import tabs

pytestmark = pytest.mark.browser
Json = dict[str, Any]

FILES = Path(sandbox.__file__).parent / "page"
HOSTILE = """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"""


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """Run one workspace for all tests here: each looks at the newest message only."""
    with SandboxServer(SandboxSettings(rate_scale=None)) as running:
        seed(running.workspace)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, server: SandboxServer) -> Iterator[Page]:
    """Open the page as rita; what is posted appears there while she looks."""
    with tabs(browser, server.url) as open_tab:
        yield open_tab("rita")


@pytest.fixture
def shown(page: Page, client: WebClient) -> Callable[..., Locator]:
    """Post blocks, or words in the markup, and give the message on the page."""

    def show(*blocks: Json, text: str = "A message") -> Locator:
        ts = client.chat_postMessage(channel="C0OPS", text=text, blocks=list(blocks))["ts"]
        return page.locator(f"[id='m-{ts}']")

    return show


def test_markup_becomes_what_it_means(shown: Callable[..., Locator]) -> None:
    message = shown(
        text="*bold* _italic_ ~gone~ `a*b*c` <https://example.com|a link> <@U0ANA> <#C0OPS>"
        " <!subteam^S0FINANCELEADS> 2*3*4 :white_check_mark: :nothing:\n&gt; quoted\n```x\ny```"
    )

    for tag, words in {"strong": "bold", "em": "italic", "s": "gone", "code": "a*b*c"}.items():
        expect(message.locator(tag).last).to_have_text(words)
    link = message.get_by_role("link", name="a link")
    expect(link).to_have_attribute("href", "https://example.com")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(message).to_contain_text("@ana #ops @finance-leads 2*3*4 ✅ :nothing:")
    expect(message.locator("blockquote")).to_have_text("quoted")
    expect(message.locator("pre")).to_have_text("x\ny")


def test_dates_stand_in_the_zone_of_the_person(shown: Callable[..., Locator]) -> None:
    message = shown(
        text="Until <!date^1772452800^{date_num} {time}|somewhen>, <!date^x^{no}|never>"
    )

    expect(message).to_contain_text("Until 2026-03-02 13:00, never")  # Rita is in Berlin.


def test_words_that_look_like_markup_of_a_page_stay_words(
    page: Page, workspace: Workspace, shown: Callable[..., Locator]
) -> None:
    said = workspace.person("sam").say(HOSTILE)
    plain = {"type": "plain_text", "text": HOSTILE}
    cells = [{"type": "raw_text", "text": HOSTILE}]
    points = [{"label": HOSTILE[:20], "value": 1}]
    chart = {"type": "pie", "segments": points}
    blocks = [
        {"type": "section", "text": plain, "fields": [plain]},
        {"type": "context", "elements": [plain]},
        {"type": "markdown", "text": f"[click](javascript:alert) {HOSTILE}"},
        {"type": "data_table", "caption": HOSTILE, "rows": [cells, cells]},
        {"type": "data_visualization", "title": HOSTILE[:50], "chart": chart},
    ]
    message = shown(*blocks, text=HOSTILE)

    expect(message.locator(".block-data_visualization")).to_be_visible()
    expect(page.locator(f"[id='m-{said.ts}']")).to_contain_text("<img src=x onerror=")
    assert page.locator("#panes img, #panes script, #panes a[href^=javascript]").count() == 0
    assert "owned" not in page.title()


def test_no_file_of_the_page_makes_nodes_from_words() -> None:
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    found = {
        (file.name, word)
        for file in FILES.glob("*.js")
        for word in forbidden
        if word in file.read_text()
    }

    assert found == set()


def test_the_page_loads_nothing_from_elsewhere(page: Page, server: SandboxServer) -> None:
    expect(page.get_by_label("Message #ops")).to_be_visible()

    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert len(loaded) > 20
    assert [one for one in loaded if not one.startswith(server.url)] == []


def test_a_chart_shows_its_bars_its_legend_and_its_values_in_words(
    shown: Callable[..., Locator],
) -> None:
    days = ["Mon", "Tue", "Wed"]
    series = [
        {"name": name, "data": [{"label": day, "value": at} for at, day in enumerate(days, first)]}
        for first, name in ((1, "done"), (4, "failed"))
    ]
    chart = {
        "type": "bar",
        "series": series,
        "axis_config": {"categories": days, "y_label": "runs"},
    }
    message = shown({"type": "data_visualization", "title": "Runs by day", "chart": chart})

    expect(message.locator("figcaption")).to_have_text("Runs by day")
    expect(message.locator("svg[role=img] rect")).to_have_count(6)
    expect(message.locator(".legend")).to_have_text("donefailed")
    expect(message.get_by_role("img", name="done: Mon: 1, Tue: 2, Wed: 3")).to_be_visible()
    heights = message.locator("svg[role=img] rect").evaluate_all(
        "(bars) => bars.map((bar) => Math.round(Number(bar.getAttribute('height'))))"
    )
    assert heights == sorted(heights)
    assert heights[5] == pytest.approx(heights[0] * 6, abs=6)


@pytest.mark.parametrize("kind", ["line", "area"])
def test_other_charts_have_a_line_for_each_series(shown: Callable[..., Locator], kind: str) -> None:
    data = [{"label": "a", "value": 3}, {"label": "b", "value": -2}]
    chart = {
        "type": kind,
        "series": [{"name": "one", "data": data}],
        "axis_config": {"categories": ["a", "b"]},
    }
    message = shown({"type": "data_visualization", "title": "A chart", "chart": chart})

    expect(message.locator("polyline")).to_have_count(1)
    expect(message.locator("svg text", has_text="-2")).to_have_count(1)


def test_a_table_is_sorted_by_the_column_whose_head_is_pressed(
    shown: Callable[..., Locator],
) -> None:
    head = [{"type": "raw_text", "text": "Workflow"}, {"type": "raw_text", "text": "Runs"}]
    rows = [
        [{"type": "raw_text", "text": name}, {"type": "raw_number", "value": runs}]
        for name, runs in (("refund", 9), ("purge", 10), ("check", 1))
    ]
    message = shown({"type": "data_table", "caption": "By workflow", "rows": [head, *rows]})
    firsts = message.locator("tbody th")
    expect(firsts).to_have_text(["refund", "purge", "check"])

    message.get_by_role("button", name="Runs").click()

    expect(firsts).to_have_text(["check", "refund", "purge"])
    expect(message.locator("th[aria-sort=ascending]")).to_contain_text("Runs")


def test_rich_text_keeps_its_lists_and_styles(shown: Callable[..., Locator]) -> None:
    def section(words: str, **style: bool) -> Json:
        text = {"type": "text", "text": words, **({"style": style} if style else {})}
        return {"type": "rich_text_section", "elements": [text]}

    listed = {"type": "rich_text_list", "style": "bullet", "elements": [section("a"), section("b")]}
    block = {"type": "rich_text", "elements": [section("loud", bold=True, italic=True), listed]}
    message = shown(block)

    expect(message.locator("strong em")).to_have_text("loud")
    expect(message.locator("li")).to_have_text(["a", "b"])


def test_markdown_is_drawn(shown: Callable[..., Locator]) -> None:
    message = shown({"type": "markdown", "text": "# Title\n\n- **one**\n- `two`\n\n> said"})

    expect(message.locator(".heading-1")).to_have_text("Title")
    expect(message.locator("li")).to_have_text(["one", "two"])
    expect(message.locator("blockquote")).to_have_text("said")


def test_a_block_of_tomorrow_is_named_and_shown_as_it_came(
    page: Page, client: WebClient, server: SandboxServer
) -> None:
    ts = client.chat_postMessage(channel="C0OPS", text="New")["ts"]
    state = server.hub.state
    with state.lock:
        state.channels["C0OPS"].messages[ts].blocks = [{"type": "hologram", "words": "Hello"}]
    state.changed("message_changed", channel="C0OPS", ts=ts)
    message = page.locator(f"[id='m-{ts}']")

    expect(message).to_contain_text("A “hologram” block")
    expect(message).to_contain_text("Hello")

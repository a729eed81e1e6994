"""A browser, and tabs of it, each somebody, in which no script may fail."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

PATIENCE = 60_000  # Milliseconds, for a machine that does much else.
# The shell draws no window around its pages, which takes three fifths of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=PATIENCE)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium with an empty profile; skip the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("NO CHROMIUM HERE: THE PAGE IS NOT TESTED. Install chromium (`make chromium`).")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield running
        running.close()


@contextmanager
def tabs(browser: Browser, url: str) -> Iterator[Callable[[str], Page]]:
    """Give a function that opens a tab as somebody.

    A script that fails or is refused in one of the tabs fails the test.
    """
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 760}, timezone_id="UTC")
    context.set_default_timeout(PATIENCE)

    def note(message: ConsoleMessage) -> None:
        # A gesture that no person could do is answered 409, which the browser also notes.
        if message.type == "error" and "409" not in message.text:
            faults.append(message.text)

    def open_tab(name: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        page.goto(f"{url}/?as={name}" if name else url)
        return page

    yield open_tab
    context.close()
    assert faults == []

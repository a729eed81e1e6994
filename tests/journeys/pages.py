"""What people of a day do at the sandbox's page in a browser."""

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.day import Case

# Where pictures of the page are kept for whoever wants to look at them.
PICTURES = os.environ.get("INTERLOCK_PICTURES")


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, if anybody wants one."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def opens_home(page: Page) -> None:
    """Have somebody look at the app's Home."""
    page.get_by_role("button", name="Interlock", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()


def channel_of(page: Page, case: Case) -> None:
    """Have somebody go to the case's channel and open its first thread."""
    page.get_by_role("button", name=re.compile(f"^{case.channel[1:]}")).click()
    page.get_by_role("button", name=re.compile("repl")).first.click()

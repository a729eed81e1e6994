"""An approver in a real browser where the policy asks for a code: set up, confirmed, used."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.coded import App, coded_day
from tests.journeys.day import Case, Day
from tests.journeys.pages import channel_of, picture

pytestmark = pytest.mark.browser
KEY = re.compile(r"Key\s+([A-Z2-7 ]+)")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company whose refunds ask for codes."""
    with coded_day(tmp_path_factory.mktemp("coded")) as open_day:
        yield open_day


def types_code(dialog: Locator, code: str) -> None:
    dialog.get_by_role("textbox").fill(code)
    dialog.get_by_role("button", name=re.compile("^(Next|Approve)$")).click()


def test_an_approver_sets_codes_up_once_and_approves_with_one(
    case: Case, sits: Callable[[str], Page]
) -> None:
    root = case.asks()
    case.card(root)
    ana = sits("ana")
    channel_of(ana, case)
    ana.get_by_role("button", name=re.compile("^Approve")).last.click()
    ana.get_by_role("button", name="Set up codes").click()
    dialog = ana.get_by_role("dialog")
    expect(dialog).to_contain_text("authenticator app")
    picture(ana, "codes-secret")

    app = App(case.day, case.person("ana").wait_for_view("authenticator app"))
    types_code(dialog, app.fresh())
    expect(dialog).to_contain_text("tell them this number")
    ana.keyboard.press("Escape")

    ivan = sits("ivan")
    ivan.get_by_role("button", name="Messages").first.click()
    ivan.get_by_role("button", name="Confirm").click()
    asked = ivan.get_by_role("dialog")
    expect(asked).to_contain_text("Have you spoken with them?")
    asked.get_by_role("button", name="Confirm").click()
    expect(ivan.get_by_role("main")).to_contain_text("count.")

    ana.get_by_role("button", name=re.compile("^Approve")).last.click()
    expect(dialog).to_contain_text("Code from your authenticator app")
    picture(ana, "codes-asked")
    types_code(dialog, app.wrong())
    expect(dialog).to_contain_text("more of these")
    types_code(dialog, app.fresh())

    case.ends(root, "done")
    expect(ana.get_by_role("dialog")).to_have_count(0)
    secret = app.written.replace(" ", "")
    assert secret not in ana.content().replace(" ", "")

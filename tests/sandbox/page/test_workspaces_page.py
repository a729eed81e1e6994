"""The page of a sandbox with several workspaces: one tab goes from one to the other."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from tests.bot.anchors.answering import Said, answering
from tests.sandbox.page.tabs import tabs

pytestmark = pytest.mark.browser


@pytest.fixture
def redirect() -> Iterator[str]:
    """Give the address to which the app has people sent back."""
    with answering(lambda _: Said(200, b"back at the app", "text/plain")) as address:
        yield f"{address}/slack/oauth_redirect"


@pytest.fixture
def server(redirect: str) -> Iterator[SandboxServer]:
    acme = SandboxSettings(app=AppSettings(redirect_urls=(redirect,)), rate_scale=None)
    globex = acme.neighbour(team="T0GLOBEX", team_name="Globex", installed=False)
    with SandboxServer(acme, others=[globex]) as running:
        for workspace in running.workspaces.values():
            seed(workspace)
        yield running


def test_a_tab_goes_to_another_workspace_and_sees_nothing_of_the_first(
    browser: Browser, server: SandboxServer
) -> None:
    server.workspaces["T0ACME"].person("rita").say("a word of Acme")
    server.workspaces["T0GLOBEX"].person("sam").say("a word of Globex")
    with tabs(browser, server.url) as open_tab:
        page = open_tab("rita")
        expect(page.get_by_text("a word of Acme")).to_be_visible()
        page.get_by_label("Workspace").select_option(label="Globex")
        page.wait_for_url("**/t/T0GLOBEX/")
        page.get_by_role("button", name="Rita").first.click()

        expect(page.get_by_text("a word of Globex")).to_be_visible()
        expect(page.get_by_text("a word of Acme")).to_have_count(0)
        expect(page.locator("#banner")).to_have_text("Interlock is not installed in Globex.")


def test_what_is_said_in_one_workspace_appears_in_its_own_tabs(
    browser: Browser, server: SandboxServer
) -> None:
    with tabs(browser, server.url) as open_tab:
        acme = open_tab("rita")
        globex = open_tab("sam")
        globex.goto(f"{server.url}/t/T0GLOBEX/?as=sam")
        globex.get_by_role("textbox").first.fill("only here")
        globex.keyboard.press("Enter")

        expect(globex.get_by_text("only here")).to_be_visible()
        said = server.workspaces["T0GLOBEX"].messages("#ops")
        assert [one.text for one in said] == ["only here"]
        expect(acme.get_by_text("only here")).to_have_count(0)


def test_somebody_lets_the_app_in(browser: Browser, server: SandboxServer, redirect: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    app = server.settings.app
    page.goto(f"{server.url}/oauth/v2/authorize?client_id={app.client_id}&scope=commands&state=s")
    page.get_by_label("Workspace").select_option(label="Globex")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{redirect}?code=**")

    expect(page.get_by_text("back at the app")).to_be_visible()
    context.close()

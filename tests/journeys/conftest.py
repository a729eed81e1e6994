"""A whole company for each journey, once over each way of receiving."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.company import Scene, calm_stage
from tests.journeys.day import Case, Day, day_at_work
from tests.known_fields import fields_of_no_kind
from tests.sandbox.page.tabs import chromium, tabs
from tests.sandbox.payload_checks import complaints_about


@pytest.fixture(params=["socket", "http"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Give the company, once with Slack over Socket Mode and once over signed HTTP."""
    with calm_stage(tmp_path) as stage:
        yield Scene(stage=stage, over=request.param)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give one company and one bot to all journeys of a module; others judge what came of it."""
    with day_at_work(tmp_path_factory.mktemp("day")) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []
        assert fields_of_no_kind(open_day.bot.core.store.database) == set()


@pytest.fixture
def case(day: Day) -> Iterator[Case]:
    """Give a case of its own to a journey, in which nothing goes wrong yet."""
    yield Case(day)
    day.stage.slack.faults.clear()
    day.stage.shop.faults.clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one browser to all journeys of a module."""
    with chromium() as running:
        yield running


@pytest.fixture
def sits(browser: Browser, case: Case) -> Iterator[Callable[[str], Page]]:
    """Give a function that seats somebody at a tab of their own."""
    with tabs(browser, case.slack.url) as open_tab:
        yield open_tab

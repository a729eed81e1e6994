"""An owner in a real browser: what nobody can find out, they say on Home."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.day import Case
from tests.journeys.pages import opens_home, picture

pytestmark = pytest.mark.browser


def test_an_owner_reads_a_doubt_on_home_and_says_what_became_of_it(
    case: Case, sits: Callable[[str], Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = case.asks()
    card = case.card(root)
    omar = sits("omar")
    opens_home(omar)
    case.leaves_a_doubt(monkeypatch)
    case.approves("ana", card)

    home = omar.get_by_role("region", name="Home")
    happened = home.get_by_role("button", name=re.compile("It happened"))
    expect(happened).to_be_visible()
    expect(home).to_contain_text("nobody knows whether it happened")
    picture(omar, "home-owner-doubt")
    monkeypatch.undo()
    case.day.stage.shop.faults.clear()
    happened.focus()
    omar.keyboard.press("Enter")

    expect(home.get_by_role("button", name=re.compile("It happened"))).to_have_count(0)
    case.ends(root, "done")
    picture(omar, "home-owner-settled")
    assert case.refunds() == [500]
    (settled,) = [one for one in case.entries() if one.kind == "action.resolved"]
    assert settled.data["happened"] == "yes"

"""The Home tab: what waits for a person is decided there, and it follows what happens."""

import pytest

from bot.views import app_home, request_card, schedules
from sandbox.seen import SeenView
from tests.journeys.day import Case

WAITS = "Waiting for you"


def home_of(case: Case, name: str, words: str = WAITS) -> SeenView:
    """Have somebody open their Home; return it once these words stand in it."""
    person = case.person(name)
    person.open_home()
    return person.wait_for_home(words)


def block_of(home: SeenView, words: str, action_id: str) -> str:
    """Return the row of buttons that follows these words and has that button."""
    blocks = list(home.blocks)
    first = next(at for at, one in enumerate(blocks) if words in str(one))
    rows = (one for one in blocks[first:] if action_id in str(one))
    return str(next(rows)["block_id"])


def test_an_approver_decides_on_their_home_and_the_run_goes_on(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    home = home_of(case, "ana", case.order)
    row = block_of(home, case.order, request_card.APPROVE)

    case.person("ana").click(request_card.APPROVE, home=home, block_id=row)
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert "Reject" not in case.now(card).buttons
    told = case.waits(lambda: _without(case, "ana"), "a Home without the request")
    assert "You approved" in told.words


def _without(case: Case, name: str) -> SeenView | None:
    home = case.person(name).home
    assert home is not None
    return None if case.order in home.words.partition("My runs")[0] else home

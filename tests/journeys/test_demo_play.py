"""The play goes on where somebody tried things by hand and left cards open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.bot import Bot
from sandbox.demo.errors import DemoError
from sandbox.demo.play import Play, purge, refund
from sandbox.demo.transcript import Transcript
from tests.journeys.company import calm_stage

FORM = {"Order": "ord_1001", "Amount in cents": "100", "Reason": "Tried by hand"}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with calm_stage(tmp_path) as stage:
        bot = Bot(stage)
        bot.prepare()
        bot.start()
        try:
            yield Play(stage, bot, Transcript())
        finally:
            bot.stop()


def test_an_order_whose_refund_was_left_open_is_passed_over(play: Play) -> None:
    play.card(play.runs("rita", "refund-customer", FORM))
    refund(play)

    assert [one.order for one in play.stage.shop.effects()] == ["ord_1002"]
    assert [one["status"] for one in play.bot.ask("runs")[1]["runs"]] == [
        "done",
        "cancelled",
        "waiting",
    ]


def test_a_lock_that_there_is_no_way_around_is_told_in_a_sentence(play: Play) -> None:
    play.card(play.runs("petra", "purge-stale-accounts", {"Days without a visit": "700"}))

    with pytest.raises(DemoError, match="left a run open that holds the lock"):
        purge(play)

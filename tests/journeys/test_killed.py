"""The real process is killed at any moment of a refund; the next one pays exactly once."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from sandbox import faults as fault
from sandbox.demo.bot import Bot
from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, Scene, calm_stage, send_form
from tests.sandbox.payload_checks import complaints_about

# A doubt about what did not happen is settled after half a minute, on a busy machine later.
PATIENCE = 120.0
pytestmark = pytest.mark.slow
ORDERS = iter(range(1300, 1400))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bot, Stage]]:
    """Give one bot for all: whoever kills it starts it again."""
    with calm_stage(tmp_path_factory.mktemp("killed")) as stage:
        stage.slack.hub.rates.scale = None
        file = stage.workflows / "refund-customer.yaml"
        file.write_text(file.read_text().replace("timeout: 1m", "timeout: 2s"))
        bot = Bot(stage)
        bot.prepare()
        bot.start()
        try:
            yield bot, stage
            verifies(bot, stage)
        finally:
            bot.stop()
        assert complaints_about(stage.slack.recorder) == []


def verifies(bot: Bot, stage: Stage) -> None:
    """Fail unless the log of all these lives verifies with the public key alone."""
    code, head = bot.ask("audit", "head")
    assert code == 0, head
    words = ("audit", "verify", "--db", str(stage.home / "interlock.db"), "--vkey", head["vkey"])
    code, report = bot.ask(*words)
    assert (code, report["semantics"]) == (0, []), report


class Refund:
    """One refund of an order nobody else touches, watched from outside the bot."""

    def __init__(self, bot: Bot, stage: Stage) -> None:
        self.bot = bot
        self.stage = stage
        self.scene = Scene(stage=stage, over="socket")
        self.order = f"ord_{next(ORDERS)}"
        self.known = {one.ts for one in self.scene.roots()}

    def submits(self) -> None:
        rita = self.scene.person("rita")
        ends = time.monotonic() + PATIENCE
        while rita.view is None:  # A bot that was too busy to open the form says to try again.
            assert time.monotonic() < ends, [one.words for one in rita.ephemerals]
            rita.command("/ops run refund-customer", channel=OPS)
        send_form(rita, {"Order": self.order, "Amount in cents": "500", "Reason": "Broken"})

    def root(self) -> SeenMessage:
        here = self.scene.roots
        return self.scene.waits(
            lambda: next((one for one in here() if one.ts not in self.known), None),
            "the run's first message",
        )

    def card(self) -> SeenMessage:
        return self.scene.card(self.root())

    def is_approved(self) -> None:
        card = self.card()
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        ana = self.scene.person("ana")
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:  # A click that met the dead bot's line is made again.
            if ana.click(label, message=card).acked:
                return
            time.sleep(1)
        raise AssertionError([one.text for one in ana.complaints])

    def refunds(self) -> list[int]:
        return [one.amount for one in self.stage.shop.effects(self.order)]

    def killed(self) -> None:
        self.bot.kill()
        self.bot.start()

    def status(self) -> str:
        """Return how the newest run stands, read from the file as anybody could."""
        address = f"file:{self.stage.home / 'interlock.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            found = connection.execute("SELECT status FROM run ORDER BY started_at DESC LIMIT 1")
            return str(found.fetchone()[0])

    def ends_done(self) -> None:
        wait_until(lambda: self.status() == "done", "the end of the run")
        told = self.scene.waits(self._told_done, "word of it")
        assert told
        assert self.refunds() == [500]
        cards = [
            one for one in self.scene.thread(self.root()) if "(it cannot be undone)" in one.words
        ]
        assert len(cards) == 1

    def _told_done(self) -> bool | None:
        return self.scene.now(self.root()).words.startswith("✅") or None


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture
def refund(served: tuple[Bot, Stage]) -> Iterator[Refund]:
    """Give a refund to be disturbed."""
    bot, stage = served
    yield Refund(bot, stage)
    stage.slack.faults.clear()
    stage.shop.faults.clear()


def test_killed_right_after_the_form_was_taken(refund: Refund) -> None:
    refund.submits()
    refund.killed()
    refund.is_approved()

    refund.ends_done()


def test_killed_while_it_posts_the_card(refund: Refund) -> None:
    is_card = "request.approve"
    refund.stage.slack.faults.next(
        "chat.postMessage", fault.slow(2), when=lambda call: is_card in str(call.get("blocks"))
    )
    refund.submits()
    refund.card()
    refund.killed()
    refund.is_approved()

    refund.ends_done()


@pytest.mark.trap(5)
@pytest.mark.trap(17)
def test_killed_right_after_the_click(refund: Refund) -> None:
    refund.submits()
    refund.is_approved()
    refund.killed()

    refund.ends_done()


def test_killed_while_it_looks_once_more_before_the_effect(
    refund: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund.submits()
    refund.card()
    looks, is_over = threading.Event(), threading.Event()

    def holds() -> None:
        looks.set()
        is_over.wait(PATIENCE)

    with monkeypatch.context() as patch:
        patch.setattr(refund.stage.shop.faults, "dawdle", holds)
        refund.is_approved()
        assert looks.wait(PATIENCE)
        assert refund.refunds() == []
        refund.bot.kill()
        is_over.set()
    refund.bot.start()

    refund.ends_done()


def test_killed_after_the_effect_before_the_answer(
    refund: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund.submits()
    refund.card()
    is_killed = threading.Event()

    def holds() -> None:
        if refund.refunds():
            is_killed.wait(PATIENCE)

    monkeypatch.setattr(refund.stage.shop.faults, "dawdle", holds)
    refund.is_approved()
    wait_until(lambda: refund.refunds() == [500], "the refund")
    refund.bot.kill()
    is_killed.set()
    refund.bot.start()

    refund.ends_done()


def test_killed_three_times_in_a_row(refund: Refund) -> None:
    refund.submits()
    refund.card()
    refund.killed()
    refund.is_approved()
    refund.killed()
    refund.killed()

    refund.ends_done()

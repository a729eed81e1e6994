"""A whole day at the company, with one bot for many journeys that do not disturb each other.

Each case has a channel and an order of its own. Time moves when it is told to, Slack's limits
are counted by a faster clock, and at the end of the day others judge what was sent to Slack.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest

from bot.app import Bot, build_bot
from bot.clock import Clock
from bot.core import Means
from bot.opening import begin_log, open_memory
from bot.settings import Settings
from bot.workspace import enter_workspace
from sandbox.demo.stage import Stage
from sandbox.person import Person
from sandbox.seen import SeenMessage
from sandbox.server import SandboxServer
from sandbox.targets.shop_faults import Fault
from storage.history import read_run
from storage.listing import ListedRun, Wanted, list_runs
from tests.journeys.company import CALM, PATIENCE, Scene, all_heard, calm_stage, send_form
from workflows.entry import Entry, RunId
from workflows.run import Status

STAFF = ("rita", "sam", "ana", "ben", "dora", "omar", "petra", "ivan", "gil", "connie")
ORDERS = itertools.count(1100)
FASTER = 50.0
LONG = timedelta(minutes=3)  # Past an attempt's deadline and its grace.

T = TypeVar("T")


@dataclass
class Time:
    """The bot's clock: the real one, moved on by as much as a case asks for."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Day:
    """The stage with a bot on it, and a clock."""

    stage: Stage
    bot: Bot
    time: Time

    def later(self, by: timedelta) -> None:
        """Let time go by, and what is due happen."""
        self.time.ahead += by
        next(one for one in self.bot.others if isinstance(one, Clock)).look()


@contextmanager
def day_at_work(  # noqa: PLR0913 - each is something a journey may want otherwise.
    home: Path,
    *,
    over: str = "socket",
    api: Callable[[Settings], str] = lambda _: "",
    database: str = "",
    environment: Mapping[str, str] = MappingProxyType({}),
    prepare: Callable[[Stage], None] = lambda _: None,
    more_policy: str = "",
    workflow: str = "",
    times: int = CALM,
) -> Iterator[Day]:
    """Open the company and start the bot, on files that `prepare` may have changed.

    `more_policy` stands at the end of the policy, `workflow` is a file beside those shipped.
    At the address of `api` figures are shown, too. Slack and the bot wait `times` as long as they
    really do.
    """
    with calm_stage(home, times=times) as stage:
        stage.policy.write_text(stage.policy.read_text() + more_policy)
        if workflow:
            (stage.workflows / "one-more.yaml").write_text(workflow)
        prepare(stage)
        stage.slack.hub.rates.scale = None  # The bot keeps to Slack's limits in other tests.
        settings = Scene(stage=stage, over=over, database=database).settings
        address = api(settings)
        settings = settings.model_copy(update={"api": address, "metrics": address})
        now = Time()
        begin = begin_log if database else open_memory
        memory = begin(settings, now=now)
        means = Means(
            now=now,
            environment=environment,
            live_seconds=0.05,
            ticks=lambda: time.monotonic() * FASTER,
        )
        bot = build_bot(enter_workspace(settings), memory, means)
        for part in bot.parts:
            part.start()
        try:
            if settings.http:
                stage.slack.deliver_over_http(f"http://{settings.http}/slack/events")
            else:
                stage.slack.wait_for_connection(1, timeout=PATIENCE)
            yield Day(stage=stage, bot=bot, time=now)
        finally:
            for part in reversed(bot.parts):
                part.stop()
            memory.database.close()


@dataclass
class Case:
    """One journey of the day: a refund of an order that no other case touches."""

    day: Day
    channel: str = ""
    order: str = ""
    amount: int = 500
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        number = next(ORDERS)
        self.order = f"ord_{number}"
        self.channel = f"#case-{number}"
        workspace = self.day.stage.slack.workspace
        workspace.add_channel(f"case-{number}", members=list(STAFF))
        self.known = {one.id for one in self._runs()}

    @property
    def slack(self) -> SandboxServer:
        return self.day.stage.slack

    def is_heard(self) -> None:
        """Return once the bot has taken up what Slack told it of people and groups."""
        self.waits(lambda: all_heard(self.slack) or None, "the bot to hear of it")

    @property
    def form(self) -> dict[str, str]:
        return {"Order": self.order, "Amount in cents": str(self.amount), "Reason": "Broken"}

    def person(self, name: str) -> Person:
        return self.slack.workspace.person(name)

    def asks(self, name: str = "rita", **fields: str) -> SeenMessage:
        """Have somebody ask for the refund by the form; return the thread's first message."""
        person = self.person(name)
        person.command("/ops run refund-customer", channel=self.channel)
        person.wait_for_view("Order")
        became = send_form(person, {**self.form, **fields})
        what = f"the run's first message; {became}"
        return self.waits(lambda: next(iter(self.roots()), None), what)

    def card(self, root: SeenMessage, *, other_than: SeenMessage | None = None) -> SeenMessage:
        """Return the thread's open approval card, once it is there."""

        def found() -> SeenMessage | None:
            here = [one for one in self.thread(root) if "Reject" in one.buttons]
            return next((one for one in here if not other_than or one.ts != other_than.ts), None)

        return self.waits(found, "an approval card")

    def closed(self, card: SeenMessage) -> SeenMessage:
        """Return a card once nothing on it can be decided: it is told beside the run's end."""

        def look() -> SeenMessage | None:
            now = self.now(card)
            return None if "Reject" in now.buttons else now

        return self.waits(look, "a card that is closed")

    def approves(self, name: str, card: SeenMessage, *, stale: bool = False) -> None:
        self.person(name).click(approve_label(card), message=card, stale=stale)

    def refused(self, name: str, card: SeenMessage, *, stale: bool = False) -> str:
        """Have somebody press the button in vain; return what only they are told."""
        person = self.person(name)
        before = len(person.ephemerals)
        self.approves(name, card, stale=stale)
        told = self.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer")
        return told.words

    def roots(self) -> list[SeenMessage]:
        return self.slack.workspace.messages(self.channel)

    def thread(self, root: SeenMessage) -> list[SeenMessage]:
        return self.slack.workspace.messages(self.channel, thread=root)

    def now(self, message: SeenMessage) -> SeenMessage:
        found = self.slack.workspace.now(message)
        assert found is not None
        return found

    def ends(self, root: SeenMessage, how: str) -> str:
        """Return the first message's words once it says that the run ended so."""
        self.waits(lambda: self.outcome() == how or None, f"the end of the run ({how})")

        def told() -> str | None:
            words = self.now(root).words
            return words if Status(how).words in words.casefold() else None

        return self.waits(told, f"word that the run is {how}")

    def outcome(self) -> str | None:
        """Return how the case's newest run ended, None while it goes on."""
        last = self.entries()[-1]
        if last.kind == "run.cancelled":
            return "cancelled"
        return str(last.data["outcome"]) if last.kind == "run.finished" else None

    def leaves_a_doubt(self, patch: pytest.MonkeyPatch) -> None:
        """Have the refund happen, its answer be lost, and the shop talk nonsense from then on."""
        faults = self.day.stage.shop.faults
        faults.switch_on(Fault.AFTER)

        def once_it_happened() -> None:
            if self.refunds():
                faults.switch_on(Fault.GARBAGE, times=1000)

        # The shop comes by there between the refund and its answer, so nobody asks it too early.
        patch.setattr(faults, "dawdle", once_it_happened)

    def replies(self, root: SeenMessage, words: str) -> SeenMessage:
        """Return the reply in the thread that has these words, once it is there."""
        return self.waits(
            lambda: next((one for one in self.thread(root) if words in one.words), None),
            f"a reply with {words!r}",
        )

    def refunds(self) -> list[int]:
        """Return the money that really moved."""
        return [one.amount for one in self.day.stage.shop.effects(self.order)]

    def entries(self) -> list[Entry]:
        """Return the entries of the case's newest run."""
        with self.day.bot.core.memory.database.read() as connection:
            return list(read_run(connection, self.run()))

    def run(self) -> RunId:
        """Return the case's newest run."""
        return next(one.id for one in self._runs() if one.id not in self.known)

    def kinds(self) -> list[str]:
        return [one.kind for one in self.entries()]

    def waits(self, look: Callable[[], T | None], what: str) -> T:
        found = self.slack.workspace.wait_for(look, timeout=PATIENCE, what=what)
        assert found is not None
        return found

    def in_time(self, look: Callable[[], T | None], what: str) -> T:
        """Return what `look` finds while minutes go by."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if (found := look()) is not None:
                return found
            self.day.later(LONG)
            time.sleep(0.1)  # The bot works in threads of its own.
        raise AssertionError(f"waited in vain for {what}")

    def _runs(self) -> list[ListedRun]:
        wanted = Wanted(workflow="refund-customer")
        return list_runs(self.day.bot.core.memory.database, wanted)


def approve_label(card: SeenMessage) -> str:
    return next(one for one in card.buttons if one not in ("Reject", "Review"))

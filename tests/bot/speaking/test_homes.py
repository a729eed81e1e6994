"""Homes are published once for much news, durably, within Slack's limits, and never backwards."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bot.home_reading import Drawn
from bot.homes import Homes, Publishing
from bot.pacing import Pacer
from bot.slack_client import SlackClient
from sandbox import faults as fault
from sandbox.seen import SeenView
from sandbox.server import SandboxServer
from storage.home_rows import HomeRows
from storage.home_values import READS_FOR, HomeReader
from storage.store import SqlStore
from tests.bot.speaking.office import BOTH, HandClock
from workflows.entry import Ref
from workflows.errors import PeopleUnreadableError
from workflows.people import PersonId

PAUSE = 5.0


@dataclass
class Pages:
    """What each Home says: what a test last wrote here; and how often it was asked for."""

    words: dict[str, str] = field(default_factory=dict)
    drawn: int = 0
    is_partial: bool = False
    trouble: Callable[[], None] = lambda: None

    def draw(self, reader: HomeReader) -> Drawn | None:
        self.drawn += 1
        self.trouble()
        text = self.words.get(reader.ref, "")
        if not text:
            return None
        block = {"type": "section", "text": {"type": "plain_text", "text": text}}
        view: dict[str, Any] = {"type": "home", "blocks": [block]}
        return Drawn(user="U0ANA", view=view, is_partial=self.is_partial)


@dataclass
class Desk:
    """A store, a publisher under a clock that a test moves, and Ana."""

    server: SandboxServer
    store: SqlStore
    clock: HandClock
    client: SlackClient
    pages: Pages = field(default_factory=Pages)
    ana: Ref = field(default=Ref(""))
    homes: Homes = field(init=False)

    def __post_init__(self) -> None:
        with self.store.begin() as unit:
            self.ana = unit.ref(PersonId("slack:T0ACME:U0ANA"), "Ana")
        self.homes = self.another_process("one")

    @property
    def rows(self) -> HomeRows:
        return self.store.homes

    def another_process(self, name: str) -> Homes:
        return Homes(
            Publishing(
                rows=self.rows,
                draw=self.pages.draw,
                client=self.client,
                pacer=Pacer(self.clock.ticks),
                name=name,
                pause=timedelta(seconds=PAUSE),
                now=self.clock,
            )
        )

    def opens(self, *, shown: str | None = None) -> None:
        with self.store.begin() as unit:
            unit.open_home(self.ana, shown=shown)

    def says(self, words: str) -> None:
        """Have Ana's Home say something else from now on, and note that it does."""
        self.pages.words[self.ana] = words
        self.rows.renew([self.ana])

    def publishes(self, homes: Homes | None = None) -> int:
        """Publish all that may go now; return how many."""
        count = 0
        while (homes or self.homes).publish_next():
            count += 1
        return count

    @property
    def home(self) -> SeenView | None:
        return self.server.workspace.person("ana").home

    @property
    def sent(self) -> int:
        return len(self.server.recorder.calls("views.publish"))


@pytest.fixture
def desk(server: SandboxServer, store: SqlStore, clock: HandClock, client: SlackClient) -> Desk:
    made = Desk(server, store, clock, client)
    made.pages.words[made.ana] = "Nothing waits"
    return made


def words(desk: Desk) -> str:
    assert desk.home is not None
    return desk.home.words


@BOTH
def test_whoever_opens_their_home_is_shown_it_at_once(desk: Desk) -> None:
    desk.opens()

    assert desk.publishes() == 1
    assert "Nothing waits" in words(desk)


def test_nobody_is_drawn_a_home_who_never_opened_one(desk: Desk) -> None:
    desk.says("A request")

    assert desk.publishes() == 0
    assert desk.home is None


def test_somebody_who_has_not_looked_for_long_is_drawn_none_until_they_do(desk: Desk) -> None:
    desk.opens()
    desk.publishes()
    desk.clock.forward(days=READS_FOR.days + 1)
    desk.says("A request")
    before = desk.publishes()
    desk.opens()

    assert before == 0
    assert desk.publishes() == 1
    assert "A request" in words(desk)


@BOTH
def test_much_news_within_moments_is_one_home_with_the_newest_state(desk: Desk) -> None:
    desk.opens()
    desk.publishes()
    for number in range(20):
        desk.says(f"{number} requests")
    early = desk.publishes()
    desk.clock.forward(seconds=PAUSE)

    assert early == 0
    assert desk.publishes() == 1
    assert "19 requests" in words(desk)
    assert desk.sent == 2


def test_somebody_who_does_something_on_their_home_does_not_wait_for_the_pause(desk: Desk) -> None:
    desk.opens()
    desk.publishes()
    desk.says("Decided")
    desk.rows.hurry(desk.ana)

    assert desk.publishes() == 1
    assert "Decided" in words(desk)


def test_hurrying_without_news_draws_nothing(desk: Desk) -> None:
    desk.opens()
    desk.publishes()
    desk.rows.hurry(desk.ana)

    assert desk.publishes() == 0


@BOTH
def test_of_two_processes_one_draws_it(desk: Desk) -> None:
    desk.opens()
    other = desk.another_process("two")
    desk.pages.trouble = lambda: None

    assert [desk.publishes(), desk.publishes(other)] == [1, 0]


@BOTH
def test_news_that_comes_while_it_is_drawn_is_drawn_after_it(desk: Desk) -> None:
    desk.opens()

    def meanwhile() -> None:
        desk.pages.trouble = lambda: None
        desk.rows.renew([desk.ana])

    desk.pages.trouble = meanwhile
    desk.publishes()
    desk.clock.forward(seconds=PAUSE)

    assert desk.publishes() == 1


@BOTH
def test_what_a_process_that_died_had_taken_is_drawn_by_another(desk: Desk) -> None:
    desk.opens()
    taken = desk.rows.claim(by="dead")
    before = desk.publishes()
    desk.clock.forward(seconds=61)

    assert taken is not None
    assert before == 0
    assert desk.publishes() == 1


def test_a_home_that_changed_behind_our_back_is_read_again_and_published_once_more(
    desk: Desk,
) -> None:
    desk.opens()
    desk.publishes()
    desk.client.publish("U0ANA", _other(), known=None)  # Nobody noted its hash.
    desk.clock.forward(seconds=PAUSE)
    desk.says("A request")
    drawn = desk.pages.drawn

    assert desk.publishes() == 1
    assert desk.pages.drawn == drawn + 2
    assert "A request" in words(desk)
    answers = [one.answer for one in desk.server.recorder.calls("views.publish")]
    assert [one["ok"] for one in answers if one is not None] == [True, True, False, True]


def _other() -> dict[str, Any]:
    block = {"type": "section", "text": {"type": "plain_text", "text": "Something else"}}
    return {"type": "home", "blocks": [block]}


def test_a_publisher_that_was_slow_does_not_bring_back_what_was(desk: Desk) -> None:
    """Its claim ran out, another process went on; what it read before is refused by the hash."""
    desk.opens()
    desk.publishes()
    desk.clock.forward(seconds=PAUSE)
    desk.says("One")

    def slow() -> None:
        desk.pages.trouble = lambda: None
        desk.clock.forward(seconds=61)
        desk.pages.words[desk.ana] = "Two"
        assert desk.publishes(desk.another_process("two")) == 1
        desk.pages.words[desk.ana] = "One"  # What the slow one has read long ago,
        desk.pages.trouble = lambda: desk.pages.words.update({desk.ana: "Two"})  # and reads now.

    desk.pages.trouble = slow
    desk.homes.publish_next()
    guarded = [
        one.answer
        for one in desk.server.recorder.calls("views.publish")
        if one.arguments.get("hash")
    ]

    assert [one["ok"] for one in guarded if one is not None] == [True, False, True]
    assert "Two" in words(desk)


def test_slack_is_asked_no_faster_than_it_says(desk: Desk) -> None:
    desk.server.faults.next("views.publish", fault.rate_limited(7))
    desk.opens()
    desk.publishes()
    desk.clock.forward(seconds=6)
    early = desk.sent
    desk.publishes()
    desk.clock.forward(seconds=2)
    desk.publishes()

    assert early == 1
    assert desk.sent == 2
    assert "Nothing waits" in words(desk)


@pytest.mark.parametrize("lost", [fault.lose_answer(), fault.reset(), fault.server_error()])
def test_an_answer_that_was_lost_costs_a_moment(desk: Desk, lost: fault.Fault) -> None:
    desk.server.faults.next("views.publish", lost)
    desk.opens()
    desk.publishes()
    desk.clock.forward(seconds=6)
    desk.publishes()

    assert "Nothing waits" in words(desk)


def test_somebody_whom_slack_shows_no_home_is_forgotten(desk: Desk) -> None:
    desk.server.workspace.deactivate("ana")
    desk.opens()
    desk.publishes()
    desk.clock.forward(hours=1)
    desk.says("A request")

    assert desk.publishes() == 0
    assert desk.rows.reader(desk.ana) is None


def test_a_home_that_cannot_be_read_just_now_is_drawn_later(desk: Desk) -> None:
    def unreadable() -> None:
        desk.pages.trouble = lambda: None
        raise PeopleUnreadableError("Slack did not answer.")

    desk.opens()
    desk.pages.trouble = unreadable
    desk.publishes()
    desk.clock.forward(seconds=6)

    assert desk.publishes() == 1
    assert "Nothing waits" in words(desk)


def test_a_home_that_lacks_something_is_drawn_again_after_a_while(desk: Desk) -> None:
    desk.pages.is_partial = True
    desk.opens()
    desk.publishes()
    desk.pages.is_partial = False
    desk.clock.forward(seconds=30)
    early = desk.publishes()
    desk.clock.forward(seconds=31)

    assert early == 0
    assert desk.publishes() == 1


def test_a_defect_with_one_home_is_not_tried_for_ever(desk: Desk) -> None:
    def broken() -> None:
        raise ValueError("a defect")

    desk.opens()
    desk.pages.trouble = broken
    for _ in range(20):
        desk.publishes()
        desk.clock.forward(minutes=1)

    assert desk.pages.drawn == 11
    assert desk.rows.reader(desk.ana) is None


def test_a_page_that_was_turned_to_is_shown_until_home_is_opened_again(desk: Desk) -> None:
    desk.opens()
    desk.publishes()
    desk.rows.turn(desk.ana, "waiting", 5)
    turned = desk.rows.reader(desk.ana)
    at_once = desk.publishes()
    desk.opens()
    back = desk.rows.reader(desk.ana)

    assert turned is not None
    assert back is not None
    assert (turned.pages, back.pages) == ({"waiting": 5}, {})
    assert at_once == 1


def test_the_thread_publishes_what_is_told_to_it(desk: Desk) -> None:
    homes = Homes(
        Publishing(
            rows=desk.rows,
            draw=desk.pages.draw,
            client=desk.client,
            pacer=Pacer(desk.clock.ticks),
            name="thread",
            pause=timedelta(seconds=PAUSE),
            backstop=60.0,
            now=desk.clock,
        )
    )
    desk.store.on_news(homes.nudge)
    homes.start()
    try:
        desk.opens()
        shown = desk.server.workspace.person("ana").wait_for_home("Nothing waits")
    finally:
        homes.stop()

    assert shown.blocks

"""Kills the whole bot, `interlock serve` against the pretend Slack, again and again.

It is the real program with its real start-up, over Socket Mode or signed HTTP, on SQLite or
Postgres; there it only receives and delivers, and three `interlock worker`s continue the runs.
Meanwhile Slack loses, repeats and delays what it carries in both directions.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from bench.trial.cases import cases
from bench.trial.hand import Hand
from bench.trial.home import Home
from bench.trial.siege import Tally
from bench.trial.slack_crowd import SlackCrowd
from bench.trial.watch import AwayError
from sandbox import faults as fault
from sandbox.demo.bot import Bot
from sandbox.demo.errors import DemoError
from sandbox.demo.stage import Stage

LIVED = 2.5  # Seconds the bot works before a kill, at most.
STRIKE_PATIENCE = 4.0
AFTER_STRIKE = 0.05
ARRIVALS, BIRTHS, STOPS = 0.4, 0.1, 0.05
TROUBLED = 0.08  # The share of calls and deliveries of Slack that go wrong.
DRAIN = 300.0
STARTS = 5
HANDS = 3
OF_HANDS, OF_ALL = 0.6, 0.1  # The share of kills that meet a worker, and that meet everybody.
DELIVERIES = ("slash_commands", "block_actions", "view_submission")
CALLS = ("chat.postMessage", "chat.update", "conversations.history", "usergroups.list")


class BotSiege:
    """One home whose bot is killed."""

    def __init__(
        self,
        home: Home,
        stage: Stage,
        *,
        seed: str,
        transport: str,
        stop_database: Callable[[float], None] | None = None,
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_late` says when there is no time for further kills."""
        self.home = home
        self.tally = Tally(kills=Counter())
        self._kills = 0
        self._stage = stage
        words = ("serve", "--no-worker") if home.database else ("serve",)
        self._bot = Bot(stage, transport=transport, database=home.database, words=words)
        self._hands = [
            Hand(self._bot, home.folder / "keys", home.folder / f"worker-{number}")
            for number in range(HANDS if home.database else 0)
        ]
        self._chance = random.Random(f"{seed}/kills")
        self._stop_database = stop_database
        self._is_late = is_late
        wanted = cases(home.folder.name, random.Random(f"{seed}/cases"))
        self.crowd = SlackCrowd(home, wanted, stage.slack.workspace)
        stage.slack.hub.rates.scale = None  # Slack's limits are for other trials.
        _trouble(stage, self._chance.randrange(2**31))

    def run(self, kills: int) -> list[str]:
        """Kill that often, then let everything come to its end; return what did not."""
        self._kills = kills
        self._start()
        self.crowd.begin()
        try:
            while self.tally.total < kills and not self._is_late():
                self._strike()
            return self._drain()
        finally:
            self.crowd.leave()
            self._bot.stop()
            for one in self._hands:
                one.kill()

    def _strike(self) -> None:
        share, delay = self._chance.random(), self._chance.random()
        if self._stop_database is not None and share < STOPS:
            self._stop_database(self._chance.uniform(0.2, 2.0))
            self.tally.stops += 1
            self._start()
            return
        if share < BIRTHS:
            self._kill_newborn(delay)
            return
        if share < BIRTHS + ARRIVALS:
            self.home.target.struck.clear()
            self.home.target.struck.wait(STRIKE_PATIENCE)
            time.sleep(delay * AFTER_STRIKE)
            self._kill_somebody("at a request")
        else:
            time.sleep(delay * LIVED)
            self._kill_somebody("any time")
        self._start()

    def _kill_somebody(self, why: str) -> None:
        """Kill the bot; where workers stand beside it, one of them or all together as well."""
        share = self._chance.random() if self._hands else 1.0
        if share < OF_HANDS:
            self._kill_hand(self._chance.choice(self._hands), f"a worker {why}")
            return
        if share < OF_HANDS + OF_ALL:
            for one in self._hands:
                self._kill_hand(one, "all at once")
            why = "all at once"
        self._kill(why)

    def _kill_hand(self, hand: Hand, why: str) -> None:
        if self.tally.total < self._kills:
            self.tally.kills[why] += hand.is_alive
            hand.kill()

    def _kill_newborn(self, delay: float) -> None:
        """Kill the bot, and its successor before Slack can reach it."""
        self._kill("between")
        midwife = threading.Timer(0.3 + delay, self._kill, args=("being born",))
        midwife.start()
        self._start()
        midwife.join()
        self._start()

    def _kill(self, why: str) -> None:
        if self.tally.total >= self._kills:
            return  # No more than were asked for.
        # One that ended by itself, because Postgres was away, was not killed by us.
        self.tally.kills[why] += self._bot.is_alive
        self._bot.kill()

    def _start(self) -> None:
        for one in self._hands:
            one.start()
        if self._bot.is_alive:
            return
        for _ in range(STARTS):
            try:
                self._bot.start()
            except DemoError:
                if not self._bot.is_alive:
                    return  # Killed while it was being born, or its database is away.
                self._bot.kill()  # A busy machine: it is there, and not yet to be reached.
            else:
                return
        raise DemoError(f"Nobody can reach the bot. {self._bot.last_words()}")

    def _drain(self) -> list[str]:
        """Kill nothing and spoil nothing any more; wait until every case has come to its end."""
        self.crowd.close()
        self._stage.slack.faults.clear()
        ends = time.monotonic() + DRAIN
        while (left := self._unsettled()) and time.monotonic() < ends:
            time.sleep(0.5)
            self._start()
        return left

    def _unsettled(self) -> list[str]:
        if not self.crowd.has_started_all:
            return ["something is still to be started"]
        try:
            return self.crowd.unsettled()
        except AwayError:
            return ["the database is away"]


def _trouble(stage: Stage, seed: int) -> None:
    """Have Slack lose, repeat and delay, at random and always the same for a seed."""
    carried = [fault.duplicate(), fault.drop(), fault.slow(0.5)]
    called = [fault.lose_answer(), fault.reset(), fault.server_error(), fault.slow(0.5)]
    chances = dict.fromkeys(DELIVERIES, carried) | dict.fromkeys(CALLS, called)
    stage.slack.faults.randomly(chances, rate=TROUBLED, seed=seed)

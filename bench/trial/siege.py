"""Kills the processes of one home, again and again, while a crowd keeps them busy.

When to kill is decided by a seed: some time after the process works, at the instant a request
arrives at the target, or while the process is still being born. On Postgres several
processes serve; besides dying they are frozen, and woken after others took over.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from bench.trial.cases import cases
from bench.trial.engine_crowd import EngineCrowd
from bench.trial.engine_process import serve
from bench.trial.home import Home
from bench.trial.life import DiedError, Life, Nursery
from bench.trial.watch import AwayError

LIVED = 0.7  # Seconds a process works before a kill, at most.
STRIKE_PATIENCE = 1.5
AFTER_STRIKE = 0.02
ARRIVALS, BIRTHS, FROZEN, ALL_AT_ONCE = 0.45, 0.12, 0.08, 0.08
FREEZE = 2.0
DRAIN = 240.0
DRAIN_LOOK = 0.5


@dataclass(slots=True)
class Tally:
    """What a siege did."""

    kills: Counter[str] = field(default_factory=Counter)
    freezes: int = 0
    stops: int = 0  # Of Postgres.

    @property
    def total(self) -> int:
        """Return how many processes were killed."""
        return self.kills.total()


class Siege:
    """One home under siege by `kills` kills of `processes` engine processes."""

    def __init__(
        self,
        context: Nursery,
        home: Home,
        *,
        seed: str,
        processes: int = 1,
        stop_database: Callable[[float], None] | None = None,
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_late` says when there is no time for further kills."""
        self.home = home
        self.tally = Tally()
        self._kills = 0
        self._context = context
        self._chance = random.Random(f"{seed}/kills")
        self._stop_database = stop_database
        self._is_late = is_late
        self._lives: list[Life] = []
        self._processes = processes
        self._choosing = threading.Lock()
        self._routes = random.Random(f"{seed}/routes")
        self.crowd = EngineCrowd(
            home, cases(home.folder.name, random.Random(f"{seed}/cases")), self.ask
        )

    def run(self, kills: int) -> list[str]:
        """Kill that often, then let everything come to its end; return what did not."""
        self._kills = kills
        self._lives = [self._born() for _ in range(self._processes)]
        self.crowd.begin()
        try:
            while self.tally.total < kills and not self._is_late():
                self._strike()
            return self._drain()
        finally:
            self.crowd.leave()
            for one in self._lives:
                one.kill()

    def ask(self, what: str, **fields: object) -> "Future[Any]":
        """Ask one of the processes that live."""
        with self._choosing:
            able = [one for one in self._lives if one.is_alive and not one.is_frozen]
            chosen = self._routes.choice(able) if able else None
        if chosen is None:
            nobody: Future[Any] = Future()
            nobody.set_exception(DiedError("nobody serves"))
            return nobody
        return chosen.asked(what, **fields)

    def _strike(self) -> None:
        """Do the next bad thing."""
        share = self._chance.random()
        if self._stop_database is not None and share < 0.04:  # noqa: PLR2004  a share
            self._stop_database(self._chance.uniform(0.2, 2.0))
            self.tally.stops += 1
        elif self._processes > 1 and share < FROZEN:
            self._freeze_one()
        elif self._processes > 1 and share < FROZEN + ALL_AT_ONCE:
            time.sleep(self._chance.uniform(0.05, LIVED))
            self._kill(list(self._lives), "all at once")
        else:
            self._kill_one()

    def _kill_one(self) -> None:
        victim = self._chance.choice(self._lives)
        share, delay = self._chance.random(), self._chance.random()
        if share < BIRTHS:
            self._kill([victim], "between")
            time.sleep(delay * 0.2)  # Its successor is killed while it is being born.
            self._kill([self._lives[-1]], "being born")
            return
        if share < BIRTHS + ARRIVALS:
            self.home.target.struck.clear()
            self.home.target.struck.wait(STRIKE_PATIENCE)
            time.sleep(delay * AFTER_STRIKE)
            self._kill([victim], "at a request")
            return
        _wait(victim)
        time.sleep(delay * LIVED)
        self._kill([victim], "any time")

    def _kill(self, victims: list[Life], why: str) -> None:
        victims = victims[: self._kills - self.tally.total]  # No more than were asked for.
        for one in victims:
            # One that ended by itself, because Postgres was away, was not killed by us.
            self.tally.kills[why] += one.is_alive
            one.kill()
        with self._choosing:
            self._lives = [one for one in self._lives if one not in victims]
            self._lives += [self._born() for _ in victims]

    def _freeze_one(self) -> None:
        """Freeze a process in the middle of an effect, and wake it after the others went on."""
        victim = self._chance.choice(self._lives)
        self.home.target.struck.clear()
        self.home.target.struck.wait(STRIKE_PATIENCE)
        victim.freeze()
        self.tally.freezes += 1
        other = next(one for one in self._lives if one is not victim)
        self._kill([other], "beside a frozen one")  # Its successor takes over what stands.
        time.sleep(self._chance.uniform(0.3, FREEZE))
        victim.thaw()

    def _born(self) -> Life:
        return Life(self._context, serve, self.home.folder, self.home.database)

    def _drain(self) -> list[str]:
        """Kill nothing any more, and wait until every case has come to its end."""
        self.crowd.close()
        ends = time.monotonic() + DRAIN
        while (left := self._unsettled()) and time.monotonic() < ends:
            time.sleep(DRAIN_LOOK)
            self._revive()
        return left

    def _revive(self) -> None:
        """Start again what ended by itself, as a supervisor would."""
        dead = [one for one in self._lives if not one.is_alive]
        for one in dead:
            one.kill()
        with self._choosing:
            self._lives = [one for one in self._lives if one not in dead]
            self._lives += [self._born() for _ in dead]

    def _unsettled(self) -> list[str]:
        if not self.crowd.has_started_all:
            return ["something is still to be started"]
        try:
            return self.crowd.unsettled()
        except AwayError:
            return ["the database is away"]


def _wait(life: Life) -> None:
    try:
        life.wait_until_ready()
    except DiedError:
        return  # It ended by itself (Postgres was stopped); killing it is burying it.

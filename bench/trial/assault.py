"""A whole chaos trial: which homes are besieged, how each is set up, and what came of it."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.trial.bot_siege import BotSiege
from bench.trial.engine_process import settings_of
from bench.trial.home import Home, Target
from bench.trial.judge import Verdict, judge
from bench.trial.life import ROOT, Nursery
from bench.trial.postgres import CrashingPostgres
from bench.trial.siege import Siege, Tally
from sandbox.demo.stage import staged

FILES = ROOT / "bench" / "chaos"
SHIPPED = ROOT / "workflows" / "definitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of victim: its share of the kills, and on how many homes at most it dies."""

    name: str
    share: float
    least: int  # Kills of it even in a short trial: a whole bot costs seconds.
    homes: int
    fewest: int  # Kills that are worth a home of their own.


KINDS = (
    Kind(name="bot sqlite", share=0.06, least=6, homes=2, fewest=50),
    Kind(name="bot postgres", share=0.04, least=4, homes=1, fewest=50),
    Kind(name="engine postgres", share=0.35, least=0, homes=2, fewest=100),
    Kind(name="engine sqlite", share=0.55, least=0, homes=4, fewest=12),
)


@dataclass(slots=True)
class Outcome:
    """What became of one home."""

    kind: str
    home: Path
    tally: Tally
    verdict: Verdict
    left: Sequence[str]
    refusals: Sequence[str]  # Of starts, none of which had a reason.


@dataclass(slots=True)
class Chaos:
    """A whole trial: its seed, its folder, what runs and what came of it."""

    context: Nursery
    folder: Path
    seed: str
    deadline: float
    began: float = field(default_factory=time.monotonic)
    sieges: list[Siege | BotSiege] = field(default_factory=list)
    postgres: CrashingPostgres | None = None

    def engine_on_sqlite(self, name: str, kills: int) -> Outcome:
        """Kill one engine process after the other on a file."""
        with self._home(name, "") as home:
            siege = Siege(self.context, home, seed=f"{self.seed}/{name}", is_late=self._is_late)
            return self._judged(name, siege, kills)

    def engine_on_postgres(self, name: str, kills: int) -> Outcome:
        """Kill three engine processes on one database, which crashes now and then."""
        with self._home(name, self._database(name)) as home:
            siege = Siege(
                self.context,
                home,
                seed=f"{self.seed}/{name}",
                processes=3,
                stop_database=self._postgres.crash,
                is_late=self._is_late,
            )
            return self._judged(name, siege, kills)

    def bot_on_sqlite(self, name: str, kills: int) -> Outcome:
        """Kill the whole bot over Socket Mode."""
        return self._bot(name, kills, database="", transport="socket")

    def bot_on_postgres(self, name: str, kills: int) -> Outcome:
        """Kill a bot that only serves, over signed HTTP, and three workers beside it."""
        return self._bot(name, kills, database=self._database(name), transport="http")

    def _bot(self, name: str, kills: int, *, database: str, transport: str) -> Outcome:
        with ExitStack() as stack:
            stage = stack.enter_context(staged(self.folder / name, SHIPPED, port=0))
            shutil.rmtree(stage.workflows)
            home = stack.enter_context(self._home(name, database))
            siege = BotSiege(
                home,
                stage,
                seed=f"{self.seed}/{name}",
                transport=transport,
                stop_database=self._postgres.crash if database else None,
                is_late=self._is_late,
            )
            return self._judged(name, siege, kills)

    def _judged(self, name: str, siege: Siege | BotSiege, kills: int) -> Outcome:
        self.sieges.append(siege)
        try:
            left = siege.run(kills)
        except Exception as defect:  # noqa: BLE001  a home that fails does not end the others
            left = [f"the siege broke off: {defect!r}"]
        return Outcome(
            kind=name.rpartition("-")[0].replace("-", " "),
            home=siege.home.folder,
            tally=siege.tally,
            verdict=judge(siege.home, siege.crowd.accepted),
            left=left,
            refusals=siege.crowd.refusals,
        )

    @contextmanager
    def _home(self, name: str, database: str) -> Iterator[Home]:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        target = Target(self.context, folder)
        try:
            home = Home(folder, database, target=target)
            home.prepare(FILES)
            with self._postgres.kept_up() if database else nullcontext():
                home.begin(settings_of(folder, database))
            yield home
        finally:
            target.stop()

    @property
    def _postgres(self) -> CrashingPostgres:
        if self.postgres is None:
            raise RuntimeError("no Postgres was started")
        return self.postgres

    def _database(self, name: str) -> str:
        return self._postgres.new_database(name.replace("-", "_"))

    def _is_late(self) -> bool:
        return time.monotonic() > self.deadline


def planned(chaos: Chaos, kills: int, only: str) -> Iterator[Callable[[], Outcome]]:
    """Yield the homes to besiege, the slow ones first."""
    work = {
        "bot sqlite": chaos.bot_on_sqlite,
        "bot postgres": chaos.bot_on_postgres,
        "engine sqlite": chaos.engine_on_sqlite,
        "engine postgres": chaos.engine_on_postgres,
    }
    wanted = [one for one in KINDS if only in one.name]
    whole = sum(one.share for one in wanted)
    left = kills
    for number, kind in enumerate(wanted, start=1):
        share = max(kind.least, round(kills * kind.share / whole))
        share = left if number == len(wanted) else min(left, share)
        left -= share
        homes = max(1, min(kind.homes, share // kind.fewest))
        for place in range(homes):
            part = share // homes + (place < share % homes)
            name = f"{kind.name.replace(' ', '-')}-{place + 1}"
            yield partial(work[kind.name], name, part)

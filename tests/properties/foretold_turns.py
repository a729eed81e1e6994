"""Whose turn it is and when time is up, worked out from what the documents say.

Written from `docs/writing-workflows.md`, `docs/operations.md` and decision 23, but for one thing:
that a run takes its places before its lock was looked up in `workflows/claiming.py`, and stands in
the documents since. Runs contend for locks and places, wait for moments and people, and work
against a deadline. Steps of a run stand in a row; what branches and loops do is foretold in
`foretold_flows.py`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Written = Mapping[str, Any]

WORK = timedelta(minutes=20)  # How long a step works.
SPANS = {name: timedelta(minutes=int(name[:-1])) for name in ("30m", "50m", "41m", "130m")}
WAITS = {"wait": timedelta(), "ask": timedelta(hours=7), "gate": timedelta(hours=9)}


@dataclass
class RunModel:
    """One run, as it must be."""

    key: str
    definition: Written
    needs: list[tuple[str, int]]
    has: list[str] = field(default_factory=list)
    at: int = 0  # The step it has come to.
    phase: str = "new"
    until: datetime | None = None
    tried: int = 0
    worked: timedelta = timedelta()
    since: datetime | None = None  # Since when its time counts.
    has_queued: bool = False
    ended: str = ""

    @property
    def step(self) -> Written | None:
        steps = self.definition["steps"]
        return steps[self.at] if self.at < len(steps) else None

    @property
    def kind(self) -> str:
        """Return what kind of step that is; its name begins with it."""
        return "" if self.step is None else str(self.step["id"]).rstrip("0123456789")

    @property
    def has_all(self) -> bool:
        return len(self.has) == len(self.needs)

    @property
    def status(self) -> str:
        if self.ended:
            return self.ended
        if not self.has_all:
            return "queued"
        return "exception" if self.phase in ("trouble", "late") else "waiting"


class Foretold:
    """All runs, as they must be."""

    def __init__(
        self, most_runs: int | None, failures: Mapping[str, int], *, now: Callable[[], datetime]
    ) -> None:
        """`failures` says of each flaky step how often in a row it cannot be read."""
        self.runs: dict[str, RunModel] = {}
        self.acts: list[tuple[str, str, datetime]] = []  # What was done, by whom and when.
        self._most_runs, self._failures, self.now = most_runs, failures, now
        self._lines: dict[str, list[str]] = defaultdict(list)  # Who has a thing, then who waits.
        self.works: Callable[[], None] = lambda: None

    def start(self, key: str, definition: Written) -> None:
        needs = [(f"place {definition['workflow']}", definition.get("at_once", 0))]
        needs += [("house", self._most_runs or 0), (definition.get("lock", ""), 1)]
        own = [one for one in needs if one[0] and one[1]]
        self.runs[key] = RunModel(key, definition, own)

    def holders(self, thing: str, most: int) -> list[str]:
        return self._lines[thing][:most]

    def go_on(self, key: str) -> list[str]:
        """Have a run do all it can now; return those whose turn that makes it."""
        run = self.runs[key]
        while not run.ended and self._may_begin(run) and self._goes(run):
            pass
        return self._leave(run) if run.ended else []

    def _may_begin(self, run: RunModel) -> bool:
        for thing, most in run.needs[len(run.has) :]:
            if run.key not in self._lines[thing]:
                self._lines[thing].append(run.key)
            if run.key not in self.holders(thing, most):
                run.has_queued = True
                return False
            run.has.append(thing)
        return True

    def _leave(self, run: RunModel) -> list[str]:
        heirs = list[str]()
        for thing, most in run.needs:
            if run.key in self._lines[thing]:
                before = self.holders(thing, most)
                self._lines[thing].remove(run.key)
                heirs += [one for one in self.holders(thing, most) if one not in before]
        return list(dict.fromkeys(heirs))

    # --- one step after the other ----------------------------------------------------------------

    def _goes(self, run: RunModel) -> bool:
        """Do what the run has come to; say whether it goes on at once."""
        if run.at == 0 and run.phase == "new" and not run.has_queued:
            run.since = run.since or self.now()  # Else once its first step is over.
        if run.step is None:
            run.ended = "done"
            return False
        if run.phase == "new":
            return self._begin(run, run.step)
        if run.phase in ("trouble", "late") or run.until is None or run.until > self.now():
            return False
        if run.phase == "retry":
            return self._read(run)
        return self._over(run)

    def _over(self, run: RunModel) -> bool:
        """Have the moment come at which something that waits is over."""
        match run.phase:
            case "ask":
                run.phase, run.until = "trouble", None
                return False
            case "gate":
                run.ended = "expired"
                return False
            case _:
                return self._next(run)

    def _begin(self, run: RunModel, step: Written) -> bool:
        if self._is_late(run):
            run.phase = "late"
            self._stop_time(run)
            return False
        if run.kind == "work":
            self._act(run)
            self.works()
            return self._next(run)
        if run.kind == "flaky":
            run.tried = 0
            return self._read(run)
        self._stop_time(run)
        run.phase = run.kind
        run.until = self.now() + (SPANS[step["wait"]] if run.kind == "wait" else WAITS[run.kind])
        return False

    def _read(self, run: RunModel) -> bool:
        name = f"{run.key} {run.step and run.step['id']}"
        self._act(run)
        run.tried += 1
        done = sum(f"{one} {step}" == name for one, step, _ in self.acts)
        if done > self._failures.get(name, 0):
            return self._next(run)
        run.phase, run.until = "retry", None
        if run.tried == 3:
            run.phase = "trouble"
            self._stop_time(run)
        return False

    def _act(self, run: RunModel) -> None:
        assert run.step is not None
        self.acts.append((run.key, run.step["id"], self.now()))

    def _next(self, run: RunModel) -> bool:
        run.at, run.phase, run.until, run.tried = run.at + 1, "new", None, 0
        run.since = run.since or self.now()
        return True

    def _is_late(self, run: RunModel) -> bool:
        if "deadline" not in run.definition:
            return False
        going = self.now() - run.since if run.since else timedelta()
        return run.worked + going > SPANS[run.definition["deadline"]]

    def _stop_time(self, run: RunModel) -> None:
        if run.since is not None:
            run.worked, run.since = run.worked + (self.now() - run.since), None

    # --- what people do --------------------------------------------------------------------------

    def cancel(self, key: str) -> None:
        self.runs[key].ended = "cancelled"

    def agree(self, key: str) -> None:
        """Have what a run waits for be approved, and done; or be answered."""
        run = self.runs[key]
        if run.kind == "gate":
            run.since = self.now()
            self._act(run)
        self._next(run)

    def deny(self, key: str) -> None:
        self.runs[key].ended = "denied"

    def settle(self, key: str, answer: str) -> None:
        run = self.runs[key]
        match answer:
            case "retry":
                if run.phase == "late":
                    run.worked = timedelta()
                run.phase, run.tried, run.until, run.since = "new", 0, None, self.now()
            case "skip":
                self._next(run)
            case _:
                run.ended = "aborted"

    def moments(self) -> Sequence[tuple[datetime, str]]:
        """Return when something is to happen, and to whom."""
        runs = self.runs.values()
        return sorted((one.until, one.key) for one in runs if one.until and not one.ended)

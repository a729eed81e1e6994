"""The people of a trial: they start runs until one is accepted, decide, and answer doubts.

What they want is in each `Wish`; what they see is the database and, where a person would walk
over and look, the target's own log. Whatever a dying process did not answer they ask again.
How they reach the product is for `engine_crowd` and `slack_crowd`.
"""

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from bench.trial.home import Home
from bench.trial.watch import ENDS, AwayError
from bench.trial.wish import Wish
from workflows.entry import Entry, RunId
from workflows.replay import replay
from workflows.run import Phase, StepState

LOOK = 0.08
DOUBT_AGE = 3.0  # Nobody says "it did not happen" while the request may be on its way.


class Crowd(ABC):
    """Everybody who asks something of one home, in two threads."""

    def __init__(self, home: Home, cases: Iterator[Wish], *, at_once: int) -> None:
        """At most `at_once` cases are under way; more would only queue up for the processor."""
        self.accepted: dict[str, Wish] = {}
        self.refusals: list[str] = []  # Of starts, by the words they were refused with.
        self.home = home
        self.is_over = threading.Event()
        self._cases = cases
        self._at_once = at_once
        self._ended: set[str] = set()
        self._asked_about: dict[tuple[str, str], float] = {}
        self._is_closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._start_cases, daemon=True),
            threading.Thread(target=self._look_after_them, daemon=True),
        ]

    @abstractmethod
    def start(self, case: Wish) -> bool:
        """Start a case; say whether that was accepted."""

    @abstractmethod
    def decide(self, case: Wish, request: str) -> None:
        """Decide an open request, as this case does."""

    @abstractmethod
    def cancel(self, run: str) -> None:
        """Take a run back."""

    @abstractmethod
    def answer_doubt(self, run: str, step: str, *, happened: bool) -> None:
        """Say what became of an effect."""

    @abstractmethod
    def answer_exception(self, run: str, step: str, *, answer: str) -> None:
        """Say how a run goes on after a failure: retry, skip or undo."""

    def begin(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    @property
    def has_started_all(self) -> bool:
        """Whether there is nothing more to start."""
        return not self._threads[0].is_alive()

    def close(self) -> None:
        """Start nothing new; what was asked for is asked until it is accepted."""
        self._is_closed.set()

    def leave(self) -> None:
        """Ask nothing more."""
        self._is_closed.set()
        self.is_over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def unsettled(self) -> list[str]:
        """Return the accepted cases that neither ended nor are meant to wait for ever."""
        runs, requests = self.home.watch.runs(), self.home.watch.open_requests()
        found = ((name, case, *runs.get(name, ("", ""))) for name, case in self._all())
        return [
            name
            for name, case, run, status in found
            if status not in ENDS and not (case.verdict == "nobody" and run in requests)
        ]

    def _all(self) -> list[tuple[str, Wish]]:
        return list(self.accepted.items())

    def is_due(self, about: str, what: str, *, every: float) -> bool:
        """Say whether it is time to ask about this (again), and remember that we did."""
        last = self._asked_about.get((about, what))
        if last is not None and time.monotonic() - last < every:
            return False
        self._asked_about[about, what] = time.monotonic()
        return True

    def _start_cases(self) -> None:
        while not self._is_closed.is_set():
            if len(self.accepted) - len(self._ended) >= self._at_once:
                time.sleep(LOOK)
                continue
            case = next(self._cases, None)
            if case is None:
                return
            case.prepare(self.home)
            while not self.start(case) and not self.is_over.is_set():
                time.sleep(LOOK)

    def _look_after_them(self) -> None:
        while not self.is_over.wait(LOOK):
            try:
                self.look()
            except AwayError:
                continue

    def look(self) -> None:
        """See what waits for people, and do what they would do."""
        runs, requests = self.home.watch.runs(), self.home.watch.open_requests()
        for name, case in self._all():
            run, status = runs.get(name, ("", ""))
            if status in ENDS or (case.verdict == "nobody" and run in requests):
                self._ended.add(name)
            if status in ENDS:
                continue
            if case.is_cancelled and run and self.is_due(run, "cancel", every=float("inf")):
                self.cancel(run)
                continue
            if case.verdict != "nobody":
                for request in requests.get(run, []):
                    self.decide(case, request)
            every = 0.5 if status in {"in_doubt", "exception"} else 2.0  # A branch of it may be.
            if self.is_due(run, "a look", every=every):
                self._settle(case, run)

    def _settle(self, case: Wish, run: str) -> None:
        """Say what happened, or how it goes on, after a look at the target itself."""
        state = replay(RunId(run), self.home.watch.entries(run))
        for step, one in state.steps.items():
            if one.phase is Phase.IN_DOUBT and self._may_tell(case, one):
                if self.is_due(run, step, every=3.0):
                    self.answer_doubt(run, step, happened=self.has_happened(one))
            elif one.phase is Phase.EXCEPTION and self.is_due(run, f"{step}!", every=3.0):
                self.answer_exception(run, step, answer=self.wish(case, one))

    def wish(self, case: Wish, step: StepState) -> str:
        """Return how a run goes on after a failure."""
        if self.has_happened(step):
            return "skip"
        return "undo" if case.workflow == "take-back" and not takes_back(step) else "retry"

    def has_happened(self, step: StepState) -> bool:
        """Say whether the target did what a step announced."""
        return step.intended is not None and bool(self.home.happened(subject_of(step.intended)))

    def _may_tell(self, case: Wish, step: StepState) -> bool:
        """Say whether a look at the target is proof by now."""
        intended = step.intended
        if intended is None or time.time() - intended.at.timestamp() < _sure_after(case):
            return False  # The probe may still find out by itself, and the effect may yet come.
        return not self.home.target.ledger.is_busy(subject_of(intended))


def takes_back(step: StepState) -> bool:
    """Say whether a step undoes another one: it is never undone itself."""
    return step.intended is not None and str(step.intended.data["step"]).endswith("/undo")


def subject_of(intended: Entry) -> str:
    """Return the name under which the target keeps what an announced effect does."""
    args = json.loads(intended.parts["args"].value or b"{}")
    if intended.data["action"] == "shell.run":
        return str(args["args"][0])
    if intended.data["action"] == "sql.execute":
        return str(args["parameters"]["subject"])
    return str(args["path"]).rpartition("/")[2]


def _sure_after(case: Wish) -> float:
    """Return after how many seconds a person is sure. A program is dead with its bot."""
    return {"run-program": 6.0, "pay-blind": DOUBT_AGE + 2.0}.get(case.workflow, 45.0)

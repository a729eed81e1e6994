"""Runs take turns and stop in time exactly as a model foretells that was written from documents.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_foretold_turns.py
-o timeout=0` looks for hours instead of seconds.
"""

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import event, given, settings
from hypothesis import strategies as st

from storage.database import open_database
from storage.log_setup import open_journal
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.fuse import Fuse
from tests.properties.drawn_flows import Pick
from tests.properties.foretold_turns import WORK, Foretold
from tests.properties.office import Office
from tests.properties.test_foretold_flows import begun_log
from tests.world import POLICY, Clock, Named, Value, Working, World, id_of
from workflows.actions.base import Action, Call, Effect
from workflows.engine import Engine
from workflows.entry import RequestId, RunId
from workflows.errors import TransientReadError
from workflows.gate import Verdict
from workflows.orders import Ballot
from workflows.questioning import Answer

IS_LONG = os.environ.get("INTERLOCK_PROPERTIES") == "long"
SECOND = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(seconds=60)
MOST_RUNS = 6
ENDS = frozenset({"done", "denied", "expired", "aborted", "cancelled"})


class Target:
    """What was done, when, and how long it took."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.failures: dict[str, int] = {}
        self.keys: dict[RunId, str] = {}
        self.acts: list[tuple[str, str, datetime]] = []

    def act(self, call: Call, name: str) -> Value:
        key = self.keys[RunId(call.key.partition("/")[0])]
        self.acts.append((key, name, self.clock()))
        if name.startswith("work"):
            self.clock.forward(WORK)
        tries = sum(one[:2] == (key, name) for one in self.acts)
        if name.startswith("flaky") and tries <= self.failures.get(f"{key} {name}", 0):
            raise TransientReadError("not in time", error_class="timeout")
        return Value(value=1)


class ReadTurn(Action[Named, Value]):
    name: ClassVar[str] = "turn.read"
    effect: ClassVar[Effect] = Effect.READ
    takes = Named
    gives = Value

    def __init__(self, target: Target) -> None:
        self._target = target

    def perform(self, arguments: Named, call: Call) -> Value:
        return self._target.act(call, arguments.name)


class ActTurn(ReadTurn):
    name: ClassVar[str] = "turn.act"
    effect: ClassVar[Effect] = Effect.WRITE
    plans_alone: ClassVar[bool] = True

    def describe(self, arguments: Named) -> str:
        return f"do {arguments.name}"


class TurnOffice(Office):
    """An office in which runs contend."""

    def __init__(self, home: Path, *definitions: str, most_runs: int | None) -> None:
        shutil.copytree(begun_log(), home, dirs_exist_ok=True)
        self.home, self.url, self.branches = home, str(home / "interlock.db"), 1
        self.fuse, self.ids, self.clock = Fuse(), itertools.count(1), Clock()
        self.world, self.target = World(), Target(self.clock)
        self._definitions, self._policy, self._most_runs = definitions, POLICY, most_runs
        self.database = open_database(self.url)
        journal = open_journal(self.database, home, now=self.clock)
        self.store = SqlStore(self.database, journal, now=self.clock)
        self.house = self._enter(None)

    def _enter(self, before: Working | None) -> Working:
        del before
        house = Working(
            self.store,
            self.clock,
            definitions=self._definitions,
            policy=self._policy,
            most_runs=self._most_runs,
            more={one.name: one(self.target) for one in (ReadTurn, ActTurn)},
        )
        made = house._house(self.store)  # noqa: SLF001 - its own.
        house.engine = Engine(replace(made, branches=1, new_id=self.new_id))
        return house


def drawn(pick: Pick, name: str, kinds: list[str]) -> dict[str, Any]:
    """Return a workflow of such steps whose runs are in each other's way."""
    found: dict[str, Any] = {"workflow": name, "title": name}
    found |= {"owner": "@owners", "deputy": "@deputies", "run_by": ["@askers"]}
    for field, values in (
        ("lock", ["", "x", "x", "y"]),
        ("at_once", [0, 0, 1, 2]),
        ("deadline", ["", "30m", "50m"]),
    ):
        if value := pick(values):
            found[field] = value
    found["steps"] = [_step(pick, f"{pick(kinds)}{at}") for at in range(pick([1, 2, 3, 4, 5]))]
    return found


def _step(pick: Pick, name: str) -> dict[str, Any]:
    match name[:-1]:
        case "wait":
            return {"id": name, "wait": pick(["41m", "130m"])}
        case "ask":
            fields = {"value": {"type": "integer", "title": "Value"}}
            asked = {"of": ["@deciders"], "question": "How many?", "expires": "7h"}
            return {"id": name, "ask": {**asked, "fields": fields}}
        case "gate":
            approval = {"stages": [{"from": ["@deciders"], "approve": 1}], "expires": "9h"}
            own = {"uses": "turn.act", "with": {"name": name}, "undo": "none"}
            return {"id": name, **own, "approval": approval}
        case _:
            return {"id": name, "uses": "turn.read", "with": {"name": name}}


class Play:
    """Drawn runs and all that happens to them, in the model and for real."""

    def __init__(self, home: Path, pick: Pick) -> None:
        self.pick, most = pick, pick([None, 1, 2, 3])
        # When exactly something is tried again the documents leave open, so nobody works for long
        # meanwhile.
        kinds = ["wait", "ask", "gate", *pick([["work", "work"], ["flaky"]])]
        self.texts = [drawn(pick, name, kinds) for name in ("one", "two", "three")]
        texts = [json.dumps(one) for one in self.texts]
        self.office = TurnOffice(home, *texts, most_runs=most)
        self.clock, target = self.office.clock, self.office.target
        self.model_clock = Clock()
        self.model = Foretold(most, target.failures, now=self.model_clock)
        self.model.works = partial(self.model_clock.forward, WORK)
        self.runs: dict[str, RunId] = {}
        self.ready: list[str] = []  # Whom the model is to look at.
        self.is_open = False  # Several could go on at once: who is first, nothing says.
        self.done: list[str] = [f"most_runs {most}"]

    # --- what happens ----------------------------------------------------------------------------

    def happen(self) -> None:
        name, real, foretold = self.pick(list(self._possible()))
        self.done.append(f"{self.clock()} {name}")
        before = self.clock.at
        real()
        # Another process works at once, and so may have moved the clock already.
        self.model_clock.at = before if name == "restart" else self.clock.at
        foretold()
        self.office.work()
        self._settle()
        if self.is_open:
            return
        self.compare()
        self.clock.forward(SECOND)

    def _possible(self) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
        runs = self.model.runs
        if len(runs) < MOST_RUNS:
            key = f"run{len(runs)}"
            for one in self.texts:
                yield f"start {key} {one['workflow']}", *self._start(key, one)
        for key, run in runs.items():
            if run.ended:
                continue
            if self.pick([False, False, True]):
                yield f"cancel {key}", partial(self._cancel, key), partial(self._cancelled, key)
            if run.has_all and (run.until is None or run.until > self.clock()):
                yield from self._answers(key, run.phase)
        if self._moments():
            yield "time", self._time, str
            yield "time", self._time, str
        yield "nearly", self._nearly, str
        yield "restart", self.office.restart, self._restarted

    def _answers(
        self, key: str, phase: str
    ) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
        def then(change: Callable[[], None]) -> Callable[[], None]:
            def both() -> None:
                change()
                self.ready.append(key)

            return both

        if phase == "gate":
            for verdict, change in (
                (Verdict.APPROVE, partial(self.model.agree, key)),
                (Verdict.DENY, partial(self.model.deny, key)),
            ):
                yield f"{verdict.value} {key}", partial(self._vote, key, verdict), then(change)
        elif phase == "ask":
            change = partial(self.model.agree, key)
            yield f"answer {key}", partial(self._answer, key), then(change)
        elif phase in ("trouble", "late"):
            for answer in ("retry", "skip", "abort"):
                change = partial(self.model.settle, key, answer)
                yield f"{answer} {key}", partial(self._except, key, answer), then(change)

    def _start(
        self, key: str, definition: dict[str, Any]
    ) -> tuple[Callable[[], None], Callable[[], None]]:
        failures = self.pick([0, 0, 1, 2, 3, 4])

        def real() -> None:
            for step in definition["steps"]:
                self.office.target.failures[f"{key} {step['id']}"] = failures
            self.runs[key] = self.office.house.start(definition["workflow"], {})
            self.office.target.keys[self.runs[key]] = key

        def foretold() -> None:
            self.model.start(key, definition)
            self.ready.append(key)

        return real, foretold

    def _cancel(self, key: str) -> None:
        self.office.house.engine.cancel(self.runs[key], person=id_of("rita"), reason="enough")

    def _cancelled(self, key: str) -> None:
        self.model.cancel(key)
        self.ready.append(key)

    def _asked(self, key: str, kind: str) -> RequestId:
        found = [one for one in self.office.house.entries(self.runs[key]) if one.kind == kind]
        return RequestId(str(found[-1].data["request"]))

    def _vote(self, key: str, verdict: Verdict) -> None:
        asked = self._asked(key, "approval.requested")
        ballot = Ballot(request=asked, person=id_of("ana"), verdict=verdict, comment="so")
        self.office.house.engine.decide(ballot)

    def _answer(self, key: str) -> None:
        asked, run = self._asked(key, "question.asked"), self.runs[key]
        given = Answer(run=run, request=asked, person=id_of("ben"), values={"value": 2})
        self.office.house.engine.answer(given)

    def _except(self, key: str, answer: str) -> None:
        run, step = self.runs[key], self.model.runs[key].step
        assert step is not None
        engine = self.office.house.engine
        engine.settle_exception(run, step["id"], person=id_of("omar"), answer=answer)

    # --- time ------------------------------------------------------------------------------------

    def _moments(self) -> list[tuple[datetime, str]]:
        """Return what comes when; of a retry the documents say no more than that it is soon."""
        for key, run in self.model.runs.items():
            if run.phase == "retry" and not run.ended and run.until is None:
                due = [one.at for one in self.office.house.due(self.runs[key])]
                run.until = min(due)
                assert run.until <= self.clock() + LONGEST_BACKOFF, key
        return list(self.model.moments())

    def _time(self) -> None:
        self.clock.at = max(self.clock.at, self._moments()[0][0])

    def _restarted(self) -> None:
        """Have every run looked at, the oldest first."""
        self.ready += self.model.runs

    def _nearly(self) -> None:
        """Come close to the next moment; nothing happens."""
        for moment, _key in self._moments()[:1]:
            self.clock.at = max(self.clock.at, moment - 2 * SECOND)

    def _settle(self) -> None:
        """Have the model work in the order of the line, one after the other."""
        while True:
            while self.ready:
                heirs = self.model.go_on(self.ready.pop(0))
                self.is_open |= len(heirs) > 1
                self.ready += heirs
            due = [key for at, key in self.model.moments() if at <= self.model_clock.at]
            if not due:
                return
            self.is_open |= len(due) > 1
            self.ready += due

    # --- what must be so -------------------------------------------------------------------------

    def compare(self) -> None:
        acts, told = self.office.target.acts, self.model.acts
        for key in self.runs:  # Of runs that are tried again at one moment either may be first.
            own = [one for one in acts if one[0] == key]
            assert own == [one for one in told if one[0] == key], (key, own)
        assert self.clock.at == self.model_clock.at
        for key, run in self.model.runs.items():
            status = self.office.house.status(self.runs[key])
            right = {"waiting", "ready", "running"} if run.phase == "retry" else {run.status}
            assert status in (right if run.has_all and not run.ended else {run.status}), (
                key,
                status,
                run,
            )


def play(pick: Pick, tell: Callable[[str], None] = lambda _words: None) -> None:
    home = Path(tempfile.mkdtemp(prefix="interlock-turns-"))
    game = Play(home, pick)
    try:
        for _ in range(25):
            game.happen()
            if game.is_open:
                break
        assert [str(one) for one in check_projections(game.office.database)] == []
        if IS_LONG:
            game.office.check_log()
        for run in game.model.runs.values():
            tell(f"a run ends {run.ended or run.status}")
    except BaseException as error:
        error.add_note("\n".join([*map(json.dumps, game.texts), *game.done]))
        raise
    finally:
        game.office.close()
        shutil.rmtree(home)


@settings(max_examples=8 if not IS_LONG else 5_000, deadline=None)
@given(st.data())
def test_runs_take_turns_as_the_documents_say(data: st.DataObject) -> None:
    play(lambda found: found[data.draw(st.integers(0, len(found) - 1))], event)

"""Runs of drawn workflows go exactly as a model foretells that was written from the documents.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_foretold_flows.py
-o timeout=0` looks for hours instead of seconds, at other workflows each time.
"""

import atexit
import itertools
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from storage.database import open_database
from storage.log_setup import open_journal
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.fuse import Crash, Fuse
from tests.properties import drawn_flows
from tests.properties.ends import check_standing, is_waited_for
from tests.properties.foretold_flows import UNKNOWN_END, Foretold, Items, RunModel
from tests.properties.office import Office
from tests.properties.scripted_target import FATES, ActFlow, ListFlow, LookFlow, Script, Target
from tests.world import POLICY, Clock, Working, World, id_of
from workflows.actions.base import Happened
from workflows.engine import Engine
from workflows.entry import Entry, RequestId, RunId
from workflows.errors import InterlockError
from workflows.gate import Verdict
from workflows.orders import Ballot
from workflows.questioning import Answer
from workflows.replay import replay

IS_LONG = os.environ.get("INTERLOCK_PROPERTIES") == "long"
SECOND = timedelta(seconds=1)
MOST_RUNS = 4


class FlowOffice(Office):
    """An office whose actions do what a script says."""

    def __init__(self, home: Path, target: Target, *definitions: str) -> None:
        self.target = target
        shutil.copytree(begun_log(), home, dirs_exist_ok=True)
        self.home, self.url, self.branches = home, str(home / "interlock.db"), 1
        self.fuse, self.ids, self.clock = Fuse(), itertools.count(1), Clock()
        self.world = World()
        self._definitions, self._policy = definitions, POLICY
        self.database = open_database(self.url)
        journal = open_journal(self.database, home, now=self.clock)
        self.store = SqlStore(self.database, journal, now=self.clock)
        self.house = self._enter(None)

    def _enter(self, before: Working | None) -> Working:
        house = Working(
            self.store,
            self.clock,
            definitions=self._definitions,
            policy=self._policy,
            more={one.name: one(self.target) for one in (ActFlow, ListFlow, LookFlow)},
        )
        del before
        made = house._house(self.store)  # noqa: SLF001 - its own.
        house.engine = Engine(replace(made, branches=self.branches, new_id=self.new_id))
        return house

    def work(self) -> None:
        """Work until nothing is ready, through however many deaths of the process."""
        try:
            self.house.settle()
        except Crash:
            self.restart()

    def restart(self) -> None:
        try:
            super().restart()
        except Crash:
            self.restart()


@cache
def begun_log() -> Path:
    """Return a folder with a log in which nothing happened yet; to make one takes 0.2 s."""
    home = Path(tempfile.mkdtemp(prefix="interlock-begun-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    Office(home, definitions=(), policy=POLICY).close()
    return home


class Log:
    """What the entries say, read by what `docs/entry-kinds.md` says of them."""

    def __init__(self, office: FlowOffice) -> None:
        self.office = office
        self.keys: dict[str, RunId] = {}  # The run of each key of the model.

    def run_of(self, key: str) -> RunId:
        if key not in self.keys:
            parent, name, number = key.rsplit(":", 2)
            begun = [
                str(one.data["child"])
                for one in self.entries(parent)
                if one.kind == "wait.started" and one.data["step"] == name and "child" in one.data
            ]
            self.keys[key] = RunId(begun[int(number) - 1])
        return self.keys[key]

    def entries(self, key: str) -> list[Entry]:
        return self.office.house.entries(self.run_of(key))

    def began(self, run: str, steps: Sequence[str], items: Items) -> bool:
        names = {str(one.data.get("step", "")) for one in self.entries(run)}
        tails = ["/".join([step, *map(str, items)]) for step in steps]
        return any(one == tail or one.startswith(f"{tail}/") for one in names for tail in tails)

    def start_of(self, run: str) -> int:
        """Return when a run began, or queued; of those that start together either may be first."""
        told = self.entries(run)
        queued = (one for one in told if one.data.get("decision") == "queue")
        return int(next(queued, told[0]).index or 0)

    def place(self, run: str, name: str) -> int:
        found = [
            one.rseq
            for one in self.entries(run)
            if one.data.get("step") == name
            and (one.kind == "action.executed" or one.data.get("happened") == "yes")
        ]
        return found[0] if found else -1

    def effects(self, key: str) -> Counter[str]:
        """Return what really happened under the keys of a run."""
        keys, run = self.office.target.effects, f"{self.run_of(key)}/"
        return Counter({one.removeprefix(run): keys[one] for one in keys if one.startswith(run)})

    def end(self, key: str) -> str:
        """Return how a run ended, nothing if it goes on."""
        last = self.entries(key)[-1]
        if last.kind == "run.finished":
            return str(last.data["outcome"])
        return "cancelled" if last.kind == "run.cancelled" else ""

    def story(self, key: str) -> str:
        """Return what a run did, for a person who looks into a difference."""
        told = ("step", "decision", "rule", "error_class", "happened", "outcome")
        return "\n".join(
            " ".join([key, one.kind, *(str(one.data[name]) for name in told if name in one.data)])
            for one in self.entries(key)
        )

    def phases(self, key: str) -> dict[str, str]:
        """Return how each step of a run stands."""
        found: dict[str, str] = {}
        steps: dict[object, str] = {}
        newest: dict[str, object] = {}
        for one in self.entries(key):
            if one.kind in ("approval.requested", "question.asked"):
                steps[one.data["request"]] = str(one.data["step"])
            name = str(one.data.get("step") or steps.get(one.data.get("request")) or "")
            if one.kind == "action.intended":
                newest[name] = one.data["attempt"]
            if one.kind == "action.resolved" and one.data["attempt"] != newest[name]:
                continue  # The late end of an earlier attempt.
            word = _phase(one)
            if name and word:
                found[name] = word
        return found

    def request(self, key: str, name: str, kind: str = "approval.requested") -> RequestId:
        return [
            RequestId(str(one.data["request"]))
            for one in self.entries(key)
            if one.kind == kind and one.data["step"] == name
        ][-1]


def _phase(entry: Entry) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each kind.
    match entry.kind:
        case "approval.requested":
            return "asked"
        case "approval.denied" | "approval.expired":
            return "left"
        case "approval.withdrawn":
            return "off"
        case "question.asked":
            return "question"
        case "question.answered":
            return "done"
        case "wait.started":
            return "called" if entry.data.get("child") else "wait"
        case "wait.ended":
            return "done"
        case "step.observed":
            if entry.data["outcome"] == "ok":
                return "open" if entry.data["action"] == "foreach" else "done"
            return "retry" if entry.data.get("again") else "failed"
        case "decision.made":
            decision, rule = entry.data["decision"], entry.data["rule"]
            if decision == "skip":
                return "left" if rule == "item_failed" else "skipped"
            return {"exception": "trouble", "branch": "open", "retry": "again"}.get(
                str(decision), ""
            )
        case "action.intended":
            return "under way"
        case "action.executed":
            return "executed"
        case "action.failed":
            return "retry" if entry.data.get("again") else "failed"
        case "action.in_doubt":
            return "doubt"
        case "action.resolved":
            return {"yes": "executed", "no": "retry"}.get(str(entry.data["happened"]), "trouble")
        case "verification.passed":
            return "done"
        case "verification.failed" | "verification.unknown":
            return "trouble"
    return ""


MEANS = {
    "doubt": {"doubt"},
    "probing": {"doubt"},
    "verify": {"executed"},
    "done": {"done", "executed", "open", "skipped"},
    "open": {"open"},
}


def compare(model: Foretold, log: Log) -> None:
    """Raise AssertionError where a run is not as the documents say."""
    for key, run in model.runs.items():
        assert log.effects(key) == +run.effects, log.story(key)
        end = log.end(key)
        if run.ended:
            assert end in run.ended, (run.ended, log.story(key))
            continue
        assert not end, log.story(key)
        check_standing(log.office, log.run_of(key))
        if not run.ending:
            status = log.office.house.status(log.run_of(key))
            # While it is undone the cards of other exceptions still count in what it is said to be.
            assert run.is_undoing or run.status in (status, ""), (status, log.story(key))
            compare_steps(run, log)


def compare_steps(run: RunModel, log: Log) -> None:
    """Raise AssertionError where a step of a run that goes on does not stand as it should."""
    found = log.phases(run.key)
    expected = {name: one.phase for name, one in run.ones.items() if one.phase != "new"}
    if run.is_undoing:  # What the others came to is told by what is done to them.
        found = {name: one for name, one in found.items() if name.endswith("/undo")}
        expected = {name: one for name, one in expected.items() if name.endswith("/undo")}
    wrong = {
        name: (expected.get(name), found.get(name))
        for name in {*expected, *found}
        if found.get(name) not in MEANS.get(expected.get(name, ""), {expected.get(name)})
    }
    assert not wrong, (wrong, log.story(run.key))
    state = replay(log.run_of(run.key), log.entries(run.key))
    for name, one in run.ones.items():
        if one.phase in ("asked", "question", "trouble", "doubt", "called"):
            assert is_waited_for(log.office, state, name), (name, log.story(run.key))


class Play:
    """One drawn run and all that people and the world do to it, in the model and for real."""

    def __init__(self, home: Path, pick: drawn_flows.Pick) -> None:
        self.pick, self.script = pick, Script()
        self.texts = drawn_flows.drawn(pick)
        self.office = FlowOffice(home, Target(self.script), *self.texts)
        self.model = Foretold(
            [json.loads(one) for one in self.texts], self.script, now=self.office.clock
        )
        self.log = Log(self.office)
        self.model.told = self.log
        self.done: list[str] = []
        self._draw_fates()

    def _draw_fates(self) -> None:
        self.script.can_probe = self.pick([False, True])
        for text in self.texts:
            for spot in RunModel(self.model, "", json.loads(text)).spots.values():
                self._draw_fate(spot.step, len(spot.loops))

    def _draw_fate(self, step: drawn_flows.Written, loops: int) -> None:
        if step.get("uses") == "flow.list":
            kind = self.pick(["", "", "", "unreadable", "slow"])
            if kind:
                getattr(self.script, kind).add(step["id"])
        if step.get("uses") != "flow.act":
            return
        for name in (step["id"], f"{step['id']}/undo"):
            if self.pick([False, False, True]):
                self.script.unproved.add(name)
        tails = {0: [""], 1: ["/0", "/1", "/2"]}.get(loops, ["/0/0", "/0/1", "/1/0", "/0/0/0"])
        for tail in tails:
            for undo in ("", "/undo"):
                fates = self.pick([(), (), (1,), (1, 1)])
                if fates:
                    self.script.fates[step["id"] + tail + undo] = [self.pick(FATES) for _ in fates]

    def begin(self) -> None:
        self.start("main", "main")
        self.model.start("main", "main")
        self.office.work()
        self.model.settle()
        compare(self.model, self.log)

    # --- what may happen -------------------------------------------------------------------------

    def happen(self) -> bool:
        """Have one thing happen, or two, one while the other works; say whether any could."""
        possible = list(self.possible())
        if not possible:
            return False
        first = self.pick(possible)
        self.done.append(first.name)
        meanwhile = [one for one in possible if one.about != first.about and one.may_interrupt]
        if meanwhile and self.pick([False, True]):
            self._interrupt(self.pick([*meanwhile, None, None]))
        first.real()
        self.office.work()
        first.foretold()
        self.model.settle()
        self.office.target.meanwhile = lambda _key: None
        self.model.interrupted = ""
        compare(self.model, self.log)
        return True

    def _interrupt(self, second: "Happening | None") -> None:
        """Have it happen during the next effect; None is another worker that takes over."""

        said: list[str] = []

        def really(key: str) -> None:
            self.office.target.meanwhile = lambda _key: None
            run, _, name = key.partition("/")
            own = next((one for one, known in self.log.keys.items() if known == run), "")
            if not own or (second is None and self.office.target.has_killer):
                return
            self.done.append(f"  during {own} {name}: {second.name if second else 'take-over'}")
            try:
                if second is None:
                    said.extend(self._take_over(RunId(run), name))
                else:
                    second.real()
            except InterlockError:
                self.done.append("  that was refused")  # It was over by then.
            else:
                self.model.interrupted = f"{own} {name}"

        def foretold() -> str | None:
            if second is None:
                return "".join(said)
            second.foretold()
            return None

        self.office.target.meanwhile = really
        self.model.interruption = foretold

    def _take_over(self, run: RunId, name: str) -> Iterator[str]:
        """Have another worker take a run over; yield what a person then says of the doubt."""
        engine = self.office.another_worker()
        engine.advance(run)
        word = self.pick(["", "no", "no", "yes"])
        if word and not self.script.can_probe:
            with suppress(InterlockError):
                engine.settle_doubt(run, name, person=id_of("omar"), happened=Happened(word))
                self.done.append(f"    and {word} is said of it")
                yield word
                engine.advance(run)

    def possible(self) -> Iterator["Happening"]:
        found = [one for key, run in self.model.runs.items() for one in self._in(key, run)]
        if found and self.pick([False, False, False, True]):
            yield from self._rarer()
            return
        yield from found
        if self.moments():
            yield from [Happening("time", "time", self.time)] * (1 + len(found) // 4)

    def _rarer(self) -> Iterator["Happening"]:
        runs = self.model.runs
        yield Happening("restart", "restart", self.office.restart)
        if not any(one.phase in UNKNOWN_END for run in runs.values() for one in run.ones.values()):
            yield Happening("probes", "probes", self.change_probes)
        begun = sum(":" not in one for one in runs)
        if begun < MOST_RUNS:
            for workflow in ("main", "child"):
                real = partial(self.start, workflow, f"{workflow}{begun}")
                foretold = partial(self.model.start, workflow, f"{workflow}{begun}")
                yield Happening(f"start {workflow}", "start", real, foretold)
        if self.moments():
            yield Happening("nearly", "nearly", self.nearly)
        for key, run in runs.items():
            if not run.ended and not run.ending:
                yield self.cancelling(key, run)

    def _in(self, key: str, run: RunModel) -> Iterator["Happening"]:
        if run.ended:
            return
        for name, one in run.ones.items():
            match one.phase:
                case "asked":
                    yield from [self.voting(key, name, Verdict.APPROVE)] * 3
                    yield self.voting(key, name, Verdict.DENY)
                case "question":
                    yield from [self.answering(key, name)] * 3
                case "trouble":
                    for answer in self._answers(run):
                        yield self.excepting(key, name, answer)
                case "doubt":
                    for happened in ("yes", "yes", "no", "no", "unknown"):
                        yield self.doubting(key, name, happened)

    def _answers(self, run: RunModel) -> list[str]:
        found = ["retry", "retry", "retry", "skip", "skip", "skip", "abort"]
        return found + ["undo"] * (2 * bool(run.undoable()) * (not run.is_undoing))

    # --- each of it ------------------------------------------------------------------------------

    def change_probes(self) -> None:
        self.script.can_probe = not self.script.can_probe

    def start(self, workflow: str, key: str) -> None:
        self.log.keys[key] = self.office.house.start(workflow, {})

    def cancelling(self, key: str, run: RunModel) -> "Happening":
        def real() -> None:
            engine, ident = self.office.house.engine, self.log.run_of(key)
            engine.cancel(ident, person=id_of("rita"), reason="enough")

        return Happening(f"cancel {key}", key, real, run.cancel, may_interrupt=True)

    def voting(self, key: str, name: str, verdict: Verdict) -> "Happening":
        def real() -> None:
            request = self.log.request(key, name)
            ballot = Ballot(request=request, person=id_of("ana"), verdict=verdict, comment="so")
            self.office.house.engine.decide(ballot)

        run = self.model.runs[key]
        foretold = partial(run.approve if verdict is Verdict.APPROVE else run.deny, name)
        return Happening(
            f"{verdict.value} {key} {name}", f"{key} {name}", real, foretold, may_interrupt=True
        )

    def answering(self, key: str, name: str) -> "Happening":
        def real() -> None:
            asked = self.log.request(key, name, "question.asked")
            run, person = self.log.run_of(key), id_of("ben")
            given = Answer(run=run, request=asked, person=person, values={"value": 2})
            self.office.house.engine.answer(given)

        foretold = partial(self.model.runs[key].answer, name)
        return Happening(
            f"answer {key} {name}", f"{key} {name}", real, foretold, may_interrupt=True
        )

    def excepting(self, key: str, name: str, answer: str) -> "Happening":
        def real() -> None:
            engine, run = self.office.house.engine, self.log.run_of(key)
            engine.settle_exception(run, name, person=id_of("omar"), answer=answer)

        foretold = partial(self.model.runs[key].settle, name, answer)
        return Happening(
            f"{answer} {key} {name}", f"{key} {name}", real, foretold, may_interrupt=True
        )

    def doubting(self, key: str, name: str, happened: str) -> "Happening":
        def real() -> None:
            engine, run = self.office.house.engine, self.log.run_of(key)
            engine.settle_doubt(run, name, person=id_of("omar"), happened=Happened(happened))

        foretold = partial(self.model.runs[key].settle_doubt, name, happened)
        return Happening(
            f"{happened} {key} {name}", f"{key} {name}", real, foretold, may_interrupt=True
        )

    def moments(self) -> list[datetime]:
        return sorted(one for run in self.model.runs.values() for one in run.moments())

    def time(self) -> None:
        """Let the next moment come at which something is due, and all tries that are near."""
        self.office.clock.at = max(self.office.clock.at, self.moments()[0], *self._tries())

    def nearly(self) -> None:
        """Come close to that moment; nothing happens."""
        if not self._tries():
            self.office.clock.at = max(self.office.clock.at, self.moments()[0] - SECOND)

    def _tries(self) -> list[datetime]:
        """Return when at the latest something is tried again; documents say no more of it."""
        runs = self.model.runs.values()
        ones = (one for run in runs if not run.ended for one in run.ones.values())
        return [one.until for one in ones if one.phase == "retry" and one.until is not None]


@dataclass(frozen=True)
class Happening:
    """One thing that happens, for real and in the model."""

    name: str
    about: str
    real: Callable[[], object]
    foretold: Callable[[], object] = lambda: None
    may_interrupt: bool = False


def play(pick: drawn_flows.Pick, tell: Callable[[str], None] = lambda _words: None) -> None:
    home = Path(tempfile.mkdtemp(prefix="interlock-flow-"))
    game = Play(home, pick)
    try:
        game.begin()
        for _ in range(20):
            if not game.happen():
                break
        assert [str(one) for one in check_projections(game.office.database)] == []
        if IS_LONG:
            game.office.check_log()
        for run in game.model.runs.values():
            tell(f"a run ends {sorted(run.ended)}")
    except BaseException as error:
        error.add_note(game.texts[0])
        error.add_note(game.texts[1])
        error.add_note(repr((dict(game.script.fates), vars(game.script))))
        error.add_note("\n".join(game.done))
        raise
    finally:
        game.office.close()
        shutil.rmtree(home)


@settings(max_examples=50 if not IS_LONG else 5_000, deadline=None)
@given(st.data())
def test_runs_go_as_the_documents_say(data: st.DataObject) -> None:
    play(lambda found: found[data.draw(st.integers(0, len(found) - 1))], event)

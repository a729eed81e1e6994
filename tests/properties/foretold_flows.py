"""What must become of a run, worked out from what the documents say of its file and the world.

    house = Foretold(definitions, script, now=clock)
    run = house.start("main", "0001")
    house.settle()
    run.ones["pay1"].phase   # "asked", "trouble", "done", …

This is written from `docs/writing-workflows.md` and `docs/operations.md` alone. It knows nothing
of the engine; where the documents leave an order open it is told by `Told` what the log says of
it: which items had begun before a loop stopped, and in which order effects came about.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.properties.scripted_target import HAPPENS, Script

Written = Mapping[str, Any]
Items = tuple[int, ...]

OVER, BUSY, FAILED = "over", "busy", "failed"
LONGEST_BACKOFF = timedelta(seconds=60)
SECONDS_30 = timedelta(seconds=30)
WITHIN = timedelta(minutes=13)
OPEN = frozenset({"asked", "question", "wait", "called", "retry", "trouble", "verify", "approved"})
UNKNOWN_END = frozenset({"doubt", "probing"})
TO_BE_DONE = frozenset({"new", "asked", "approved"})
SPANS = {"41m": timedelta(minutes=41), "3h": timedelta(hours=3)}


class Told(Protocol):
    """What the log says where the documents promise nothing."""

    def began(self, run: str, steps: Sequence[str], items: Items) -> bool: ...
    def place(self, run: str, name: str) -> int: ...
    def start_of(self, run: str) -> int: ...


@dataclass
class One:
    """One step of a run; in a loop one for each item."""

    phase: str = "new"
    until: datetime | None = None
    tried: int = 0  # Since it began, or began again.
    attempts: int = 0  # In all.
    is_given: bool = False
    has_happened: bool = False
    code: str = ""
    calls: int = 0
    begun: int = 0
    count: int = 0
    failed: int = 0


@dataclass
class Spot:
    """Where a step stands: the loops around it, the outermost first."""

    step: Written
    loops: tuple[Written, ...]


@dataclass
class RunModel:
    """One run, as it must be."""

    house: "Foretold"
    key: str
    definition: Written
    ones: dict[str, One] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    ending: str = ""
    is_undoing: bool = False
    may_end: frozenset[str] = frozenset()  # Where the documents leave it open.
    ended: frozenset[str] = frozenset()  # More than one where the documents leave it open.
    spots: dict[str, Spot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spots = {one.step["id"]: one for one in _spots(self.definition["steps"], ())}

    # --- what people do --------------------------------------------------------------------------

    def approve(self, name: str) -> None:
        self.ones[name].phase = "approved"

    def deny(self, name: str) -> None:
        self._refuse(name, "denied")

    def answer(self, name: str) -> None:
        self.ones[name].phase, self.ones[name].is_given = "done", True

    def settle(self, name: str, answer: str) -> None:
        one = self.ones[name]
        match answer:
            case "retry":
                self._begin_anew(name)
            case "skip":
                one.phase = "done" if one.code == "verification_failed" else "skipped"
            case "abort":
                self.ending = "aborted"
            case _:
                self.is_undoing = True

    def settle_doubt(self, name: str, happened: str) -> None:
        if happened == "unknown":
            self.ending = self.ending or "aborted"
            self.may_end = frozenset({"aborted"})
            self.ones[name].phase = "off"
        elif happened == "yes":
            self._happened(name, is_given=False)
        elif self._is_ending(name):
            self.ones[name].phase = "off"
        else:
            self._begin_anew(name)

    def cancel(self) -> None:
        if self.ended or self.ending:
            return
        self.ending = "cancelled"
        if any(one.phase == "asked" and self._is_due(one) for one in self.ones.values()):
            self.may_end = frozenset({"expired"})  # At the same moment, and either comes first.

    def _begin_anew(self, name: str) -> None:
        one = self.ones[name]
        self.ones[name] = One(attempts=one.attempts, calls=one.calls)
        self.ones[name].has_happened = one.has_happened

    # --- going on --------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Do all that can be done now."""
        if self.ended:
            return
        if not self.ending and not self.house.may_begin(self):
            return
        if not self.ending and not self.is_undoing:
            state = self._sequence(self.definition["steps"], ())
            if state == OVER and not self.ending:
                self.ended = self._outcome()
        if self.ending or self.is_undoing:
            self._end()

    def _end(self) -> None:
        undoing = self.is_undoing and not self.ending
        for name, one in self.ones.items():
            if name.endswith("/undo") and undoing:
                continue
            if one.phase == "called":
                self.house.child(self.key, name, one.calls).cancel()
            if one.phase in OPEN:
                one.phase = "off"
            if one.phase == "probing":
                self._look_later(name)
        mine = [one for name, one in self.ones.items() if not (undoing and name.endswith("/undo"))]
        if any(one.phase in UNKNOWN_END for one in mine):
            return
        if not undoing:
            self.ended = self.ended or self.may_end | {self.ending}
        elif self._undo():
            self.ended = frozenset({"aborted"})
        elif self.ending:
            self._end()

    def undoable(self) -> list[str]:
        """Return what can be taken back, the last effect first."""
        found = [
            name
            for name, one in self.ones.items()
            if one.has_happened
            and not name.endswith("/undo")
            and isinstance(self._step(name).get("undo"), dict)
        ]
        return sorted(found, key=lambda one: -self.house.told.place(self.key, one))

    def _undo(self) -> bool:
        """Take back what can be; say whether all of it is."""
        return all(self._effect(f"{name}/undo") != BUSY for name in self.undoable())

    def _outcome(self) -> frozenset[str]:
        """Return how a run ends that came to its end.

        As rejected or expired where that is so of every item of some loop that was tried at all.
        """
        found = set[str]()
        for loop in dict.fromkeys(one.loops[0]["id"] for one in self.spots.values() if one.loops):
            found |= self._refused(loop)
        return frozenset({"denied"} if "denied" in found else {"expired"} if found else {"done"})

    def _refused(self, loop: str) -> set[str]:
        inside = [
            (_items_of(name), one)
            for name, one in self.ones.items()
            if self.spots[_step_of(name)].loops[:1]
            and self.spots[_step_of(name)].loops[0]["id"] == loop
        ]
        refused = {
            items: one.code
            for items, one in inside
            if one.phase == "left" and one.code in ("denied", "expired")
        }
        tried = {items for items, one in inside if one.attempts or one.calls}
        others = {one for one in tried if not any(items[: len(one)] == one for items in refused)}
        return set() if others else set(refused.values())

    # --- one after the other ---------------------------------------------------------------------

    def _sequence(self, steps: Sequence[Written], items: Items) -> str:
        for step in steps:
            state = BUSY if self.ending or self.is_undoing else self._walk(step, items)
            if state != OVER:
                return state
        return OVER

    def _walk(self, step: Written, items: Items) -> str:
        name = _named(step["id"], items)
        one = self.one(name)
        if one.phase in ("done", "skipped"):
            return OVER
        if one.phase == "left":
            return FAILED
        if one.phase in ("trouble", "doubt"):
            return BUSY
        if one.phase == "new" and "when" in step:
            holds = self._holds(step["when"], items)
            if holds is None:
                return self._fail(name, "expression")
            if not holds:
                one.phase = "skipped"
                return OVER
        return self._do(step, name, items)

    def _do(self, step: Written, name: str, items: Items) -> str:
        if "parallel" in step:
            return self._parallel(step, name, items)
        if "foreach" in step:
            return self._each(step, name, items)
        if "workflow" in step:
            return self._call(step, name)
        if "wait" in step:
            return self._wait(step, name)
        if "ask" in step:
            return self._ask(name)
        return self._list(step, name) if step["uses"] == "flow.list" else self._effect(name)

    def _holds(self, condition: str, items: Items) -> bool | None:
        if not condition.startswith("steps."):
            return False
        if not self._is_there(condition, items):
            return None
        one = self.one(_named(condition.split(".")[1], items[: self._depth(condition)]))
        match condition.rpartition(".output.")[2].split():
            case ["done", ">", "0"]:
                return one.count > one.failed
            case ["failed", *_] | ["count"]:
                return one.failed == 0
        return True

    def _is_there(self, expression: str, items: Items) -> bool:
        step = expression.split(".")[1]
        return self.one(_named(step, items[: self._depth(expression)])).is_given

    def _depth(self, expression: str) -> int:
        return len(self.spots[expression.split(".")[1]].loops)

    # --- forms -----------------------------------------------------------------------------------

    def _parallel(self, step: Written, name: str, items: Items) -> str:
        self.ones[name].phase = "open"
        states = {self._sequence(branch, items) for branch in step["parallel"].values()}
        found = BUSY if BUSY in states else FAILED if FAILED in states else OVER
        if found == OVER:
            self.ones[name].phase = "done"
        return found

    def _each(self, step: Written, name: str, items: Items) -> str:
        one, over = self.ones[name], step["foreach"][4:-3]
        if one.phase == "new":
            if over.startswith("steps.") and not self._is_there(over, items):
                return self._fail(name, "expression")
            one.phase = "open"
            one.count = 2 if over.startswith("steps.") else len(json.loads(over))
        stops, states = step["on_item_failure"] == "stop", list[str]()
        for number in range(one.count):
            inside = (*items, number)
            if number >= one.begun:
                has_stopped = stops and (FAILED in states or self._has_trouble(step, items))
                began = self.house.told.began(self.key, [*_inside(step)], inside)
                if states.count(BUSY) >= step["max_parallel"] or (has_stopped and not began):
                    break
                one.begun += 1
            states.append(self._sequence(step["steps"], inside))
        if BUSY in states or self.ending or self.is_undoing:
            return BUSY
        if stops and FAILED in states:
            return FAILED
        one.phase, one.is_given, one.failed = "done", True, states.count(FAILED)
        return OVER

    def _has_trouble(self, loop: Written, items: Items) -> bool:
        inside = set(_inside(loop))
        return any(
            one.phase == "trouble"
            and _step_of(name) in inside
            and _items_of(name)[: len(items)] == items
            for name, one in self.ones.items()
        )

    def _call(self, step: Written, name: str) -> str:
        one = self.ones[name]
        if one.phase == "new":
            if self.house.makes_circle(self.key, step["workflow"]):
                return self._fail(name, "lock_circle")
            one.phase = "called"
            one.calls += 1
            self.house.begin_child(self.key, name, one.calls, step["workflow"])
        ended = self.house.child(self.key, name, one.calls).ended
        if not ended:
            return BUSY
        if ended != {"done"}:
            return self._fail(name, "child")
        one.phase, one.is_given = "done", True
        return OVER

    def _wait(self, step: Written, name: str) -> str:
        one = self.ones[name]
        if one.phase == "new":
            one.phase, one.until = "wait", self.house.now() + SPANS[step["wait"]]
        if not self._is_due(one):
            return BUSY
        one.phase = "done"
        return OVER

    def _ask(self, name: str) -> str:
        one = self.ones[name]
        if one.phase == "new":
            one.phase, one.until = "question", self.house.now() + timedelta(hours=7)
        return self._fail(name, "unanswered") if self._is_due(one) else BUSY

    def _list(self, step: Written, name: str) -> str:
        one, script = self.ones[name], self.house.script
        if one.phase == "retry" and not self._is_due(one):
            return BUSY
        if step["id"] in script.unreadable:
            return self._fail(name, "refused")
        if step["id"] in script.slow:
            one.tried += 1
            return self._again(name, "timeout", most=1 if self.is_hasty else 3)
        one.phase, one.is_given = "done", True
        return OVER

    # --- effects ---------------------------------------------------------------------------------

    def _effect(self, name: str) -> str:
        one, step = self.one(name), self._step(name)
        if one.phase == "new" and (step["effect"] == "destructive" or "approval" in step):
            hours = 9 if "approval" in step else 24
            one.phase, one.until = "asked", self.house.now() + timedelta(hours=hours)
        if one.phase == "asked" and self._is_due(one):
            self._refuse(name, "expired")
        if one.phase == "probing":
            self._look_later(name)
        if one.phase in ("new", "approved") or (one.phase == "retry" and self._is_due(one)):
            self._attempt(name)
        if one.phase == "verify":
            self._prove(name)
        return {"done": OVER, "skipped": OVER, "left": FAILED}.get(one.phase, BUSY)

    def _attempt(self, name: str) -> None:
        one = self.ones[name]
        fate = self.house.script.fate(name, one.attempts)
        one.attempts += 1
        one.tried += 1
        self.effects[name] += fate in HAPPENS
        interruption = self.house.interrupts(self.key, name)
        if interruption is not None:
            self._be_overtaken(name, fate, interruption)
            return
        match fate:
            case "done":
                self._happened(name)
            case "refused" | "partly":
                self._fail(name, fate)
            case "unreachable":
                self._again(name, fate, most=self._most(name))
            case _:
                self._look(name)

    def _be_overtaken(self, name: str, fate: str, said: str) -> None:
        """Have another worker take over and a person say of the doubt; then the answer comes."""
        attempts = self.ones[name].attempts
        self._look(name)
        self.go_on()
        if said and self.ones[name].phase == "doubt":
            self.settle_doubt(name, said)
            self.go_on()
        one = self.ones[name]
        if one.attempts != attempts or fate.startswith("lost"):
            one.has_happened |= fate == "done"  # What is under way anew goes on.
        elif one.phase == "done" and fate == "done":
            one.is_given = True  # That it happened was known; what it gave was not.
        elif one.phase in (*UNKNOWN_END, *TO_BE_DONE):
            self._come_late(name, fate)

    def _come_late(self, name: str, fate: str) -> None:
        """Have the answer of a worker settle the doubt that its silence raised."""
        one = self.ones[name]
        if fate == "done":
            self._happened(name)
        elif self._is_ending(name):
            one.phase = "off"
        elif fate == "partly":  # Some of it stands, which is for a person to look at.
            one.phase = "trouble"
        elif one.phase in UNKNOWN_END:
            self._again(name, fate, most=self._most(name))

    def _look(self, name: str) -> None:
        """Look whether an attempt had its effect whose end nobody saw."""
        one, script = self.ones[name], self.house.script
        if script.can_probe and not self.effects[name]:
            timeout = SECONDS_30 if self.is_hasty else timedelta(minutes=10)
            one.phase, one.until = "probing", self.house.now() + timeout + SECONDS_30
        elif script.can_probe or self._is_proved(name):
            self._happened(name, is_given=False)
        else:
            one.phase = "doubt"

    def _look_later(self, name: str) -> None:
        one, script = self.ones[name], self.house.script
        if not self._is_due(one):
            return
        if not script.can_probe or self.effects[name]:
            self._look(name)
        elif self._is_ending(name):
            one.phase = "off"
        else:
            self._again(name, "in_doubt", most=self._most(name))

    def _is_proved(self, name: str) -> bool:
        step = self._step(name)
        return "verify" in step and step["verify"]["with"]["name"] not in self.house.script.unproved

    def _happened(self, name: str, *, is_given: bool = True) -> None:
        """Have it count as done; what it answered is not there if nobody heard it."""
        one, step = self.ones[name], self._step(name)
        one.has_happened, one.is_given = True, is_given
        if "verify" not in step:
            one.phase = "done"
            return
        one.phase, one.until = "verify", self.house.now() + WITHIN
        if not self._is_ending(name):
            self._prove(name)

    def _prove(self, name: str) -> None:
        one = self.ones[name]
        if self._is_proved(name):
            one.phase = "done"
        elif self._is_due(one):
            one.phase, one.code = "trouble", "verification_failed"

    # --- failing ---------------------------------------------------------------------------------

    def _again(self, name: str, code: str, *, most: int) -> str:
        one = self.ones[name]
        if one.tried >= most:
            return self._fail(name, code)
        one.phase, one.until = "retry", self.house.now() + LONGEST_BACKOFF
        return BUSY

    def _fail(self, name: str, code: str) -> str:
        """Leave the item behind if a loop says so, else have a person asked."""
        one = self.ones[name]
        one.code = code
        one.phase = "left" if self._goes_on_without(name) else "trouble"
        return FAILED if one.phase == "left" else BUSY

    def _refuse(self, name: str, outcome: str) -> None:
        one = self.ones[name]
        if self._goes_on_without(name):
            one.phase, one.code = "left", outcome
        elif name.endswith("/undo"):
            one.phase = "off"
            self.ended = frozenset({"aborted", outcome})
            self.ending = outcome
        else:
            one.phase, self.ending = "off", outcome

    def _goes_on_without(self, name: str) -> bool:
        if name.endswith("/undo"):
            return False
        return any(one["on_item_failure"] == "continue" for one in self.spots[_step_of(name)].loops)

    # --- small -----------------------------------------------------------------------------------

    def one(self, name: str) -> One:
        return self.ones.setdefault(name, One())

    def _step(self, name: str) -> Written:
        step = self.spots[_step_of(name)].step
        found: Written = step["undo"] if name.endswith("/undo") else step
        return found

    def _most(self, name: str) -> int:
        usual = {"attempts": 1 if self.is_hasty else 3}
        return int(self._step(name).get("retry", usual)["attempts"])

    def _is_due(self, one: One) -> bool:
        return one.until is not None and one.until <= self.house.now()

    def _is_ending(self, name: str) -> bool:
        return bool(self.ending) or (self.is_undoing and not name.endswith("/undo"))

    @property
    def is_hasty(self) -> bool:
        return bool(self.definition.get("mode") == "best_effort")

    @property
    def status(self) -> str:
        """Return what the run is said to be: of what its branches wait for the gravest."""
        if not self.house.may_begin(self):
            return "queued"
        phases = {one.phase for one in self.ones.values()}
        if phases & UNKNOWN_END:
            return "in_doubt"
        if "trouble" in phases:
            return "exception"
        return "waiting" if phases & {"asked", "question", "wait", "called"} else ""

    def moments(self) -> Iterator[datetime]:
        """Yield the moments at which something is to happen."""
        for one in self.ones.values():
            timed = one.phase in ("asked", "question", "wait", "retry", "verify", "probing")
            if timed and one.until is not None and not self.ended:
                yield one.until


class Foretold:
    """All runs, as they must be."""

    def __init__(
        self, definitions: Sequence[Written], script: Script, *, now: Callable[[], datetime]
    ) -> None:
        self._definitions = {str(one["workflow"]): one for one in definitions}
        self.script, self.now = script, now
        self.runs: dict[str, RunModel] = {}
        self.told: Told
        self.queues: dict[str, list[str]] = {}  # Who needs a thing, whoever has it first.
        self.interrupted = ""  # In which effect something else happened,
        self.interruption: Callable[[], str | None] = str  # and what.

    def start(self, workflow: str, key: str) -> RunModel:
        self.runs[key] = RunModel(self, key, self._definitions[workflow])
        if needed := self._needed(workflow):
            self.queues.setdefault(needed, []).append(key)
        return self.runs[key]

    def interrupts(self, run: str, name: str) -> str | None:
        """Have happen what happened while that effect was under way, once.

        Where another worker took over, return what a person said of the doubt meanwhile.
        """
        if self.interrupted != f"{run} {name}":
            return None
        self.interrupted = ""
        return self.interruption()

    def _needed(self, workflow: str) -> str:
        """Return the lock or the place that a run needs."""
        definition = self._definitions[workflow]
        return str(definition.get("lock", workflow if "at_once" in definition else ""))

    def may_begin(self, run: RunModel) -> bool:
        return self._holder(self._needed(run.definition["workflow"])) in (run.key, None)

    def _holder(self, needed: str) -> str | None:
        """Return the first of those that need a thing; they queued in the order they came."""
        queue = [one for one in self.queues.get(needed, []) if not self.runs[one].ended]
        return min(queue, key=self.told.start_of, default=None)

    def makes_circle(self, parent: str, workflow: str) -> bool:
        """Say whether a run would have to wait for one that waits for who starts it."""
        seen, found = set[str](), [self._holder(self._needed(workflow))]
        while found:
            one = found.pop()
            if one is not None and one not in seen:
                seen.add(one)
                found += self._waited_for(one)
        return parent in seen

    def _waited_for(self, key: str) -> list[str | None]:
        run = self.runs[key]
        called = [
            f"{key}:{name}:{one.calls}" for name, one in run.ones.items() if one.phase == "called"
        ]
        return [self._holder(self._needed(run.definition["workflow"])), *called]

    def begin_child(self, parent: str, name: str, number: int, workflow: str) -> None:
        self.start(workflow, f"{parent}:{name}:{number}")

    def child(self, parent: str, name: str, number: int) -> RunModel:
        return self.runs[f"{parent}:{name}:{number}"]

    def settle(self) -> None:
        """Have every run go on until none can."""
        before = None
        while before != (before := self._standing()):
            for run in list(self.runs.values()):
                run.go_on()

    def _standing(self) -> str:
        every = ((run.key, run.ended, run.ending, sorted(run.ones.items())) for run in self._all())
        return repr([(*rest, [(name, vars(one)) for name, one in ones]) for *rest, ones in every])

    def _all(self) -> list[RunModel]:
        return list(self.runs.values())


def _spots(steps: Sequence[Written], loops: tuple[Written, ...]) -> Iterator[Spot]:
    for step in steps:
        yield Spot(step, loops)
        for branch in step.get("parallel", {}).values():
            yield from _spots(branch, loops)
        if "foreach" in step:
            yield from _spots(step["steps"], (*loops, step))


def _inside(loop: Written) -> Iterator[str]:
    return (one.step["id"] for one in _spots(loop["steps"], ()))


def _named(step: str, items: Items) -> str:
    return "/".join([step, *map(str, items)])


def _step_of(name: str) -> str:
    return name.partition("/")[0]


def _items_of(name: str) -> Items:
    return tuple(int(one) for one in name.removesuffix("/undo").split("/")[1:])

"""The way a run went, held against what its file says of order, loops, locks and time.

Everything here is worked out from entries and the file; the engine's own walk is not asked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from workflows.definition import Definition
from workflows.definition_flow import Flow, ForEach, Parallel
from workflows.definition_steps import Step
from workflows.entry import Entry, RunId
from workflows.fault import Place
from workflows.instances import instance, is_undo, items_of, step_of
from workflows.replay import after
from workflows.run import OVER, Phase, RunState
from workflows.telling import ENDS

STOPS = frozenset({"cancel", "abort"})
ACTS = frozenset({"action.intended", "question.asked", "approval.requested", "wait.started"})


@dataclass(frozen=True)
class Map:
    """Where each step of a file stands: the sequence it is in, and what is around it."""

    sequences: Mapping[Place, Sequence[Flow]]
    places: Mapping[str, Place]

    @classmethod
    def of(cls, definition: Definition) -> "Map":
        found = dict(_sequences(("steps",), definition.steps))
        places = {name: node.path for name, node in definition.outline.items()}
        return cls(found, places)

    def before(self, step: str) -> Sequence[Flow]:
        """Return the steps that stand before one in its own sequence."""
        place = self.places[step]
        return self.sequences[place[:-1]][: int(place[-1])]


def _sequences(path: Place, steps: Sequence[Flow]) -> Iterator[tuple[Place, Sequence[Flow]]]:
    yield path, steps
    for at, step in enumerate(steps):
        if isinstance(step, ForEach):
            yield from _sequences((*path, at, "steps"), step.steps)
        elif isinstance(step, Parallel):
            for name, branch in step.parallel.items():
                yield from _sequences((*path, at, "parallel", name), branch)


def check_way(version: Callable[[str], Definition], run: RunId, entries: Sequence[Entry]) -> None:
    """Raise AssertionError where a run went another way than its file says.

    What happened before it was moved is held against the version that it was on then.
    """
    state, definition = RunState(id=run), version(str(entries[0].data["version"]))
    for entry in entries:
        _check_entry(definition, state, entry)
        state = after(state, entry)
        if entry.kind == "run.moved":
            definition = version(str(entry.data["to"]))
        _check_items(definition, state)
    if entries[-1].kind in ENDS and entries[-1].data.get("outcome") == "done":
        assert all(_is_over(step, (), state) for step in definition.steps), "done before its end"


def _check_entry(definition: Definition, state: RunState, entry: Entry) -> None:
    name = str(entry.data.get("step") or "")
    begins = name and state.step(name).phase is Phase.PENDING and not is_undo(name)
    if begins and entry.data.get("decision") not in STOPS:
        _check_turn(definition, name, state)
    if entry.kind in ACTS:
        assert not state.is_ending, (name, entry.kind)
    if entry.kind == "wait.ended" and entry.data["cause"] == "time":
        until = state.step(name).until
        assert until is not None
        assert entry.at >= until


def _check_turn(definition: Definition, name: str, state: RunState) -> None:
    """A step begins once all before it are over, in an item that was not left behind."""
    items, loops = items_of(name), definition.outline[step_of(name)].loops
    assert len(items) == len(loops), name
    for step in Map.of(definition).before(step_of(name)):
        one = instance(step.id, items)
        assert _is_over(step, items, state), (name, "begins before the end of", one)
    for depth, loop in enumerate(loops):
        one = state.step(instance(loop.id, items[:depth]))
        assert one.phase is Phase.OBSERVED, (name, "begins outside of", loop.id)
        assert isinstance(one.output, list)
        assert items[depth] < len(one.output)


def _is_over(step: Flow, items: tuple[int, ...], state: RunState) -> bool:
    one = state.step(instance(step.id, items))
    if one.phase not in OVER or one.is_left:
        return False
    if one.phase is Phase.OBSERVED and isinstance(step, Parallel):
        branches = (one for branch in step.parallel.values() for one in branch)
        return all(_is_over(inner, items, state) for inner in branches)
    if one.phase is Phase.OBSERVED and isinstance(step, ForEach):
        every = [(*items, number) for number in range(len(one.output or ()))]  # type: ignore[arg-type]
        return all(_is_item_over(step, each, state) for each in every)
    is_proved = not isinstance(step, Step) or step.verify is None
    return is_proved or one.phase is not Phase.EXECUTED


def _is_item_over(loop: ForEach, items: tuple[int, ...], state: RunState) -> bool:
    """Say whether an item came to its end, or was left behind at a step of it."""
    if all(_is_over(step, items, state) for step in loop.steps):
        return True
    return bool(_left_in(loop.steps, items, state))


def _left_in(steps: Sequence[Flow], items: tuple[int, ...], state: RunState) -> list[str]:
    """Return the steps because of which an item is left behind, however deep they stand."""
    found = []
    for step in steps:
        name = instance(step.id, items)
        one = state.step(name)
        if one.is_left or (one.phase is Phase.REFUSED and one.refusal in ("denied", "expired")):
            found.append(name)
        if isinstance(step, Parallel):
            for branch in step.parallel.values():
                found += _left_in(branch, items, state)
        if isinstance(step, ForEach):
            for number in range(len(one.output) if isinstance(one.output, list) else 0):
                found += _left_in(step.steps, (*items, number), state)
    return found


def _check_items(definition: Definition, state: RunState) -> None:
    """No loop has more items under way than it says; those that wait together are left out."""
    for node in definition.outline.values():
        loop = node.step
        if not isinstance(loop, ForEach):
            continue
        alive: dict[tuple[int, ...], set[int]] = defaultdict(set)
        inside = {one.step.id for one in definition.outline.values() if loop in one.loops}
        depth = len(node.loops)
        for name, one in state.steps.items():
            if step_of(name) not in inside or is_undo(name):
                continue
            together = one.asked is not None and "batch" in one.asked.data
            items = items_of(name)
            if not together and not _is_item_over(loop, items[: depth + 1], state):
                alive[items[:depth]].add(items[depth])
        for around, numbers in alive.items():
            assert len(numbers) <= loop.max_parallel, (loop.id, around, numbers)


def check_locks(runs: Mapping[str, Sequence[Entry]], keys: Mapping[str, str | None]) -> None:
    """No two runs of one lock are at work at the same time: by their places in the log."""
    spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for run, entries in runs.items():
        key = keys[run]
        work = [one for one in entries if one.kind in ACTS or one.kind == "step.observed"]
        if key is not None and work:
            ended = entries[-1].kind in ENDS
            last = int(entries[-1].index or 0) if ended else 10**9
            spans[key].append((int(work[0].index or 0), last, run))
    for key, every in spans.items():
        for (_, last, run), (begins, _, other) in zip(
            sorted(every), sorted(every)[1:], strict=False
        ):
            assert last < begins, (key, run, other)


def check_places(runs: Mapping[str, Sequence[Entry]], at_once: Mapping[str, int]) -> None:
    """No more runs of a workflow are at work at the same time than its file says."""
    changes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entries in runs.values():
        workflow = str(entries[0].data["workflow"])
        work = [one for one in entries if one.kind in ACTS or one.kind == "step.observed"]
        if workflow in at_once and work:
            changes[workflow].append((int(work[0].index or 0), 1))
            if entries[-1].kind in ENDS:
                changes[workflow].append((int(entries[-1].index or 0), -1))
    for workflow, every in changes.items():
        counts = accumulate(one for _, one in sorted(every))
        assert max(counts) <= at_once[workflow], workflow


def check_deadline(entries: Sequence[Entry]) -> None:
    """Once its time is over a run begins nothing, until somebody gives it its time anew."""
    is_over = False
    for entry in entries:
        if entry.data.get("decision") == "exception" and entry.data["rule"] == "deadline":
            is_over = True
        elif entry.data.get("decision") == "retry" or entry.kind == "run.moved":
            is_over = False
        if is_over and entry.kind in ACTS:
            assert is_undo(str(entry.data["step"])), entry.data["step"]


def check_told(run: RunId, entries: Sequence[Entry], effects: Sequence[str]) -> None:
    """What the trail says of effects is what happened, wherever no person said otherwise."""
    for step in {str(one.data["step"]) for one in entries if one.kind == "action.intended"}:
        own = [one for one in entries if one.data.get("step") == step]
        if any(one.kind == "action.resolved" and one.actor.is_person for one in own):
            continue
        action = next(one for one in own if one.kind == "action.intended").data["action"]
        if action != "world.change":
            continue
        told = {one.kind for one in own if one.data.get("happened", "yes") == "yes"}
        partly = any(one.data.get("performed") == "partly" for one in own)
        if "action.executed" in told:
            assert f"{run}/{step}" in effects, step
        if f"{run}/{step}" in effects:
            # That a verification shows it is said too; the verifications here prove little.
            assert told & {"action.executed", "action.resolved"} or partly or _is_open(own), step


def _is_open(own: Sequence[Entry]) -> bool:
    """Say whether it is not known yet, or never will be, what became of the last attempt."""
    last = [one.kind for one in own if one.kind.startswith("action.")][-1]
    return last in ("action.intended", "action.in_doubt")


def check_tries(definition: Definition, entries: Sequence[Entry]) -> None:
    """No step has more attempts than its file says, unless a person had it tried again."""
    tried: dict[str, int] = defaultdict(int)
    for entry in entries:
        name = str(entry.data.get("step") or "")
        if entry.actor.is_person and (
            entry.data.get("decision") == "retry" or entry.kind == "action.resolved"
        ):
            tried[name] = 0
        if entry.kind != "action.intended" or step_of(name) not in definition.outline:
            continue
        tried[name] += 1
        retry = definition.step(name).retry
        # Also an effect, if it certainly did not happen the times before.
        assert tried[name] <= (retry.attempts if retry is not None else 3), name

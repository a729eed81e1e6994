"""Runs that would wait for each other for ever, over locks, places and the runs they start.

A run keeps its lock and its place until it has ended, and a run that a step of it starts may
need others. Taken crosswise, none of them ever goes on. Two things close such a circle, and it is
looked for there, by one at a time. The start of such a run does: the step is refused. And so
does a run that has not begun, has a place, and waits for something else: it gives the place back.
Whoever is given all it needs has begun nothing yet, so no run of its own is waited for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workflows.entry import RunId
from workflows.errors import LockCircleError
from workflows.holders import HOUSE, Going, place_of
from workflows.orders import Child
from workflows.replay import replay
from workflows.run import Phase, RunState
from workflows.store import NewRun, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """A lock or a place; `first` are those who hold one, or will before it is free.

    There are `most` of them, so it is never free once so many never go on.
    """

    what: str
    first: Sequence[RunId]
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A run that waits, and a run that holds what it needs."""

    waits: RunId
    what: str
    holder: RunId


_Chain: TypeAlias = Sequence[_Link]


def refuse_circle(unit: Unit, new: NewRun, child: Child, *, at_once: int | None) -> None:
    """Return if the run that is about to be started for another one can come to its turn.

    Raises:
        LockCircleError: it would wait for a run that waits for it.
    """
    if new.lock_key is None and not at_once:
        return
    unit.holders.look_alone()
    look = _Look(unit)
    needs = [*look.lock(new.id, new.lock_key), *look.place(new.id, new.workflow, at_once)]
    chain = look.chain(new.id, needs, frozenset(look.around(child.parent)))
    if chain:
        raise _refusal(unit, chain)


def closes_circle(unit: Unit, run: RunId) -> bool:
    """Say whether a run that waits before it begins does so for one that needs its place."""
    unit.holders.look_alone()
    look, going = _Look(unit), unit.holders.going(run)
    return going is not None and bool(look.chain(run, look.needs(run, going), frozenset({run})))


class _Look:
    """What runs wait for just now, followed from one to the next."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def around(self, run: RunId | None) -> Iterator[RunId]:
        """Yield a run, and those that it was started for."""
        while run is not None:
            yield run
            run = self._state(run).parent

    def lock(self, run: RunId, key: str | None) -> Iterator[_Need]:
        """Yield the lock that a run needs, if another one has it."""
        holder = None if key is None else self._unit.holders.of_lock(key)
        if holder is not None and holder != run:
            yield _Need(what=f"the lock {key}", first=[holder])

    def place(self, run: RunId, workflow: str, at_once: int | None = None) -> Iterator[_Need]:
        """Yield the place that a run needs, if others have all of them.

        Without `at_once` there are as many as those who have one knew of.
        """
        key = place_of(workflow)
        held = self._unit.holders.of_places(key)
        most = at_once or max(held.values(), default=0)
        if most and run not in held:
            what = f"a place among the runs of {workflow} that go on at once"
            before = self._unit.holders.before(key, run)
            yield _Need(what=what, first=[*held, *before], most=most)

    def house(self, run: RunId) -> Iterator[_Need]:
        """Yield the place of the house for which a run stands in line."""
        if self._unit.holders.is_in_line(HOUSE, run):
            held = self._unit.holders.of_places(HOUSE)
            first = [*held, *self._unit.holders.before(HOUSE, run)]
            what = "a place among the runs that go on at once"
            yield _Need(what=what, first=first, most=max(held.values(), default=1))

    def needs(self, run: RunId, going: Going) -> Iterator[_Need]:
        """Yield what a run that has not begun lacks."""
        yield from self.lock(run, going.lock)
        yield from self.place(run, going.workflow)
        yield from self.house(run)

    def chain(self, run: RunId, needs: Iterable[_Need], way: frozenset[RunId]) -> _Chain:
        """Return the links over which a run waits for one on the `way`; none where it goes on."""
        for need in needs:
            found = [(one, self._stuck(one, way)) for one in need.first]
            stuck = [(one, links) for one, links in found if links is not None]
            if len(stuck) >= need.most:
                holder, links = stuck[0]
                return [_Link(waits=run, what=need.what, holder=holder), *links]
        return []

    def _stuck(self, run: RunId, way: frozenset[RunId]) -> _Chain | None:
        """Return the links from a run to one on the `way`; None where it goes on."""
        if run in way:
            return []
        going = self._unit.holders.going(run)
        if going is None:
            return None
        further = way | {run}
        if chain := self.chain(run, self.needs(run, going), further):
            return chain
        found = (self._stuck(one, further) for one in self._started_by(run))
        return next((one for one in found if one is not None), None)

    def _started_by(self, run: RunId) -> Iterator[RunId]:
        """Yield the runs that a run waits for; one that is being ended cancels them."""
        state = self._state(run)
        if state.goes_on:
            called = (one for one in state.steps.values() if one.phase is Phase.CALLED)
            yield from (one.child for one in called if one.child is not None)

    def _state(self, run: RunId) -> RunState:
        return replay(run, self._unit.entries(run))


def _refusal(unit: Unit, chain: _Chain) -> LockCircleError:
    first, last = chain[0], chain[-1]
    if first is last:
        return LockCircleError(
            f"It needs {first.what}, which run {first.holder[:8]} holds while it waits for this.",
            hint="Give one of the two workflows another lock, or more runs at once.",
        )
    going = unit.holders.going(first.holder)
    whose = "" if going is None else f" of {going.workflow}"
    return LockCircleError(
        f"It needs {first.what}, which run {first.holder[:8]}{whose} holds. That one waits, by"
        f" run {last.waits[:8]}, for {last.what} of run {last.holder[:8]}, which waits for this.",
        hint=f"Cancel run {first.holder[:8]} and retry this step, or abort this run; and have"
        " both workflows take these locks in one order.",
    )

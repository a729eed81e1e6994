"""What a run does next: the moves of every branch that is alive. Pure.

Steps of a sequence follow each other, branches of a `parallel` go side by side, a `foreach`
has as many items under way as it says. A run that ends early first settles the effects that
are under way; one that is undone takes back what happened, the last first.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from workflows.batching import is_waiting, part_of
from workflows.definition import Definition
from workflows.definition_flow import Flow, ForEach, Parallel
from workflows.definition_steps import Step
from workflows.entry import Json
from workflows.instances import instance, items_of, step_of, undo_of
from workflows.moves import Do, Move, is_past, step_move
from workflows.refused_loops import refused_loop
from workflows.run import OVER, Phase, RunState, Status, StepState
from workflows.undoable import done

DEADLINE = "deadline"
_BEGINS = frozenset({Do.BEGIN, Do.PERFORM})
_LEAVES_AN_ITEM = frozenset({"denied", "expired"})  # An item alone is over; the run goes on.


class Walk:
    """Finds the moves of one run.

    It remembers which items of a loop are over, and the last moves if time does not change them.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._over: dict[str, int] = {}  # For each loop, how many items from the first on.
        self._found: tuple[RunState | None, list[Move]] = (None, [])

    def moves(self, state: RunState, *, now: datetime) -> list[Move]:
        """Return what can be done or is waited for now: one move for each branch that is alive."""
        known, moves = self._found
        if known is state:
            return moves
        moves = self._moves(state, now)
        if self._definition.deadline is None and all(one.until is None for one in moves):
            self._found = (state, moves)
        return moves

    def _moves(self, state: RunState, now: datetime) -> list[Move]:
        if state.cancel_asked:
            return self._unsettled(state, now) or [Move(do=Do.CANCEL)]
        if state.is_undoing and not state.is_aborted:
            return self._unsettled(state, now) or self._undoing(state, now)
        refused = self.refused(state)
        if refused is not None:
            return self._unsettled(state, now) or [refused]
        found = self._sequence(self._definition.steps, (), state, now)
        return self._in_time(found, state, now) or [_ended(self._definition, state)]

    def _in_time(self, moves: list[Move], state: RunState, now: datetime) -> list[Move]:
        """Return `moves`, nothing new among them once the work has taken too long.

        One step becomes an exception; whoever has it tried again gives the run its time anew.
        """
        deadline = self._definition.deadline
        if deadline is None or state.time_worked(now) <= deadline:
            return moves
        is_told = Phase.EXCEPTION in state.marked.values()
        late = [one for one in moves if one.do in _BEGINS]
        others = [one for one in moves if one.do not in _BEGINS]
        for one in late:
            stops = one is late[0] and not is_told
            do = Do.TROUBLE if stops else Do.WAIT
            others.append(Move(do=do, step=one.step, why=DEADLINE if stops else ""))
        return others

    def _unsettled(self, state: RunState, now: datetime) -> list[Move]:
        """Return the moves of effects under way: no run ends before they are settled."""
        every = (self._own(name, state.step(name), state, now) for name in state.under_way)
        return [move for move in every if move is not None]

    def refused(self, state: RunState) -> Move | None:
        """Return the end of the run if some step was refused for good."""
        for name, phase in state.marked.items():
            one = state.step(name)
            if phase is Phase.REFUSED and not _is_left(self._definition, name, one):
                return Move(do=Do.END, step=name, status=Status(one.refusal))
        return None

    def _undoing(self, state: RunState, now: datetime) -> list[Move]:
        for name in reversed(done(self._definition, state).undoable):
            own = undo_of(name)
            move = self._own(own, state.step(own), state, now)
            if move is not None:
                return [move]
        return [Move(do=Do.END, status=Status.ABORTED)]

    def _own(self, name: str, one: StepState, state: RunState, now: datetime) -> Move | None:
        form = self._definition.form(name)
        step = self._definition.step(name) if isinstance(form, Step) else form
        return step_move(step, name, one, run=state.id, now=now)

    def _sequence(
        self, steps: Sequence[Flow], items: tuple[int, ...], state: RunState, now: datetime
    ) -> list[Move]:
        """Return the moves of the first step that is not over; nothing when all are."""
        is_lost = False
        for step in steps:
            name = instance(step.id, items)
            if is_lost and name not in state.steps:
                return []  # What had begun before this was known comes to its end.
            one = state.step(name)
            if is_past(step, one):
                continue
            if _is_left(self._definition, name, one):
                return []
            found = self._of(step, name, items, state, now)
            if found:
                return found
            is_lost |= has_left(self._definition, [step], items, state)
        return []

    def _of(
        self,
        step: Flow,
        name: str,
        items: tuple[int, ...],
        state: RunState,
        now: datetime,
    ) -> list[Move]:
        one = state.step(name)
        if one.phase is Phase.OBSERVED and isinstance(step, Parallel):
            return self._branches(step, items, state, now)
        if one.phase is Phase.OBSERVED and isinstance(step, ForEach):
            return list(self._items(step, name, items, state, now))
        hurries = self._definition.is_best_effort and isinstance(step, Step)
        form = self._definition.step(name) if hurries else step
        move = step_move(form, name, one, run=state.id, now=now)
        return [] if move is None else [move]

    def _branches(
        self, step: Parallel, items: tuple[int, ...], state: RunState, now: datetime
    ) -> list[Move]:
        every = (self._sequence(one, items, state, now) for one in step.parallel.values())
        return [move for found in every for move in found]

    def _items(
        self,
        step: ForEach,
        name: str,
        items: tuple[int, ...],
        state: RunState,
        now: datetime,
    ) -> Iterator[Move]:
        alive, stops, part = 0, False, None
        for number in range(self._over.get(name, 0), count_of(state.step(name))):
            is_held = stops or (part is not None and part_of(number) > part)
            if is_held and instance(step.steps[0].id, (*items, number)) not in state.steps:
                return
            found = self._sequence(step.steps, (*items, number), state, now)
            if not step.goes_on and has_left(self._definition, step.steps, (*items, number), state):
                stops = True  # The item of a loop around this one is left behind, and this with it.
            elif not found and number == self._over.get(name, 0):
                self._over[name] = number + 1
            yield from found
            if found and all(_is_batched(one, state, depth=len(items) + 1) for one in found):
                part = part_of(number) if part is None else part
            else:
                alive += bool(found)
            stops |= not step.goes_on and any(_is_stuck(one, state) for one in found)
            if alive == step.max_parallel:
                return


def _ended(definition: Definition, state: RunState) -> Move:
    """Return the end of a run whose branches are all over."""
    return Move(do=Do.END, status=refused_loop(definition, state) or Status.DONE)


def _is_stuck(move: Move, state: RunState) -> bool:
    """Say whether an item goes on only once a person has said how."""
    return move.do is Do.TROUBLE or state.step(move.step).phase is Phase.EXCEPTION


def _is_batched(move: Move, state: RunState, *, depth: int) -> bool:
    """Say whether an item waits for people together with others of its own loop."""
    return len(items_of(move.step)) == depth and is_waiting(state.step(move.step))


def count_of(state: StepState) -> int:
    """Return how many items a loop that has begun goes over."""
    return len(state.output) if isinstance(state.output, list) else 0


def loop_output(definition: Definition, state: RunState, name: str) -> Json:
    """Return what a loop that is over gives: how many items, and the last output of each."""
    loop = definition.form(name)
    if not isinstance(loop, ForEach):
        return None
    count = count_of(state.step(name))
    every = [(*items_of(name), number) for number in range(count)]
    failed = sum(_has_failed(definition, loop, one, state) for one in every)
    last = loop.steps[-1].id
    results = [state.step(instance(last, one)).output for one in every]
    return {"count": count, "done": count - failed, "failed": failed, "results": results}


def _has_failed(
    definition: Definition, loop: ForEach, items: tuple[int, ...], state: RunState
) -> bool:
    """Say whether an item was left behind, or ended its run because a step was refused."""
    phases = (state.step(instance(one.id, items)).phase for one in loop.steps)
    return Phase.REFUSED in phases or has_left(definition, loop.steps, items, state)


def has_left(
    definition: Definition, steps: Sequence[Flow], items: tuple[int, ...], state: RunState
) -> bool:
    """Say whether what `steps` belong to is over before its end: a step in them was left behind.

    Be it in a branch. A loop that goes on keeps what its own items leave to itself.
    """
    if not state.left and Phase.REFUSED not in state.marked.values():
        return False  # As nearly always.
    names = ((one, instance(one.id, items)) for one in steps)
    return any(
        _is_left(definition, name, state.step(name))
        or _has_left_inside(definition, one, items, state)
        for one, name in names
    )


def _has_left_inside(
    definition: Definition, step: Flow, items: tuple[int, ...], state: RunState
) -> bool:
    if isinstance(step, Parallel):
        return any(has_left(definition, one, items, state) for one in step.parallel.values())
    if not isinstance(step, ForEach) or step.goes_on:
        return False
    every = range(count_of(state.step(instance(step.id, items))))
    return any(has_left(definition, step.steps, (*items, one), state) for one in every)


def is_over(
    definition: Definition, steps: Sequence[Flow], items: tuple[int, ...], state: RunState
) -> bool:
    """Say whether all of `steps` are over, what stands inside them included, and none was left."""
    step = steps[-1]
    one = state.step(instance(step.id, items))
    if one.is_left or one.phase not in OVER:
        return False
    if one.phase is Phase.OBSERVED and isinstance(step, Parallel):
        return all(is_over(definition, each, items, state) for each in step.parallel.values())
    if one.phase is Phase.OBSERVED and isinstance(step, ForEach):
        every = ((*items, number) for number in range(count_of(one)))
        return all(
            has_left(definition, step.steps, each, state)
            or is_over(definition, step.steps, each, state)
            for each in every
        )
    return not has_left(definition, steps, items, state)


def _is_left(definition: Definition, name: str, state: StepState) -> bool:
    """Say whether an item is over because of this step, and its loop goes on without it."""
    if state.is_left:
        return True
    node = definition.outline.get(step_of(name))
    goes_on = node is not None and node.is_in_loop_that_goes_on
    return goes_on and state.phase is Phase.REFUSED and state.refusal in _LEAVES_AN_ITEM

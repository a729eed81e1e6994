"""The steps of a run as lines of its first message: where each stands, and how far a loop is."""

from collections.abc import Iterator

from bot.run_reading import RunRead
from bot.views.run_root import StepLine
from workflows.definition_flow import ForEach, Parallel
from workflows.flow import count_of, has_left, is_over
from workflows.instances import is_undo, items_of, step_of
from workflows.outline import Node
from workflows.run import Phase, StepState

TOLD_ERRORS = frozenset({Phase.FAILED, Phase.EXCEPTION, Phase.IN_DOUBT})
# An item is shown by itself while somebody has to do something about it.
_SHOWN_ITEMS = frozenset({Phase.ASKED, Phase.QUESTIONED, Phase.IN_DOUBT, Phase.EXCEPTION})
_MOST_ITEMS = 5


def step_lines(read: RunRead) -> tuple[StepLine, ...]:
    """Return one line for each step that is no item, the items that need somebody, the undoing."""
    return (*_steps(read), *_undoing(read))


def _steps(read: RunRead) -> Iterator[StepLine]:
    for node in read.definition.outline.values():
        if node.loops or isinstance(node.step, Parallel):
            continue
        if isinstance(node.step, ForEach):
            yield _loop(read, node, node.step)
            yield from _items(read, node.step)
        else:
            yield _line(node.step.id, read.state.step(node.step.id))


def _undoing(read: RunRead) -> Iterator[StepLine]:
    for name, state in read.state.steps.items():
        if is_undo(name):
            yield _line(name, state)


def _line(name: str, state: StepState) -> StepLine:
    notes = []
    # A read is made again before an effect that rests on it; that is no further attempt.
    if state.attempt > 1 and state.phase is not Phase.OBSERVED:
        notes.append(f"attempt {state.attempt}")
    if state.error_class and state.phase in TOLD_ERRORS:
        notes.append(state.error_class)
    aborted = state.phase is Phase.REFUSED and state.refusal == "aborted"
    return StepLine(name=name, phase=state.phase, note=", ".join(notes), is_aborted=aborted)


def _loop(read: RunRead, node: Node, loop: ForEach) -> StepLine:
    state = read.state.step(node.step.id)
    if state.phase is not Phase.OBSERVED:
        return _line(node.step.id, state)
    count = count_of(state)
    where = [(read.definition, loop.steps, (number,), read.state) for number in range(count)]
    left = sum(has_left(*one) for one in where)
    done = sum(is_over(*one) for one in where)
    note = f"{done + left} of {count} items" + (f", {left} left behind" if left else "")
    phase = Phase.EXECUTED if done + left >= count else Phase.INTENDED
    return StepLine(name=node.step.id, phase=phase, note=note)


def _is_item_of(read: RunRead, name: str, loop: ForEach) -> bool:
    node = read.definition.outline.get(step_of(name))
    return node is not None and loop in node.loops and bool(items_of(name)) and not is_undo(name)


def _items(read: RunRead, loop: ForEach) -> Iterator[StepLine]:
    found = [
        _line(name, state)
        for name, state in read.state.steps.items()
        if state.phase in _SHOWN_ITEMS and _is_item_of(read, name, loop)
    ]
    yield from found[:_MOST_ITEMS]

"""How the steps of a definition hang together: what stands where, and what each may look back on.

Built once per definition. A step sees what stands before it in its own sequence and before
everything around it; of a `parallel` that is over all its branches, of a `foreach` only the whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.definition_flow import Ask, Call, Flow, ForEach, Parallel
from workflows.definition_steps import Step, Undo
from workflows.fault import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step in its place. `before` are the ids whose outputs it may name, in order."""

    step: Flow
    path: Place
    loops: tuple[ForEach, ...]  # Around it, the outermost first.
    before: tuple[str, ...]

    @property
    def is_in_loop_that_goes_on(self) -> bool:
        """Whether some loop around it leaves items that fail behind."""
        return any(loop.goes_on for loop in self.loops)


Outline = Mapping[str, Node]


def outline(steps: Sequence[Flow]) -> Outline:
    """Return every step by its id; of two with one id the first."""
    found: dict[str, Node] = {}
    for node in nodes(steps):
        found.setdefault(node.step.id, node)
    return found


def nodes(
    steps: Sequence[Flow],
    *,
    path: Place = ("steps",),
    loops: tuple[ForEach, ...] = (),
    before: tuple[str, ...] = (),
) -> Iterator[Node]:
    """Yield each step of a sequence and everything inside it, in the order of the file."""
    for index, step in enumerate(steps):
        node = Node(step=step, path=(*path, index), loops=loops, before=before)
        yield node
        yield from _inside(node)
        before = (*before, *_gives(step))


def _inside(node: Node) -> Iterator[Node]:
    step = node.step
    if isinstance(step, ForEach):
        loops = (*node.loops, step)
        path = (*node.path, "steps")
        yield from nodes(step.steps, path=path, loops=loops, before=node.before)
    elif isinstance(step, Parallel):
        for name, branch in step.parallel.items():
            path = (*node.path, "parallel", name)
            yield from nodes(branch, path=path, loops=node.loops, before=node.before)


def _gives(step: Flow) -> tuple[str, ...]:
    """Return the ids whose outputs can be named once `step` is over."""
    if isinstance(step, Parallel):
        inside = (one for branch in step.parallel.values() for one in branch)
        return tuple(name for one in inside for name in _gives(one))
    return (step.id,) if isinstance(step, Step | ForEach | Ask | Call) else ()


def undo_step(step: Step, name: str) -> Step | None:
    """Return the undoing of `step` as a step called `name`, None where it has none."""
    undo = step.undo
    if not isinstance(undo, Undo):
        return None
    inherited = {field: getattr(undo, field) for field in type(undo).model_fields}
    title = undo.title or f"Undo {step.shown}"
    return step.model_copy(
        update={**inherited, "id": name, "title": title, "when": None, "undo": "none"}
    )

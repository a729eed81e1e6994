"""Checks workflows that start workflows: that those exist, take these inputs, form no circle."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter

from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.definition_flow import Call
from workflows.definition_inputs import is_open
from workflows.fault import Fault, suggestion
from workflows.outline import Node

Found = Sequence[tuple[Definition, Document]]


def call_faults(found: Found) -> Iterator[Fault]:
    """Yield what is wrong between the definitions that are checked together."""
    known = {definition.workflow: definition for definition, _ in found}
    calls = {name: definition.starts & known.keys() for name, definition in known.items()}
    callers = _turned(calls) if _has_circle(calls) else {}
    for definition, document in found:
        back = _ways_back(definition.workflow, callers) if callers else {}
        for node in definition.outline.values():
            if isinstance(node.step, Call):
                yield from _one(document, node, node.step, known, back)


def _has_circle(calls: Mapping[str, AbstractSet[str]]) -> bool:
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        return True
    return False


def _turned(calls: Mapping[str, AbstractSet[str]]) -> Mapping[str, list[str]]:
    """Return which workflows start each one."""
    found: dict[str, list[str]] = {}
    for name, called in calls.items():
        for one in sorted(called):
            found.setdefault(one, []).append(name)
    return found


def _ways_back(goal: str, callers: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """Return the shortest way to `goal` from each workflow that leads there."""
    found: dict[str, tuple[str, ...]] = {goal: (goal,)}
    waiting = deque([goal])
    while waiting:
        here = waiting.popleft()
        news = [name for name in callers.get(here, ()) if name not in found]
        found |= {name: (name, *found[here]) for name in news}
        waiting += news
    return found


def _one(
    document: Document,
    node: Node,
    call: Call,
    known: Mapping[str, Definition],
    back: Mapping[str, tuple[str, ...]],
) -> Iterator[Fault]:
    path = (*node.path, "workflow")
    target = known.get(call.workflow)
    if target is None:
        what = f"there is no workflow {call.workflow!r} among these files"
        yield document.fault(path, what, suggestion(call.workflow, known), warning=True)
        return
    circle = back.get(call.workflow)
    if circle is not None:
        what = f"starts itself: {' → '.join((circle[-1], *circle))}"
        yield document.fault(path, what, "no workflow may start itself, nor through others")
    yield from _input_faults(document, node, call, target)


def _input_faults(
    document: Document, node: Node, call: Call, target: Definition
) -> Iterator[Fault]:
    path = (*node.path, "inputs")
    for name in call.inputs.keys() - target.inputs.keys():
        what = f"{target.workflow} has no input {name!r}"
        yield document.fault((*path, name), what, suggestion(name, target.inputs), at_key=True)
    for name, spec in target.inputs.items():
        if is_open(spec) and name not in call.inputs:
            what = f"leaves the required input {name!r} of {target.workflow} open"
            yield document.fault(path, what, "give it here")

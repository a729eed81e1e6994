"""Checks workflows that start workflows: that those exist, take these inputs, form no circle."""

from collections.abc import Iterator, Mapping, Sequence

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
    for definition, document in found:
        for node in definition.outline.values():
            if isinstance(node.step, Call):
                yield from _one(document, node, node.step, definition, known)


def _one(
    document: Document,
    node: Node,
    call: Call,
    definition: Definition,
    known: Mapping[str, Definition],
) -> Iterator[Fault]:
    path = (*node.path, "workflow")
    target = known.get(call.workflow)
    if target is None:
        what = f"there is no workflow {call.workflow!r} among these files"
        yield document.fault(path, what, suggestion(call.workflow, known), warning=True)
        return
    circle = _circle(call.workflow, definition.workflow, known, ())
    if circle is not None:
        what = f"starts itself: {' → '.join((definition.workflow, *circle))}"
        yield document.fault(path, what, "no workflow may start itself, nor through others")
    yield from _input_faults(document, node, call, target)


def _circle(
    name: str, goal: str, known: Mapping[str, Definition], way: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the way from `name` to `goal`, if there is one."""
    if name == goal:
        return (*way, name)
    if name in way or name not in known:
        return None
    steps = (node.step for node in known[name].outline.values())
    ways = (
        _circle(one.workflow, goal, known, (*way, name)) for one in steps if isinstance(one, Call)
    )
    return next((one for one in ways if one is not None), None)


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

"""What a workflow does through others and does not say: something that cannot be undone. Pure.

A step that starts a workflow which does something destructive, itself or through others, says
`effect: destructive`. Whoever reads the file of the first one then knows, without looking into
the others. Which people decide follows from the destructive step itself, wherever it stands.
"""

from collections.abc import Iterator, Sequence

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.definition_flow import Call
from workflows.fault import Fault
from workflows.outline import Node
from workflows.portrait import Actions, Find, effect_of, starts


def hidden(after: Definition, among: Sequence[Definition], actions: Actions) -> list[str]:
    """Return what would go unsaid if `after` stood `among` the others, a sentence each.

    Of the others it is what goes unsaid because of `after`, and did not before.
    """
    was = {one.workflow: one for one in among}
    now = {**was, after.workflow: after}
    found = [one for _, one in _unsaid(after, now.get, actions)]
    for other in among:
        if other.workflow != after.workflow:
            known = {one for _, one in _unsaid(other, was.get, actions)}
            found += [
                f"{other.workflow}: {one}"
                for _, one in _unsaid(other, now.get, actions)
                if one not in known
            ]
    return found


def hidden_faults(
    found: Sequence[tuple[Definition, Document]], actions: Actions
) -> Iterator[Fault]:
    """Yield a warning for each step that leaves something destructive unsaid."""
    find = {definition.workflow: definition for definition, _ in found}.get
    for definition, document in found:
        for node, what in _unsaid(definition, find, actions):
            right = f"write `effect: {Effect.DESTRUCTIVE.value}` beside it"
            yield document.fault((*node.path, "workflow"), what, right, warning=True)


def _unsaid(definition: Definition, find: Find, actions: Actions) -> Iterator[tuple[Node, str]]:
    for node in definition.outline.values():
        call = node.step
        if not isinstance(call, Call) or call.effect is Effect.DESTRUCTIVE:
            continue
        first = find(call.workflow)
        where = None if first is None else _destructive(first, find, actions)
        if where is not None:
            yield node, f"step {call.id} starts {call.workflow}, where {where} cannot be undone"


def _destructive(first: Definition, find: Find, actions: Actions) -> str | None:
    """Return the first destructive step of a workflow or of those that it starts."""
    for one in (first, *starts(first, find)):
        for step in one.works:
            if (effect_of(step, actions) or Effect.DESTRUCTIVE) is Effect.DESTRUCTIVE:
                return f"step {step.id} of {one.workflow}"
    return None

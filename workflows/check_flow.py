"""Checks the forms of a step besides an action: loops, waits, questions, calls."""

from collections.abc import Iterator

from workflows.check_arguments import text_faults
from workflows.definition_file import Document
from workflows.definition_flow import Ask, Call, ForEach, Until, Wait
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place
from workflows.moments import moment_of
from workflows.outline import Node
from workflows.shapes import Kind
from workflows.step_scope import StepScopes
from workflows.template import OPENING, has_expression, pieces, texts

ROOTS = frozenset({"inputs", "steps", "run", "result"})


def flow_faults(document: Document, scopes: StepScopes, node: Node) -> Iterator[Fault]:
    """Yield what is wrong with a step that uses no action itself."""
    environment = scopes.before(node.step.id)
    match node.step:
        case ForEach():
            yield from _loop_faults(document, node, node.step, environment)
        case Wait():
            yield from _wait_faults(document, node.path, node.step, environment)
        case Ask():
            path = (*node.path, "ask", "question")
            yield from text_faults(document, path, node.step.ask.question, environment)
        case Call():
            yield from _template_faults(
                document, (*node.path, "inputs"), dict(node.step.inputs), environment
            )


def _template_faults(
    document: Document, path: Place, template: Json, environment: Environment
) -> Iterator[Fault]:
    for place, text in texts(template):
        if OPENING in text:
            yield from text_faults(document, (*path, *place), text, environment)


def _loop_faults(
    document: Document, node: Node, loop: ForEach, environment: Environment
) -> Iterator[Fault]:
    here = (*node.path, "foreach")
    yield from _list_faults(document, here, loop.foreach, environment)
    if loop.item in ROOTS | {one.item for one in node.loops}:
        what = f"{loop.item!r} means something else here already"
        yield document.fault((*node.path, "as"), what, "call the item by another name")


def _list_faults(
    document: Document, path: Place, text: str, environment: Environment
) -> Iterator[Fault]:
    try:
        parts = pieces(text)
        is_lone = len(parts) == 1 and parts[0][0]
        kind = environment.kind_of(parts[0][1]) if is_lone else None
    except ExpressionError as error:
        yield document.fault(path, error.message, error.hint)
        return
    if kind is None:
        right = 'write one expression, as in "${{ steps.look.output.rows }}"'
        yield document.fault(path, "names no list", right)
    elif kind not in (Kind.LIST, Kind.ANY):
        yield document.fault(path, f"gives {kind.value}, but a list is needed")


def _wait_faults(
    document: Document, path: Place, form: Wait, environment: Environment
) -> Iterator[Fault]:
    if not isinstance(form.wait, Until):
        return
    here, text = (*path, "wait", "until"), form.wait.until
    if has_expression(text):
        yield from text_faults(document, here, text, environment)
        return
    try:
        moment_of(text)
    except ExpressionError as error:
        yield document.fault(here, error.message, error.hint)

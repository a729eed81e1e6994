"""Beginning what has steps of its own: branches side by side, and one round for each item."""

from workflows.definition_flow import ForEach
from workflows.entry import Json
from workflows.errors import ActionFailedError
from workflows.segment import After, Next, Segment
from workflows.template import references, resolve

MOST_BYTES = 1024 * 1024


def begin_branches(segment: Segment, name: str) -> Next:
    """Begin the branches of a `parallel`; the note rides on the next commit."""
    data: dict[str, Json] = {"step": name, "decision": "branch", "rule": "parallel"}
    segment.note(segment.draft("decision.made", data))
    return After.LOOK


def begin_loop(segment: Segment, form: ForEach, name: str) -> Next:
    """Fix the items that a `foreach` goes over, whatever its sources say later.

    Raises:
        ActionFailedError: they are no list, not all that there are, or too many.
        ExpressionError: they cannot be evaluated.
    """
    _refuse_a_part(segment, form, name)
    items = resolve(form.foreach, segment.scope(name), segment.scopes.before(name))
    if not isinstance(items, list):
        raise ActionFailedError("What it should go over is no list.", error_class="not_a_list")
    if len(items) > form.max_items:
        raise ActionFailedError(
            f"It would go over {len(items)} items, and at most {form.max_items} are allowed.",
            error_class="too_many_items",
            hint="Narrow the list, or raise max_items in the definition.",
        )
    part = segment.part(items)
    if len(part.value) > MOST_BYTES:
        raise ActionFailedError(
            f"Its items have {len(part.value)} bytes, and at most {MOST_BYTES} are allowed.",
            error_class="too_large",
            hint="Let the step before return only what is needed of each.",
        )
    data: dict[str, Json] = {
        "step": name,
        "attempt": segment.state.step(name).attempt + 1,
        "action": "foreach",
        "outcome": "ok",
        "count": len(items),
    }
    segment.note(segment.draft("step.observed", data, {"output": part}))
    return After.LOOK


def _refuse_a_part(segment: Segment, form: ForEach, name: str) -> None:
    """Return if no step that the list is made of says that it gave only a beginning.

    What was cut off would be left undone without a word.
    """
    steps = segment.scope(name).steps
    for path in sorted(references(form.foreach, segment.scopes.before(name))):
        source = path.split(".")[1] if path.startswith("steps.") else ""
        output = steps.get(source)
        if isinstance(output, dict) and output.get("is_cut") is True:
            raise ActionFailedError(
                f"Step {source} gave a part of its rows only; the rest would be left undone.",
                error_class="list_is_cut",
                hint="Raise its limit. If a part is meant, have its statement say LIMIT.",
            )

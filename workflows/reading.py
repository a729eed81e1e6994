"""Steps that only read: perform, keep what came as an entry, try again when that may help."""

from collections.abc import Iterator

from workflows.actions.base import Effect
from workflows.definition_steps import Step, Work
from workflows.entry import Json, PartClass
from workflows.errors import ActionError, InDoubtError, OutputMismatchError, TransientReadError
from workflows.ready import Ready, fitting, make_ready, resolved
from workflows.run import Phase
from workflows.segment import Segment
from workflows.step_scope import check_output


def read(segment: Segment, ready: Ready) -> None:
    """Perform a read and note what came of it. The note rides on the next commit."""
    try:
        output = answer(segment, ready.step, ready)
    except ActionError as error:
        note_failure(segment, ready.step.id, error)
    else:
        _note_output(segment, ready.step, output)


def answer(segment: Segment, step: Step, ready: Ready) -> Json:
    """Return what the read gave, checked against what the definition says it returns.

    Raises:
        ActionError: there is no usable answer.
    """
    call = segment.call(step, step, effect=Effect.READ)
    output = ready.action.perform(ready.arguments, call).model_dump(mode="json")
    return checked(step, output)


def checked(work: Work, output: Json) -> Json:
    """Return `output` if it is what `work` says it returns.

    Raises:
        TransientReadError: it is not; the next answer may be.
    """
    try:
        usable: Json = check_output(work, output)
    except OutputMismatchError as error:
        raise TransientReadError(str(error), error_class="unexpected_answer") from error
    return usable


def look(segment: Segment, step: Step, work: Work) -> Json:
    """Return what `work`, the verification of `step`, reads now; nothing is noted.

    Raises:
        InterlockError: there is no usable answer.
    """
    action = segment.action(work)
    arguments = fitting(action, resolved(segment, work, segment.scopes.after(step.id), at=step.id))
    call = segment.call(step, work, effect=Effect.READ)
    return checked(work, action.perform(arguments, call).model_dump(mode="json"))


def note_failure(segment: Segment, name: str, error: ActionError) -> None:
    """Note that a read gave no usable answer."""
    data: dict[str, Json] = {
        "step": name,
        "attempt": segment.state.step(name).attempt + 1,
        "action": getattr(segment.definition.form(name), "uses", "expression"),
        "outcome": "error",
        "error_class": error.error_class,
        # A read that nobody answered may be answered the next time, whatever the reason was.
        "again": isinstance(error, TransientReadError | InDoubtError),
    }
    segment.note(
        segment.draft("step.observed", data, {"output": segment.part({"error": str(error)})})
    )


def _note_output(segment: Segment, step: Step, output: Json) -> None:
    data: dict[str, Json] = {
        "step": step.id,
        "attempt": segment.state.step(step.id).attempt + 1,
        "action": step.uses,
        "outcome": "ok",
    }
    part = segment.part(output, cls=step.cls or PartClass.CONTENT)
    segment.note(segment.draft("step.observed", data, {"output": part}))


def read_again(segment: Segment, step: Step) -> None:
    """Read again what `step` rests on, so that what was approved is judged by fresh facts.

    Raises:
        ActionError: one of the reads gave no usable answer.
    """
    for earlier in _rests_on(segment, step):
        ready = make_ready(segment, earlier)
        _note_output(segment, earlier, answer(segment, earlier, ready))


def is_read_again(segment: Segment, step: Step) -> bool:
    """Say whether there is anything that `step` has read again before it goes on."""
    return step.recheck and next(_rests_on(segment, step), None) is not None


def _rests_on(segment: Segment, step: Step) -> Iterator[Step]:
    """Yield the reads whose outputs `step` and its proof mention, in their order."""
    for name in segment.scopes.rests_on(step.id):
        is_read = isinstance(segment.definition.form(name), Step)
        if is_read and segment.state.step(name).phase is Phase.OBSERVED:
            yield segment.definition.step(name)

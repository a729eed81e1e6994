"""Steps that start another workflow: a run of its own, linked both ways.

The parent first records which run it will start, then starts it under a key of that attempt, so
that a crash in between starts it once. The child's end wakes the parent by a due-row.
"""

from workflows.definition_flow import Call
from workflows.entry import Json, RunId
from workflows.errors import ActionFailedError, InterlockError, UnknownRunError
from workflows.orders import Child, Start
from workflows.run import Status
from workflows.segment import After, Next, Pause, Segment
from workflows.stopping import stop_draft
from workflows.store import RunRow
from workflows.template import resolve

DEEPEST = 5  # Workflows within workflows; a circle that no check saw ends here.


def begin_call(segment: Segment, form: Call, name: str) -> Next:
    """Record which run will be started, then start it.

    Raises:
        ActionFailedError: too many workflows stand within each other.
    """
    if segment.state.depth >= DEEPEST:
        raise ActionFailedError(
            f"Workflows stand {DEEPEST} deep within each other; {form.workflow} is not started.",
            error_class="too_deep",
            hint="Look for a workflow that starts itself through others.",
        )
    data: dict[str, Json] = {
        "step": name,
        "until": None,
        "child": segment.house.new_id(),
        "workflow": form.workflow,
    }
    segment.commit(segment.draft("wait.started", data))
    return After.LOOK


def look_at_call(segment: Segment, name: str) -> Next:
    """Start the run if it is not there, take up its end if it has ended, else wait for it.

    Raises:
        InterlockError: it cannot be started.
    """
    child = segment.state.step(name).child or RunId("")
    try:
        row = segment.house.store.run(child)
    except UnknownRunError:
        _start(segment, name, child)
        return Pause()
    return _take_up_end(segment, name, row) if row.status.is_end else Pause()


def _take_up_end(segment: Segment, name: str, row: RunRow) -> Next:
    data: dict[str, Json] = {
        "step": name,
        "cause": "child",
        "run": row.id,
        "outcome": row.status.value,
    }
    ended = segment.draft("wait.ended", data)
    if row.status is Status.DONE or segment.state.is_shadow:
        segment.commit(ended)  # At once: what follows is work, and counts towards a deadline.
        return After.LOOK
    words = f"The run {row.id[:8]} of {row.workflow} ended {row.status.words}."
    segment.commit(ended, stop_draft(segment, name, f"child_{row.status.value}", words))
    return After.LOOK


def _start(segment: Segment, name: str, child: RunId) -> None:
    form = segment.definition.form(name)
    if not isinstance(form, Call):
        raise InterlockError(f"Step {name} starts no workflow.")
    given = resolve(dict(form.inputs), segment.scope(name), segment.scopes.before(name))
    segment.start_run(
        Start(
            workflow=form.workflow,
            inputs=given if isinstance(given, dict) else {},
            trigger="workflow",
            actor=segment.state.requester,
            key=f"run/{segment.state.id}/{name}/{segment.state.step(name).attempt}",
            channel=segment.row.channel,
            child=Child(
                run=child,
                parent=segment.state.id,
                step=name,
                depth=segment.state.depth + 1,
                is_shadow=segment.state.is_shadow,
            ),
        )
    )

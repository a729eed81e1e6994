"""Whether an effect shows: the step's own read, asked again until its time is over."""

from datetime import datetime, timedelta

from workflows.definition_steps import Step, Verify
from workflows.entry import Json
from workflows.errors import InterlockError, StorageError
from workflows.reading import look
from workflows.recorder import VERIFIED
from workflows.segment import After, Next, Pause, Segment

SHORTEST = timedelta(seconds=1)


def verify(segment: Segment, step: Step) -> Next:
    """Ask once whether the effect shows, and record the answer once it is certain.

    That it shows rides on the commit of the next effect or of the run's end. It has one of its
    own before anything that takes time, beside other branches, and if a person has to look.
    """
    check = step.verify
    if check is None:
        return After.LOOK
    started = segment.state.step(step.id).changed_at or segment.house.now()
    kind, evidence = _asked(segment, step, check)
    now = segment.house.now()
    if kind != VERIFIED and now < started + check.within:
        return Pause(until=_next_look(started, now, check))
    data: dict[str, Json] = {
        "step": step.id,
        "check": check.uses,
        "attempt": segment.state.step(step.id).attempt,
    }
    fact = segment.draft(kind, data, {"evidence": segment.part(evidence)})
    if kind == VERIFIED and segment.is_alone:
        segment.note(fact)  # Cut short before that, it is asked again.
    else:
        segment.commit(fact)
    return After.LOOK


def _next_look(started: datetime, now: datetime, check: Verify) -> datetime:
    """Return when to ask again: half as long as it has taken so far, never past the end."""
    return min(now + max(SHORTEST, (now - started) / 2), started + check.within)


def _asked(segment: Segment, step: Step, check: Verify) -> tuple[str, Json]:
    """Return what the verification amounts to now, and what it rests on."""
    try:
        result = look(segment, step, check)
        shows = segment.scopes.verifying(step.id).holds(
            check.expect, segment.scope(step.id, result=result)
        )
    except StorageError:
        raise
    except InterlockError as error:
        return "verification.unknown", {"error": str(error)}
    return (VERIFIED if shows else "verification.failed"), {"result": result}

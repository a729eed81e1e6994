"""Steps that wait for a moment. A run that waits is a row and a due-row, and costs nothing."""

from datetime import datetime, timedelta

from workflows.definition_flow import LONGEST_WAIT, Wait
from workflows.errors import ExpressionError
from workflows.moments import moment_of, stamp
from workflows.segment import After, Next, Segment
from workflows.template import resolve_text


def begin_wait(segment: Segment, form: Wait, name: str) -> Next:
    """Begin to wait; a moment that is past already is over at once.

    Raises:
        ExpressionError: what it waits for is no moment, or too far away.
    """
    until = _until(segment, form, name)
    rests = segment.is_alone and until > segment.house.now()
    started = segment.draft("wait.started", {"step": name, "until": stamp(until)})
    has_begun = segment.commit(started, rests=rests, until=until)
    return After.GONE if has_begun and rests else After.LOOK


def resume(segment: Segment, name: str) -> Next:
    """Go on after a wait whose moment has come.

    That is recorded at once: what follows, be it a read, is work, and counts towards a deadline.
    """
    segment.commit(segment.draft("wait.ended", {"step": name, "cause": "time"}))
    return After.LOOK


def _until(segment: Segment, form: Wait, name: str) -> datetime:
    now = segment.house.now()
    if isinstance(form.wait, timedelta):
        return now + form.wait
    text = resolve_text(form.wait.until, segment.scope(name), segment.scopes.before(name))
    until = moment_of(text)
    if until - now > LONGEST_WAIT:
        raise ExpressionError(
            f"{text} is too far away to wait for.", hint=f"At most {LONGEST_WAIT.days} days."
        )
    return until

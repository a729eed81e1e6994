"""Stopping a step that will not go on by itself: the fact that says so."""

from workflows.entry import Draft, Json
from workflows.errors import InterlockError
from workflows.flow import DEADLINE
from workflows.instances import is_undo, step_of
from workflows.run import LEFT, UNTOLD
from workflows.segment import Segment


def stop_draft(segment: Segment, name: str, code: str, words: str) -> Draft:
    """Return the fact that a person has to say how a step goes on.

    An item of a loop that goes on without it is left behind instead, unless it is the time of the
    whole run that is over: no item has failed then. In shadow nobody is asked for that: a step of
    which nothing can be told is left out.
    """
    node = segment.definition.outline[step_of(name)]
    is_left = node.is_in_loop_that_goes_on and not is_undo(name) and code != DEADLINE
    data: dict[str, Json] = {"step": name, "decision": "exception", "rule": code}
    if is_left:
        data = {"step": name, "decision": "skip", "rule": LEFT, "error_class": code}
    if segment.state.is_shadow:
        data = {"step": name, "decision": "skip", "rule": UNTOLD, "error_class": code}
    return segment.draft("decision.made", data, {"reason": segment.words(words)})


def code_of(error: InterlockError) -> str:
    """Return the short name of a refusal: `NoGateError` is `no_gate`."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")

"""Effects that have to wait although nothing is wrong with their run.

Why they have to is for whoever serves to say (`House.effects_wait`). The run says so once,
and is looked at again until it may go on.
"""

from datetime import timedelta

from workflows.segment import After, Next, Pause, Segment

AGAIN = timedelta(seconds=15)
HOLD = "hold"


def hold(segment: Segment, step: str, why: str) -> Next:
    """Have the branch wait for a while; its effect is not begun."""
    if not _was_said(segment, step):
        data = {"step": step, "decision": HOLD, "rule": "effects_wait"}
        said = segment.draft("decision.made", data, {"reason": segment.words(why)})
        if not segment.commit(said):
            return After.LOOK
    return Pause(until=segment.house.now() + AGAIN)


def _was_said(segment: Segment, step: str) -> bool:
    """Say whether the newest that happened to the step is that it waits."""
    _, entries = segment.house.store.history(segment.state.id)
    told = [one for one in entries if one.data.get("step") == step]
    return bool(told) and told[-1].data.get("decision") == HOLD

"""Effects that have to wait although nothing is wrong with their run.

Four things hold them back: whoever serves (`House.effects_wait`), the policy's freeze calendar,
a target that is not to be asked just now (`Action.busy`), and an approval that cannot be held
against fresh facts just now. The run says so once, and goes on by itself: it is looked at again
soon, or when the freeze ends. Who broke the glass over a step passes a freeze.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.batching import batch_in
from workflows.blast_radius import make_weighed
from workflows.entry import Entry, Json
from workflows.errors import InterlockError
from workflows.freezing import FREEZE, frozen, may_be_frozen
from workflows.moments import stamp
from workflows.ready import Ready
from workflows.segment import After, Next, Pause, Segment
from workflows.step_facts import facts_of
from workflows.store import Message, Subject, Unit

AGAIN = timedelta(seconds=15)
UNSAID = timedelta(minutes=1)  # For so long nobody is told that an approval cannot be checked.
SOONEST = timedelta(hours=1)  # How soon a freeze that was lifted early is noticed.
HOLD = "hold"
UNCHECKED = "cannot_be_checked"  # Whatever the reason: two that alternate would fill the log.


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why an effect waits: the rule, in words, and until when, if that is known."""

    rule: str
    words: str
    until: datetime | None = None
    again: timedelta = AGAIN  # When to look again, where nobody knows until when.

    @property
    def data(self) -> dict[str, Json]:
        """Return what the entry says beside the step."""
        until = {} if self.until is None else {"until": stamp(self.until)}
        return {"decision": HOLD, "rule": self.rule, **until}


def held_back(segment: Segment, name: str, ready: Ready | None = None) -> Next | None:
    """Have the branch wait if the effect of step `name` may not begin now; None where it may.

    Raises:
        InterlockError: the step could not be made ready, or judged.
    """
    why = segment.house.effects_wait()
    found = Hold(rule="effects_wait", words=why) if why is not None else None
    found = found or _freeze(segment, name, ready) or _busy(ready)
    return None if found is None else _hold(segment, name, found)


def held_unchecked(segment: Segment, name: str, error: InterlockError) -> Next:
    """Have the branch wait since its approval cannot be checked, with which nothing is wrong.

    It is said once that lasts, counted from the approval: by itself a blip is over in seconds.
    """
    granted, now = segment.state.step(name).granted_at, segment.house.now()
    if granted is None or now < granted + UNSAID:
        return Pause(until=now + AGAIN)
    words = f"a check of what was approved: {error.message}"
    return _hold(segment, name, Hold(rule=UNCHECKED, words=words))


def _freeze(segment: Segment, name: str, ready: Ready | None) -> Hold | None:
    policy, now = segment.house.policy(), segment.house.now()
    if not may_be_frozen(policy, now) or segment.state.step(name).is_broken:
        return None
    ready = ready or make_weighed(segment, segment.definition.step(name))
    ice = frozen(policy, facts_of(segment, ready))
    return None if ice is None else Hold(rule=FREEZE, words=ice.words, until=ice.until)


def _busy(ready: Ready | None) -> Hold | None:
    why = None if ready is None else ready.action.busy(ready.arguments)
    if why is None:
        return None
    return Hold(rule=why.error_class, words=why.words, again=timedelta(seconds=why.seconds))


def _hold(segment: Segment, name: str, why: Hold) -> Next:
    """Have the branch wait for a while; its effect is not begun."""
    if not _was_said(segment, name, why):
        data: dict[str, Json] = {"step": name, **why.data}
        said = segment.draft("decision.made", data, {"reason": segment.words(why.words)})
        if not segment.commit(said, also=lambda unit: _redraw(unit, segment, name)):
            return After.LOOK
    now = segment.house.now()
    return Pause(
        until=now + min(why.again, SOONEST) if why.until is None else min(why.until, now + SOONEST)
    )


def _redraw(unit: Unit, segment: Segment, name: str) -> None:
    """Show on the card of an approved request that it waits."""
    step = segment.state.step(name)
    if step.request is not None:
        card = batch_in(step.asked) or step.request
        unit.send(Message(subject=Subject.CARD, key=card, run=segment.state.id))


def _was_said(segment: Segment, name: str, why: Hold) -> bool:
    _, entries = segment.house.store.history(segment.state.id)
    said = newest_hold(entries, name)
    return said is not None and all(said.data.get(key) == one for key, one in why.data.items())


def newest_hold(entries: Sequence[Entry], step: str) -> Entry | None:
    """Return the entry that says that a step waits, if that is the newest that happened to it."""
    told = [one for one in entries if one.data.get("step") == step]
    return told[-1] if told and told[-1].data.get("decision") == HOLD else None

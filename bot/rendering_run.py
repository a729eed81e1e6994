"""Draws what is said about a run as a whole: its first message, its replies, its end."""

from datetime import timedelta

from bot.run_reading import RunRead, RunReader, told_to, words_of
from bot.views.outcome import RunOutcome, outcome
from bot.views.pieces import Rendered
from bot.views.run_root import RunRoot, StepLine, run_root
from bot.views.step_reply import reply_about, step_reply
from storage.outbox_rows import OutboxRows
from storage.outbox_values import MessagePlace
from workflows.entry import Entry, RunId
from workflows.moments import moment
from workflows.run import Phase, Status, StepState
from workflows.store import Subject

WAITING = frozenset({Status.WAITING, Status.QUEUED})
TOLD_ERRORS = frozenset({Phase.FAILED, Phase.EXCEPTION, Phase.IN_DOUBT})


def draw_root(read: RunRead, reader: RunReader, places: OutboxRows) -> Rendered:
    """Return the live state of a run."""
    waits_for, card = _waits_for(read)
    asked = read.asked(card) if card else None
    return run_root(
        RunRoot(
            run=read.id,
            title=read.definition.title,
            workflow=read.listed.workflow,
            version=read.listed.version,
            status=read.listed.status,
            requester=read.requester,
            trigger=read.listed.trigger,
            steps=tuple(_step(step.id, read.state.step(step.id)) for step in read.definition.steps),
            entries=len(read.entries),
            started_at=read.listed.started_at,
            finished_at=read.listed.finished_at,
            waits_for=waits_for,
            waits_until=moment(str(asked.data["expires"])) if asked is not None else None,
            waits_link=reader.link(_place_of(read, card, places)),
        )
    )


def _waits_for(read: RunRead) -> tuple[str, str]:
    """Return for what a run waits, in words, and the request if it is one."""
    if read.listed.status not in WAITING:
        return "", ""
    if read.listed.status is Status.QUEUED:
        return "another run that holds the same lock", ""
    for state in read.state.steps.values():
        if state.phase is Phase.ASKED and state.request and state.asked is not None:
            return _groups_of(state.asked), state.request
    return "", ""


def _groups_of(asked: Entry) -> str:
    stages = asked.data["stages"]
    groups = [
        str(name)
        for stage in (stages if isinstance(stages, list) else [])
        if isinstance(stage, dict) and isinstance(named := stage["from"], list)
        for name in named
    ]
    return ", ".join(dict.fromkeys(groups))


def _place_of(read: RunRead, card: str, places: OutboxRows) -> MessagePlace | None:
    if card:
        return places.place_of(Subject.CARD, card)
    if read.listed.status is not Status.QUEUED:
        return None
    holders = [one.data.get("holder") for one in read.of_kind("decision.made")]
    holder = next((str(one) for one in reversed(holders) if one), "")
    return places.place_of(Subject.ROOT, holder) if holder else None


def _step(name: str, state: StepState) -> StepLine:
    notes = []
    # A read is made again before an effect that rests on it; that is no further attempt.
    if state.attempt > 1 and state.phase is not Phase.OBSERVED:
        notes.append(f"attempt {state.attempt}")
    if state.error_class and state.phase in TOLD_ERRORS:
        notes.append(state.error_class)
    return StepLine(name=name, phase=state.phase, note=", ".join(notes))


def draw_reply(read: RunRead, key: str) -> Rendered | None:
    """Return the line about one entry, None if the run has no such entry."""
    entry = read.entry(key)
    if entry is None:
        return None
    asked = [read.known[ref] for ref in told_to(entry) if ref in read.known]
    return step_reply(
        reply_about(entry, actor=read.who(entry.actor), words=words_of(entry), asked=asked)
    )


def draw_outcome(read: RunRead, thread: str) -> Rendered | None:
    """Return what the requester is told at the end, None before it."""
    finished = read.listed.finished_at
    if finished is None:
        return None
    last = _what_ended_it(read)
    return outcome(
        RunOutcome(
            run=read.id,
            title=read.definition.title,
            status=read.listed.status,
            took=max(finished - read.listed.started_at, timedelta()),
            reason=words_of(last) if last is not None else "",
            by=read.who(last.actor) if last is not None else None,
            step=_step_of(read, last),
            thread=thread,
        )
    )


def _what_ended_it(read: RunRead) -> Entry | None:
    """Return the entry that made the run end as it did, if one alone did."""
    status = read.listed.status
    kinds = {
        Status.DENIED: ("approval.denied",),
        Status.EXPIRED: ("approval.expired",),
        Status.WITHDRAWN: ("approval.withdrawn",),
        Status.FAILED: ("action.failed", "step.observed"),
        Status.ABORTED: ("decision.made",),
        Status.CANCELLED: ("decision.made",),
    }.get(status, ())
    found = read.of_kind(*kinds) if kinds else []
    return found[-1] if found else None


def _step_of(read: RunRead, entry: Entry | None) -> str:
    if entry is None:
        return ""
    if isinstance(entry.data.get("step"), str):
        return str(entry.data["step"])
    asked = read.asked(str(entry.data.get("request", "")))
    return str(asked.data["step"]) if asked is not None else ""


def requester_of(read: RunRead) -> str:
    """Return the Slack person who asked, nothing if it was a schedule or a command line."""
    return read.listed.requester if read.listed.requester.startswith("slack:") else ""


def run_of(key: str) -> RunId:
    """Return the run that a key of the form `run/step…` begins with."""
    return RunId(key.partition("/")[0])

"""Draws what is said about a run as a whole: its first message and its replies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.rendering_cards import WITHDRAWN
from bot.run_reading import RunRead, RunReader, told_to, words_of, words_of_model
from bot.step_lines import step_lines
from bot.views.pieces import Rendered
from bot.views.run_root import RunRoot, run_root
from bot.views.step_reply import reply_about, step_reply
from bot.wording import is_web_address, joined, who_of
from storage.outbox_rows import OutboxRows
from storage.outbox_values import MessagePlace
from workflows.batching import batch_in
from workflows.chasing import REMINDED
from workflows.entry import Entry, RunId
from workflows.holding import HOLD
from workflows.message_keys import read_step_key
from workflows.moments import moment
from workflows.prompting import REMINDED as APPROVERS_REMINDED
from workflows.replay import replay
from workflows.run import Phase, Status, StepState
from workflows.store import Subject
from workflows.superseded import EDITED, changed_by
from workflows.trouble import troubles
from workflows.undoable import done, in_order

NEVER = datetime.max.replace(tzinfo=UTC)
_WAITS_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """What a run waits for, in words, until when, and the message where somebody can act."""

    words: str = ""
    until: datetime | None = None
    place: MessagePlace | None = None


def draw_root(read: RunRead, reader: RunReader, places: OutboxRows) -> Rendered:
    """Return the live state of a run."""
    wait = _waits_for(read, reader, places)
    return run_root(
        RunRoot(
            run=read.id,
            title=read.title,
            workflow=read.listed.workflow,
            version=read.listed.version,
            status=read.listed.status,
            requester=read.requester,
            trigger=read.listed.trigger,
            source=_source_of(read),
            steps=step_lines(read),
            entries=len(read.entries),
            started_at=read.listed.started_at,
            finished_at=read.listed.finished_at,
            is_shadow=read.state.is_shadow,
            waits_for=wait.words,
            waits_until=wait.until,
            waits_link=reader.link(wait.place),
        )
    )


def _source_of(read: RunRead) -> str:
    """Return the message that a run was asked for from, where it was."""
    said = str(read.entries[0].data.get("source") or "")
    return said if read.listed.trigger == "shortcut" and is_web_address(said) else ""


def _waits_for(read: RunRead, reader: RunReader, places: OutboxRows) -> _Wait:
    """Return for what a run waits: people first, then moments and other runs."""
    if read.listed.status is Status.QUEUED:
        return _in_front(read, reader)
    if read.listed.status is not Status.WAITING:
        return _Wait()
    found = [
        told(state, read.id, places)
        for phase, told in _WAITS.items()
        for state in read.state.steps.values()
        if state.phase is phase
    ]
    return _together(found) if found else _held(read)


def _together(found: Sequence[_Wait]) -> _Wait:
    """Return all that a run waits for, and where to act on what ends first."""
    soonest = min(found, key=lambda one: one.until or NEVER)
    words = list(dict.fromkeys(one.words for one in found if one.words))
    named, more = words[:_WAITS_TOLD], len(words) > _WAITS_TOLD
    return replace(soonest, words=joined([*named, "others"] if more else named, "and"))


def _for_approval(state: StepState, _run: str, places: OutboxRows) -> _Wait:
    if state.asked is None or state.request is None:
        return _Wait()
    return _Wait(
        words=_groups_of(state.asked),
        until=moment(str(state.asked.data["expires"])),
        place=places.place_of(Subject.CARD, batch_in(state.asked) or state.request),
    )


def _for_answer(state: StepState, run: str, places: OutboxRows) -> _Wait:
    groups = state.asked.data.get("from") if state.asked is not None else None
    named = ", ".join(map(str, groups)) if isinstance(groups, list) else "people"
    place = places.place_of(Subject.QUESTION, f"{run}/{state.request}")
    return _Wait(words=f"an answer of {named}", until=state.until, place=place)


def _for_child(state: StepState, _run: str, places: OutboxRows) -> _Wait:
    place = places.place_of(Subject.ROOT, state.child or "")
    return _Wait(words="another run that it started", place=place)


def _for_moment(state: StepState, _run: str, _places: OutboxRows) -> _Wait:
    return _Wait(words="a moment", until=state.until)


_WAITS = {
    Phase.ASKED: _for_approval,
    Phase.QUESTIONED: _for_answer,
    Phase.CALLED: _for_child,
    Phase.TIMED: _for_moment,
}


def _held(read: RunRead) -> _Wait:
    """Return why the run's next effect has to wait, if that is what it waits for."""
    decided = read.of_kind("decision.made")
    if not decided or decided[-1].data["decision"] != HOLD:
        return _Wait()
    words, until = words_of(decided[-1]).rstrip("."), decided[-1].data.get("until")
    if not isinstance(until, str):
        return _Wait(words=words)
    # The moment is shown in the reader's own zone, so that of the policy is left out.
    return _Wait(words=words.rpartition(", until ")[0] or words, until=moment(until))


def _groups_of(asked: Entry) -> str:
    stages = asked.data["stages"]
    groups = [
        str(name)
        for stage in (stages if isinstance(stages, list) else [])
        if isinstance(stage, dict) and isinstance(named := stage["from"], list)
        for name in named
    ]
    return ", ".join(dict.fromkeys(groups))


def _in_front(read: RunRead, reader: RunReader) -> _Wait:
    holder = reader.in_front(read)
    if holder is None:
        return _Wait(words="another run that is in front")
    asked = who_of(holder.requester, holder.requester_name).plain
    words = f"run {holder.id} of {holder.workflow}, asked for by {asked}"
    return _Wait(words=words, place=holder.place)


def draw_reply(read: RunRead, key: str, reader: RunReader, places: OutboxRows) -> Rendered | None:
    """Return the line about one entry, None if the run has none or another line tells of it."""
    entry = read.entry(key)
    if entry is None:
        return None
    if entry.kind == "run.cancelled":
        return _cancelled(read, entry)
    if _is_told_by_the_end(read, entry) or _is_overtaken(read, entry):
        return None
    words = words_of(entry) or words_of_model(entry)
    reply = replace(
        reply_about(entry, actor=read.who(entry.actor), words=words),
        is_program=read.is_of_program(entry),
    )
    if entry.kind == EDITED:
        changes = changed_by(read.definition, read.entries, entry)
        return step_reply(replace(reply, changes=changes))
    if entry.kind != REMINDED:
        asked = [read.known[ref] for ref in told_to(entry) if ref in read.known]
        return step_reply(replace(reply, asked=asked))
    asked = list(reader.named(told_to(entry)).values())
    return step_reply(replace(reply, asked=asked, card=reader.link(_card_of(read, entry, places))))


def _cancelled(read: RunRead, end: Entry) -> Rendered:
    """Return the line that ends a cancelled run: by whom, unless that was told, and what stays."""
    found = done(read.definition, read.state)
    left = {*found.undoable, *found.final, *found.unclear, *found.called}
    stays = [name for name in in_order(read.state) if name in left]
    reply = replace(reply_about(end), stays=stays)
    asked = next(one for one in reversed(read.entries) if one.data.get("decision") == "cancel")
    if not _is_told_by_the_end(read, asked):
        return step_reply(reply)
    return step_reply(replace(reply, actor=read.who(asked.actor), words=words_of(asked)))


def _is_told_by_the_end(read: RunRead, entry: Entry) -> bool:
    """Say whether `entry` cancelled its run at once, so that one line tells of both."""
    if entry.data.get("decision") != "cancel":
        return False
    later = (one.kind for one in read.entries if one.rseq > entry.rseq)
    return next((kind for kind in later if kind != WITHDRAWN), "") == "run.cancelled"


def _is_overtaken(read: RunRead, entry: Entry) -> bool:
    """Say whether a reminder that was on its way for a while is about nothing any more."""
    if entry.kind == REMINDED:
        standing = troubles(read.state, read.entries)
        return all(one.step != entry.data["step"] or one.rseq > entry.rseq for one in standing)
    if entry.kind != APPROVERS_REMINDED:
        return False
    card = batch_in(entry) or entry.data["request"]
    return not any(
        one.phase is Phase.ASKED and card in (one.request, batch_in(one.asked))
        for one in read.state.steps.values()
    )


def _card_of(read: RunRead, reminder: Entry, places: OutboxRows) -> MessagePlace | None:
    """Return where the card stands that a reminder is about."""
    before = [one for one in read.entries if one.rseq < reminder.rseq]
    standing = troubles(replay(read.id, before), before)
    card = next((one.card for one in standing if one.step == reminder.data["step"]), None)
    return places.place_of(card.subject, card.key) if card is not None else None


def requester_of(read: RunRead) -> str:
    """Return the Slack person who asked, nothing if it was a schedule or a command line."""
    return read.listed.requester if read.listed.requester.startswith("slack:") else ""


def run_of(key: str) -> RunId:
    """Return the run that a key of the form `run/step…` begins with."""
    return read_step_key(key).run

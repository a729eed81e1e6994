"""Draws the cards about what waits for a person: did it happen, how does it go on."""

from collections.abc import Iterator, Mapping

from bot.run_reading import RunRead, RunReader, words_of
from bot.views.doubt_card import DoubtCard, DoubtSettled, doubt_card
from bot.views.exception_card import (
    DoneEffect,
    ExceptionCard,
    Standing,
    Tried,
    TroubleSettled,
    exception_card,
)
from bot.views.pieces import Rendered
from bot.wording import Who
from workflows.chasing import asked_by_now
from workflows.entry import Entry
from workflows.exceptions import ANSWERS
from workflows.instances import is_undo
from workflows.message_keys import read_card_key
from workflows.replay import replay
from workflows.run import RunState
from workflows.telling import UNVERIFIED
from workflows.trouble import error_class_of, failed_tries
from workflows.undoable import done, in_order

_OF_THE_RUN = frozenset({"cancel", "abort", "undo"})  # Said of one step, they settle every one.


def draw_doubt(read: RunRead, key: str, reader: RunReader) -> Rendered | None:
    """Return the question whether an effect happened; None if there is no such doubt."""
    found = doubt_of(read, key, reader)
    return doubt_card(found) if found is not None else None


def doubt_of(read: RunRead, key: str, reader: RunReader) -> DoubtCard | None:
    """Return what a doubt's card is drawn from, None if there is no such doubt."""
    _, step, intent_id = read_card_key(key)
    intent = read.entry(intent_id)
    if intent is None:
        return None
    doubts = [one for one in read.of_kind("action.in_doubt") if _same_attempt(one, intent)]
    doubt = doubts[-1] if doubts else None
    return DoubtCard(
        run=read.id,
        step=step,
        entry=intent.id,
        title=read.title,
        what=read.line_about(step),
        key=str(intent.data["idem"]),
        cause=str(doubt.data["cause"]) if doubt is not None else "",
        since=intent.at,
        asked=_asked(read, step, intent, reader),
        asks_again=intent.data.get("request") is not None,
        is_program=read.is_of_program(intent),
        is_once=intent.data.get("once") is True,
        settled=_doubt_settled(read, intent),
    )


def _same_attempt(entry: Entry, intent: Entry) -> bool:
    return entry.rseq > intent.rseq and all(
        entry.data.get(name) == intent.data.get(name) for name in ("step", "attempt")
    )


def _doubt_settled(read: RunRead, intent: Entry) -> DoubtSettled | None:
    ends = [one for one in read.of_kind("action.resolved") if _same_attempt(one, intent)]
    if not ends:
        return None
    last = ends[-1]
    return DoubtSettled(
        happened=str(last.data["happened"]),
        by=read.who(last.actor),
        at=last.at,
        reason=words_of(last),
    )


def _asked(read: RunRead, step: str, since: Entry, reader: RunReader) -> tuple[Who, ...]:
    """Return owner and deputy, and the governors once they were reminded of it."""
    names = asked_by_now(step, read.entries, read.definition, since=since.rseq)
    return tuple(reader.named(names).values())


def draw_trouble(read: RunRead, key: str, reader: RunReader) -> Rendered | None:
    """Return the question how a run goes on; None if there is no such exception."""
    found = trouble_of(read, key, reader)
    return exception_card(found) if found is not None else None


def trouble_of(read: RunRead, key: str, reader: RunReader) -> ExceptionCard | None:
    """Return what an exception's card is drawn from, None if there is no such exception."""
    _, step, entry_id = read_card_key(key)
    stopped = read.entry(entry_id)
    if stopped is None:
        return None
    tries = [one for one in failed_tries(step, read.entries) if one.rseq <= stopped.rseq]
    answer = _answer(read, step, stopped)
    return ExceptionCard(
        run=read.id,
        step=step,
        entry=stopped.id,
        title=read.title,
        what=read.line_about(step) or "Its steps are over; what is left is to end it.",
        error_class=error_class_of(stopped),
        message=_message(stopped, tries),
        tried=tuple(Tried(at=one.at, came=_came(one)) for one in tries),
        performed=_performed(read, step, tries),
        done=tuple(_done(read, answer)),
        asked=_asked(read, step, stopped, reader),
        at=stopped.at,
        may_skip=bool(step),
        is_undoing=is_undo(step),
        settled=_trouble_settled(read, answer),
    )


def _message(stopped: Entry, tries: list[Entry]) -> str:
    """Return what came back: of the last try, if that is what stopped the step."""
    last = words_of(tries[-1]) if tries else ""
    is_last = bool(tries) and _came(tries[-1]) == error_class_of(stopped)
    return (last if is_last else words_of(stopped)) or last or words_of(stopped)


def _came(entry: Entry) -> str:
    if entry.kind in UNVERIFIED:
        return error_class_of(entry)
    return str(entry.data.get("error_class") or entry.data.get("cause") or "error")


def _performed(read: RunRead, step: str, tries: list[Entry]) -> str:
    """Return how much of the step's effect happened; nothing if it has none, or never began."""
    if not any(one.data["step"] == step for one in read.of_kind("action.intended")):
        return ""
    last = tries[-1] if tries else None
    if last is None or last.kind == "action.in_doubt":
        return read.state.step(step).performed
    if last.kind in UNVERIFIED:
        return "yes"
    now = str(last.data.get("performed", "no"))
    # What an earlier attempt did in part still stands, whatever the last one did not do.
    is_partly = any(one.data.get("performed") == "partly" for one in tries)
    return "partly" if now == "no" and is_partly else now


def _done(read: RunRead, answer: Entry | None) -> Iterator[DoneEffect]:
    """Yield what the run has changed, in the order in which it happened, and how it stands now.

    A card that was answered lists what was changed until then: it is not drawn again when what
    came after is over, and would show it for good as under way.
    """
    then = read.state if answer is None else replay(read.id, _until(read, answer))
    names = [name for _, name in _standing(read, then)]
    for standing, name in _standing(read, read.state):
        if name in names:
            what = f"{name}: {read.line_about(name)}"
            yield DoneEffect(name=name, what=what, standing=standing)


def _until(read: RunRead, last: Entry) -> Iterator[Entry]:
    return (one for one in read.entries if one.rseq <= last.rseq)


def _standing(read: RunRead, state: RunState) -> Iterator[tuple[Standing, str]]:
    """Yield what has an effect in that state, in the order in which it had it."""
    found = done(read.definition, state)
    headings: Mapping[Standing, tuple[str, ...]] = {
        # Of a run that has ended nothing is taken back any more.
        Standing.UNDOABLE if state.ended is None else Standing.KEPT: found.undoable,
        Standing.FINAL: found.final,
        Standing.UNDONE: found.undone,
        Standing.UNCLEAR: found.unclear,
        Standing.CALLED: found.called,
    }
    for name in in_order(state):
        standing = next((one for one, listed in headings.items() if name in listed), None)
        if standing is not None:
            yield standing, name


def _answer(read: RunRead, step: str, stopped: Entry) -> Entry | None:
    """Return the first answer to an exception, what ended its run included."""
    decisions = read.of_kind("decision.made", after=stopped.rseq)
    return next((one for one in decisions if _answers(one, step)), None)


def _answers(decision: Entry, step: str) -> bool:
    said = decision.data["decision"]
    return said in _OF_THE_RUN or (decision.data["step"] == step and said in ANSWERS)


def _trouble_settled(read: RunRead, answer: Entry | None) -> TroubleSettled | None:
    by = read.who(answer.actor) if answer is not None else None
    if answer is None or by is None:
        ended = read.state.ended
        return None if ended is None else TroubleSettled(at=read.entries[-1].at, ended=ended)
    return TroubleSettled(
        answer=str(answer.data["decision"]), by=by, at=answer.at, reason=words_of(answer)
    )

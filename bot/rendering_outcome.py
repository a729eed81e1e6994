"""Draws what a requester is told directly: what became of each request of a run, and its end."""

from collections.abc import Iterator
from datetime import timedelta

from bot.rendering_cards import said_in, withdrawn_because
from bot.run_reading import RunRead, words_of
from bot.views.outcome import RequestSettled, RunOutcome, outcome
from bot.views.pieces import Rendered
from bot.wording import Who
from storage.home_values import Told
from workflows.batching import batch_in
from workflows.entry import Entry
from workflows.gate import Outcome
from workflows.instances import items_of
from workflows.run import Status
from workflows.telling import BROKEN, CLOSED, DECIDED, settles_request

OUTCOMES = {
    "approval.granted": Outcome.APPROVED,
    "approval.denied": Outcome.DENIED,
    "approval.expired": Outcome.EXPIRED,
    "approval.withdrawn": Outcome.WITHDRAWN,
    "approval.edited": Outcome.SUPERSEDED,
    BROKEN: Outcome.APPROVED,
}


def draw_outcome(read: RunRead, thread: str, *, told: Told = Told.ALL) -> Rendered | None:
    """Return what the requester is told by now, None while nothing has come of the run.

    `told` says what they want to be told of.
    """
    shown = _outcome(read, thread)
    has_news = bool(shown.settled) or shown.has_ended
    return outcome(shown) if has_news and _is_wanted(shown, told) else None


def _is_wanted(shown: RunOutcome, told: Told) -> bool:
    if told is not Told.TROUBLE:
        return told is Told.ALL
    is_bad = any(one.outcome is not Outcome.APPROVED for one in shown.settled)
    return is_bad or (shown.has_ended and shown.status is not Status.DONE)


def _outcome(read: RunRead, thread: str) -> RunOutcome:
    finished = read.listed.finished_at
    last = ended_by(read)
    return RunOutcome(
        run=read.id,
        title=read.title,
        status=read.listed.status,
        took=_took(read),
        reason=words_of(last) if last is not None else "",
        by=read.who(last.actor) if last is not None else None,
        step=_step_of(read, last),
        thread=thread,
        settled=tuple(_settled(read)),
        is_shadow=read.state.is_shadow,
        asks_again=finished is None and _asks(read),
    )


def _took(read: RunRead) -> timedelta | None:
    finished = read.listed.finished_at
    return None if finished is None else max(finished - read.listed.started_at, timedelta())


def _settled(read: RunRead) -> Iterator[RequestSettled]:
    """Yield what became of each request, as it stands now, in the order they were raised."""
    for asked in read.of_kind("approval.requested"):
        request = str(asked.data["request"])
        ends = [one for one in _ends(read) if one.data["request"] == request]
        if not ends:
            continue
        last = ends[-1]
        yield RequestSettled(
            batch=batch_in(asked) or "",
            item=items_of(str(asked.data["step"]))[-1] + 1 if batch_in(asked) else 0,
            step=str(asked.data["step"]),
            outcome=OUTCOMES[last.kind],
            at=last.at,
            by=_by(read, last),
            is_alone=last.kind == BROKEN,
            reason=words_of(last) if last.kind in DECIDED else withdrawn_because(read, request),
        )


def _ends(read: RunRead) -> list[Entry]:
    return [one for one in read.of_kind(*DECIDED, *CLOSED) if settles_request(one)]


def _by(read: RunRead, last: Entry) -> tuple[Who, ...]:
    """Return the names of whoever approved, or of the one who ended it."""
    if last.kind != "approval.granted":
        who = read.who(last.actor)
        return () if who is None else (who,)
    agreed = [one for one in said_in(read, str(last.data["request"])) if one.kind == last.kind]
    people = [read.who(one.actor) for one in agreed]
    return tuple(one for one in people if one is not None)


def _asks(read: RunRead) -> bool:
    """Say whether some request is open now."""
    over = {one.data["request"] for one in _ends(read)}
    return any(one.data["request"] not in over for one in read.of_kind("approval.requested"))


def ended_by(read: RunRead) -> Entry | None:
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

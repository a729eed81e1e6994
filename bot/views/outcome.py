"""What a requester is told, privately: what became of each request of a run, and how it ended.

It is one message a run, updated as it goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block

from bot.views.batch_values import numbers
from bot.views.pieces import Rendered, context, plain_section, rendered, section, sections
from bot.views.symbols import IN_SHADOW, OUTCOME, STATUS, became
from bot.wording import (
    Who,
    bold,
    clip,
    code,
    duration,
    escape,
    joined,
    link,
    mention,
    one_line,
    plural,
    when,
)
from workflows.gate import Outcome
from workflows.run import Status

ALONE = "🧯", "let through with broken glass"
_WORDS, _REASON, _LINES, _NAMES = 1_500, 200, 8, 5

_NEXT = {
    Status.DENIED: "Nothing was changed by the rejected step.",
    Status.EXPIRED: "Nobody decided in time, so the step was not run. You can ask again.",
    Status.WITHDRAWN: "The step was not run. You can ask again.",
    Status.FAILED: "What earlier steps did stands; the thread says which.",
    Status.ABORTED: "What earlier steps did stands; the thread says which.",
    Status.CANCELLED: "What earlier steps did stands; the thread says which.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSettled:
    """What became of one request, who did it, and why."""

    step: str
    outcome: Outcome
    at: datetime
    by: Sequence[Who] = ()
    reason: str = ""
    is_alone: bool = False  # Somebody broke the glass.
    batch: str = ""  # With which others it was put to people, if with any.
    item: int = 0  # Which item of its loop it is about then.

    @property
    def words(self) -> tuple[str, str]:
        """The sign of it, and what was done with the request."""
        if self.is_alone:
            return ALONE
        sign, words = OUTCOME[self.outcome]
        return sign, words.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A run as its requester has to know it: how it ended and why, or what was decided so far."""

    run: str
    title: str
    status: Status
    took: timedelta | None = None  # None while it goes on.
    reason: str = ""  # A person's words, or what came back.
    by: Who | None = None
    step: str = ""
    thread: str = ""
    settled: Sequence[RequestSettled] = ()
    is_shadow: bool = False  # It changed nothing.
    asks_again: bool = False  # Some request is open now.

    @property
    def has_ended(self) -> bool:
        return self.took is not None


def outcome(told: RunOutcome) -> Rendered:
    """Build the message to the requester."""
    blocks: list[Block] = [section(_first(told))]
    if told.has_ended and told.reason:
        blocks += [context("The reason:"), plain_section(clip(told.reason, _WORDS))]
    if told.is_shadow and told.has_ended:
        blocks.append(section("It changed nothing; what people did by hand stands."))
    elif told.status in _NEXT:
        blocks.append(section(_NEXT[told.status]))
    there = link(told.thread, "Open its thread") if told.thread else ""
    took = f" · took {duration(told.took)}" if told.took is not None else ""
    blocks += [*_decided(told), context(f"Run {code(told.run)}{took}", there)]
    return rendered(_sentence(told), blocks)


def _first(told: RunOutcome) -> str:
    title = bold(told.title, 200)
    if not told.has_ended:
        sign, words = _newest(told, live=True)
        return f"{sign} Your run of {title}: {words}"
    if told.is_shadow:
        sign, words = IN_SHADOW
        return f"{sign} Your run of {title} is {words}."
    sign, words = STATUS[told.status]
    by = f" by {mention(told.by)}" if told.by is not None else ""
    at = f" at step {code(told.step)}" if told.step else ""
    return f"{sign} Your run of {title} ended: {words}{by}{at}."


def _newest(told: RunOutcome, *, live: bool) -> tuple[str, str]:
    """Return what was decided last, as a sentence, for a run that goes on."""
    if not told.settled:
        return STATUS[told.status]
    last = told.settled[-1]
    sign, words = last.words
    if last.batch:
        step = last.step.partition("/")[0]
        named = code(step) if live else escape(step, 80)
        some = [one.outcome for one in told.settled if one.batch == last.batch]
        return sign, f"of step {named}, {became(some)}."
    people = _people(last.by, live=live)
    step = code(last.step) if live else escape(last.step, 80)
    by = f" by {people}" if people else ""
    follows = _follows(told)
    is_told = last.outcome in (Outcome.APPROVED, Outcome.WITHDRAWN, Outcome.SUPERSEDED)
    return sign, f"step {step} was {words}{by}.{follows if is_told else ''}"


def _follows(told: RunOutcome) -> str:
    if told.asks_again:
        return " It waits for a decision again."
    if told.status in (Status.EXCEPTION, Status.IN_DOUBT):
        return f" The run is {STATUS[told.status][1]}."
    return " It goes on."


def _people(by: Sequence[Who], *, live: bool) -> str:
    """Return everybody who had to agree, a few by name."""
    told = [mention(one) if live else escape(one.plain, 80) for one in by[:_NAMES]]
    more = len(by) - len(told)
    return joined([*told, plural(more, "other")] if more else told, "and")


def _decided(told: RunOutcome) -> Iterator[Block]:
    """Yield what became of each request; one whose story is told above is not repeated."""
    every = [*_lines(told)]
    shown = every[-_LINES:]
    earlier = len(every) - len(shown)
    lines = [f"{plural(earlier, 'earlier request')}, in the run's thread"] if earlier else []
    lines += shown
    if lines:
        yield from sections(["*What became of its requests*", *lines])


def _lines(told: RunOutcome) -> Iterator[str]:
    """Yield a line for each request; items that came to the same together share one."""
    found: dict[tuple[object, ...], list[RequestSettled]] = {}
    for number, one in enumerate(told.settled):
        alone = () if one.batch else (number,)
        key = (one.batch, one.words, tuple(one.by), one.reason, *alone)
        found.setdefault(key, []).append(one)
    for some in found.values():
        yield _line(some[-1], told, items=[one.item for one in some if one.batch])


def _line(one: RequestSettled, told: RunOutcome, *, items: Sequence[int] = ()) -> str:
    sign, words = one.words
    named = code(one.step, 80)
    if items:
        noun = "item" if len(items) == 1 else f"{len(items)} items:"
        named = f"{code(one.step.partition('/')[0], 80)} {noun} {numbers(items)}"
    by = f" by {_people(one.by, live=True)}" if one.by else ""
    is_told = not one.reason or (told.has_ended and one.reason == told.reason)
    why = "" if is_told else f": “{escape(clip(one_line(one.reason), _REASON))}”"
    return f"{sign} {named} {words}{by} {when(one.at)}{why}"


def _sentence(told: RunOutcome) -> str:
    title = escape(told.title, 150)
    if not told.has_ended:
        sign, words = _newest(told, live=False)
        reason = told.settled[-1].reason if told.settled else ""
        return f"{sign} Your run of {title}: {words}{_because(reason)}"
    if told.is_shadow:
        sign, words = IN_SHADOW
        return f"{sign} Your run of {title} is {words}."
    sign, words = STATUS[told.status]
    by = f" by {escape(told.by.plain, 80)}" if told.by is not None else ""
    return f"{sign} Your run of {title} ended: {words}{by}{_because(told.reason, ': ')}"


def _because(reason: str, before: str = " ") -> str:
    return f"{before}{escape(reason, 300)}" if reason else ""

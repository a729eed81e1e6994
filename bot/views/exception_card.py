"""The card that asks owner and deputy how a run goes on after a step failed for good."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slack_sdk.models.blocks import Block, ButtonElement

from bot.error_words import SoFar, error_words
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    confirm,
    context,
    header,
    plain_section,
    rendered,
    section,
    sections,
)
from bot.views.symbols import STATUS
from bot.wording import (
    Who,
    bold,
    clip,
    code,
    escape,
    joined,
    mention,
    mentions,
    names,
    one_line,
    plural,
    when,
)
from workflows.message_keys import answer_value
from workflows.run import Status

RETRY = "exception.retry"
SKIP = "exception.skip"
ABORT = "exception.abort"
UNDO = "exception.undo"

_PERFORMED = {
    "": "Nothing was changed by it.",
    "no": "It certainly did not happen.",
    "partly": "Some of it may have happened.",
    "yes": "It happened, but what it should have changed could not be found.",
}
_ANSWERS = {
    "retry": ("🔁", "Tried again"),
    "skip": ("⏭️", "Skipped"),
    "abort": ("⏹️", "Aborted"),
    "undo": ("↩️", "Aborted, undoing begun"),
    "cancel": ("🚫", "Cancelled with the run"),
}
_DONE, _TRIED, _LISTED, _WORDS, _LINE = 12, 6, 5, 1_000, 150


class Standing(StrEnum):
    """What can become of an effect, as the card marks it."""

    UNDOABLE = "↩️ can be undone"
    FINAL = "🔒 cannot be undone"
    UNDONE = "✔️ undone"
    KEPT = "🔒 was not undone, and stays"
    UNCLEAR = "❓ may have happened in part"
    CALLED = "🔒 whatever its own run did stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneEffect:
    """Something that the run changed: which step, with what target."""

    name: str
    what: str
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One try and what came of it."""

    at: datetime
    came: str  # An error class.


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleSettled:
    """How it went on, and who said so, with what reason; or how its run ended without a word."""

    answer: str = ""
    by: Who | None = None
    at: datetime
    reason: str = ""
    ended: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionCard:
    """A step that will not succeed by itself."""

    run: str
    step: str
    entry: str  # Which entry made it ask.
    title: str
    what: str  # The step in one line.
    error_class: str
    message: str  # What the service or the check said, in its words.
    tried: tuple[Tried, ...]
    performed: str  # "" for what changes nothing, else "no", "partly", "yes" or "unknown".
    done: tuple[DoneEffect, ...]  # In the order in which it happened.
    asked: tuple[Who, ...]
    at: datetime
    may_skip: bool = True
    is_undoing: bool = False  # The step takes back another one.
    settled: TroubleSettled | None = None

    @property
    def value(self) -> str:
        return answer_value(self.run, self.step, self.entry)

    @property
    def at_step(self) -> str:
        """Return where it stopped, in words: at a step, or once only its end was left."""
        return f"step {self.step}" if self.step else "at its end"

    @property
    def so_far(self) -> str:
        """Return in one line what was tried, and what the run has changed."""
        found: dict[Standing, list[str]] = {one: [] for one in Standing}
        for one in self.done:
            found[one.standing].append(one.name)
        return SoFar(
            tries=len(self.tried),
            final=found[Standing.FINAL],
            undoable=found[Standing.UNDOABLE],
            unclear=found[Standing.UNCLEAR],
            called=found[Standing.CALLED],
        ).words

    @property
    def undoable(self) -> tuple[str, ...]:
        """Return what Abort and undo takes back, the last one first."""
        found = [one.name for one in self.done if one.standing is Standing.UNDOABLE]
        return () if self.is_undoing else tuple(reversed(found))


def exception_card(card: ExceptionCard) -> Rendered:
    """Build the question, or the record of its answer."""
    blocks: list[Block] = [
        header(f"Stopped: {card.title}, {card.at_step}"),
        section(_what_failed(card)),
        plain_section(clip(card.what, _WORDS)),
        *_said(card),
        *_attempts(card),
        *_standing(card),
    ]
    if card.settled is not None:
        return rendered(_record_sentence(card, card.settled), [*blocks, _record(card.settled)])
    return rendered(
        _question(card), [*blocks, section(_asked(card)), exception_buttons(card), _footer(card)]
    )


def _what_failed(card: ExceptionCard) -> str:
    words = bold(error_words(card.error_class), 200)
    short = f" ({code(card.error_class, 80)})" if card.error_class else ""
    if not card.step:
        return f"⚠️ {words}{short}, {when(card.at)}."
    happened = _PERFORMED.get(card.performed, "Whether it happened is not known.")
    return f"⚠️ {words}{short}, {when(card.at)}. {happened}"


def _said(card: ExceptionCard) -> list[Block]:
    if not card.message:
        return []
    return [context("What came back:"), plain_section(clip(card.message, _WORDS))]


def _attempts(card: ExceptionCard) -> list[Block]:
    if not card.step:
        return []
    if not card.tried:
        return [context("It was not tried: something stood in the way before that.")]
    shown = [f"• {when(one.at)}: {code(one.came or 'error', 80)}" for one in card.tried[-_TRIED:]]
    earlier = len(card.tried) - len(shown)
    if earlier:
        shown.insert(0, f"… {plural(earlier, 'attempt')} before these")
    told = f"*Tried {plural(len(card.tried), 'time')}*"
    return list(sections([told, *shown]))


def _standing(card: ExceptionCard) -> list[Block]:
    if not card.done:
        return [context("This run has changed nothing so far.")]
    shown = [f"• {clip(one_line(one.what), _LINE)}: {one.standing}" for one in card.done[:_DONE]]
    more = len(card.done) - len(shown)
    if more:
        shown.append(f"… and {more} more, in the run's history")
    return [section("*Done so far, in this order*"), plain_section("\n".join(shown))]


def _question(card: ExceptionCard) -> str:
    people = names(card.asked, "Its owner")
    where = f"{escape(card.title, 150)} stopped at {escape(card.step, 80) or 'its end'}"
    what = escape(error_words(card.error_class), 80)
    return f"⚠️ {where}: {what}. {people} has to say how it goes on."


def _asked(card: ExceptionCard) -> str:
    people = mentions(card.asked, "The workflow's owner")
    return f"{people}, please say how it goes on. The run waits until then."


def exception_buttons(card: ExceptionCard) -> Block:
    """Return the answers to the question how a run goes on."""
    found = [_retry(card), *([_skip(card)] if card.may_skip else []), _abort(card)]
    return actions(*found, *([_undo(card)] if card.undoable else []))


def _retry(card: ExceptionCard) -> ButtonElement:
    is_harmless = card.performed in ("", "no")
    question = confirm(
        "Try this step again?",
        "What of it has happened may happen a second time. It asks for approval again where"
        " the policy wants one.",
        yes="Try it again",
    )
    return button(
        "Retry from this step" if card.step else "Try again",
        RETRY,
        card.value,
        style="primary",
        confirm=None if is_harmless else question,
    )


def _skip(card: ExceptionCard) -> ButtonElement:
    follows = "The run goes on without it; later steps see no output of it."
    if card.is_undoing:
        follows = "What it should have taken back stays as it is. The rest is still undone."
    question = confirm("Skip this step?", follows, yes="Skip it")
    return button("Skip this step", SKIP, card.value, confirm=question)


def _abort(card: ExceptionCard) -> ButtonElement:
    follows = "The run ends here. What was done stays done"
    follows += "; nothing is undone." if card.done else "."
    question = confirm("Abort the run?", follows, yes="Abort the run")
    return button("Abort", ABORT, card.value, style="danger", confirm=question)


def _undo(card: ExceptionCard) -> ButtonElement:
    told = [clip(name, 30) for name in card.undoable[:_LISTED]]
    more = len(card.undoable) - len(told)
    listed = joined([*told, f"{more} more"] if more else told, "and")
    question = confirm(
        "Abort and undo?",
        f"Taken back, in this order: {listed}. Each asks for approval where the policy wants"
        " one. Then the run ends. What cannot be undone stays.",
        yes="Abort and undo",
    )
    return button("Abort and undo", UNDO, card.value, style="danger", confirm=question)


def _footer(card: ExceptionCard) -> Block:
    who = "for owner, deputy and governors"
    step = f"step {code(card.step)} · " if card.step else ""
    return context(f"Run {code(card.run)} · {step}{who}")


def _record(settled: TroubleSettled) -> Block:
    sign, words = _said_of(settled)
    by = f" by {mention(settled.by)}" if settled.by is not None else ""
    reason = f"\n“{escape(settled.reason, 300)}”" if settled.reason else ""
    return section(f"{sign} {bold(words)}{by} · {when(settled.at)}{reason}")


def _said_of(settled: TroubleSettled) -> tuple[str, str]:
    if settled.ended is not None:
        return STATUS[settled.ended][0], f"The run ended {settled.ended.words}"
    return _ANSWERS.get(settled.answer, ("❓", settled.answer))


def _record_sentence(card: ExceptionCard, settled: TroubleSettled) -> str:
    sign, words = _said_of(settled)
    by = f" by {escape(settled.by.plain, 80)}" if settled.by is not None else ""
    where = f"{escape(card.title, 150)}, {escape(card.at_step, 90)}"
    return f"{sign} {where}: {escape(words, 80)}{by}."

"""The card that asks owner and deputy how a run goes on after a step failed for good."""

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

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
)
from bot.wording import Who, bold, clip, code, escape, mention, mentions, names, plural, when

RETRY = "exception.retry"
SKIP = "exception.skip"
ABORT = "exception.abort"

_PERFORMED = {
    "no": "It certainly did not happen.",
    "partly": "Some of it may have happened.",
    "yes": "It happened, but what it should have changed could not be found.",
}
_ANSWERS = {
    "retry": ("🔁", "Tried again"),
    "skip": ("⏭️", "Skipped"),
    "abort": ("⏹️", "Aborted"),
    "cancel": ("🚫", "Cancelled with the run"),
}
_DONE, _WORDS = 12, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleSettled:
    """How it went on, and who said so."""

    answer: str
    by: Who
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionCard:
    """A step that will not succeed by itself."""

    run: str
    step: str
    title: str
    what: str  # What was tried, in one line.
    error_class: str
    message: str  # What the service or the check said, in its words.
    attempts: int
    performed: str  # "no", "partly" or "yes".
    done: tuple[str, ...]  # Effects of earlier steps that stand and cannot be undone.
    asked: tuple[Who, ...]
    at: datetime
    may_skip: bool = True
    settled: TroubleSettled | None = None

    @property
    def value(self) -> str:
        return f"{self.run}/{self.step}"


def exception_card(card: ExceptionCard) -> Rendered:
    """Build the question, or the record of its answer."""
    blocks: list[Block] = [
        header(f"Stopped: {card.title}, step {card.step}"),
        section(_what_failed(card)),
        plain_section(clip(card.what, _WORDS)),
        *_said(card),
        *_standing(card),
    ]
    if card.settled is not None:
        return rendered(_record_sentence(card, card.settled), [*blocks, _record(card.settled)])
    return rendered(
        _question(card), [*blocks, section(_asked(card)), _buttons(card), _footer(card)]
    )


def _what_failed(card: ExceptionCard) -> str:
    tried = plural(card.attempts, "attempt")
    happened = _PERFORMED.get(card.performed, "Whether it happened is not known.")
    return f"⚠️ {bold(card.error_class or 'error', 80)} after {tried}, {when(card.at)}. {happened}"


def _said(card: ExceptionCard) -> list[Block]:
    if not card.message:
        return []
    return [context("What came back:"), plain_section(clip(card.message, _WORDS))]


def _standing(card: ExceptionCard) -> list[Block]:
    if not card.done:
        return [context("No earlier step of this run changed anything.")]
    shown = [f"• {clip(one, 150)}" for one in card.done[:_DONE]]
    more = len(card.done) - len(shown)
    if more:
        shown.append(f"… and {more} more, in the run's history")
    return [section("*Already done, and not undone by aborting*"), plain_section("\n".join(shown))]


def _question(card: ExceptionCard) -> str:
    people = names(card.asked, "Its owner")
    where = f"{escape(card.title, 150)} stopped at {escape(card.step, 80)}"
    return (
        f"⚠️ {where} ({escape(card.error_class or 'error', 80)})."
        f" {people} has to say how it goes on."
    )


def _asked(card: ExceptionCard) -> str:
    people = mentions(card.asked, "The workflow's owner")
    return f"{people}, please say how it goes on. The run waits until then."


def _buttons(card: ExceptionCard) -> Block:
    retry = button("Retry from this step", RETRY, card.value, style="primary")
    skip = button(
        "Skip this step",
        SKIP,
        card.value,
        confirm=confirm(
            "Skip this step?",
            "The run goes on without it; later steps see no output of it.",
            yes="Skip it",
        ),
    )
    abort = button(
        "Abort",
        ABORT,
        card.value,
        style="danger",
        confirm=confirm("Abort the run?", "What was done stays done.", yes="Abort the run"),
    )
    return actions(retry, *([skip] if card.may_skip else []), abort)


def _footer(card: ExceptionCard) -> Block:
    return context(f"Run {code(card.run)} · step {code(card.step)}")


def _record(settled: TroubleSettled) -> Block:
    sign, words = _ANSWERS.get(settled.answer, ("❓", settled.answer))
    return section(f"{sign} {bold(words)} by {mention(settled.by)} · {when(settled.at)}")


def _record_sentence(card: ExceptionCard, settled: TroubleSettled) -> str:
    sign, words = _ANSWERS.get(settled.answer, ("❓", settled.answer))
    where = f"{escape(card.title, 150)}, step {escape(card.step, 80)}"
    return f"{sign} {where}: {escape(words, 80)} by {escape(settled.by.plain, 80)}."

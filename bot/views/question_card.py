"""The card that asks people something, and the form in which they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import limits
from bot.forms import blocks_for
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    context,
    header,
    plain,
    plain_section,
    rendered,
    section,
)
from bot.views.symbols import STATUS
from bot.wording import Who, bold, clip, code, escape, mention, mentions, names, utc, when
from workflows.definition_inputs import Input
from workflows.run import Status

ANSWER = "question.answer"
ANSWER_FORM = "question.form"

_WORDS, _VALUE, _LINES = 2_000, 300, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered:
    """Who answered, when, and what: titles with values, as they were given."""

    by: Who
    at: datetime
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCard:
    """A question of a run to people."""

    run: str
    request: str
    step: str
    title: str
    question: str
    asked: tuple[Who, ...]
    requester: Who
    expires: datetime
    answered: QuestionAnswered | None = None
    is_over: bool = False  # Nobody answers it any more.
    ended: Status | None = None  # How its run ended, if that is why.

    @property
    def value(self) -> str:
        return f"{self.run}/{self.request}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The fields of a question, as a form takes them; its request tells it from others."""

    inputs: Mapping[str, Input]
    version: str


def question_card(card: QuestionCard) -> Rendered:
    """Build the question, or the record of its answer."""
    blocks: list[Block] = [
        header(f"Question: {card.title}"),
        plain_section(clip(card.question, _WORDS)),
    ]
    if card.answered is not None:
        return rendered(_answer_sentence(card, card.answered), [*blocks, *_record(card.answered)])
    if card.is_over:
        words = f"{why_over(card)} It is not asked any more."
        return rendered(f"{escape(card.title, 150)}: {words}", [*blocks, section(words)])
    return rendered(
        _question_sentence(card),
        [
            *blocks,
            section(_asked(card)),
            actions(button("Answer", ANSWER, card.value, style="primary")),
            context(f"Run {code(card.run)} · step {code(card.step)}"),
        ],
    )


def _question_sentence(card: QuestionCard) -> str:
    people = names(card.asked, "Somebody")
    return (
        f"💬 {escape(card.title, 150)} asks {people} until {utc(card.expires)}:"
        f" {escape(card.question, 300)}"
    )


def why_over(card: QuestionCard) -> str:
    """Say why nobody is asked any more."""
    if card.ended is None:
        return "⌛ Nobody answered in time."
    sign, words = STATUS[card.ended]
    return f"{sign} The run is {words}."


def _asked(card: QuestionCard) -> str:
    people = mentions(card.asked, "Those who were asked")
    return (
        f"💬 {people}, please answer until {when(card.expires)}. The first answer counts."
        f" Asked for {mention(card.requester)}."
    )


def _record(answered: QuestionAnswered) -> list[Block]:
    lines = [f"{title}: {clip(value, _VALUE)}" for title, value in answered.said[:_LINES]]
    return [
        section(f"💬 {bold('Answered')} by {mention(answered.by)} · {when(answered.at)}"),
        *([plain_section("\n".join(lines))] if lines else []),
    ]


def _answer_sentence(card: QuestionCard, answered: QuestionAnswered) -> str:
    return f"💬 {escape(card.title, 150)}: answered by {escape(answered.by.plain, 80)}."


def question_form(
    card: QuestionCard, fields: Asked, *, values: Mapping[str, object] | None = None
) -> View:
    """Build the form in which a question is answered."""
    return View(
        type="modal",
        callback_id=ANSWER_FORM,
        private_metadata=card.value,
        title=plain("Answer", limits.VIEW_TITLE),
        submit=plain("Send", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        blocks=[
            plain_section(clip(card.question, _WORDS)),
            *blocks_for(fields, None, values),
            context(f"Run {code(card.run)} · step {code(card.step)}"),
        ],
    )

"""The card that asks owner and deputy what became of an effect nobody can be sure of."""

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.error_words import answered
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
from bot.wording import Who, bold, clip, code, escape, mention, mentions, names, when
from workflows.message_keys import answer_value

HAPPENED = "doubt.happened"
NOT_HAPPENED = "doubt.not_happened"
ABORT = "doubt.abort"

_CAUSES = {
    "crash": "the bot stopped between sending it and hearing back",
    "timeout": "no answer came in time",
    "left_running": "it had not ended when its time was over, and may still be at it",
    "reply_lost": "the connection broke before the answer came",
    "end_unknown": "nobody can say how the program ended",
}
_OF_PROGRAMS = {
    "crash": "the bot stopped before it had ended",
    "timeout": "it was stopped when its time was over",
}
_ANSWERS = {
    "yes": ("✅", "It happened"),
    "no": ("🔁", "It did not happen"),
    "unknown": ("⏹️", "Nobody can say, so it was aborted"),
}
_WORDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtSettled:
    """What was found; `by` is None when a probe or a late answer settled it."""

    happened: str
    by: Who | None
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtCard:
    """An effect that may or may not have happened."""

    run: str
    step: str
    entry: str  # Which entry made it ask.
    title: str
    what: str  # The effect in one line, as its plan named it.
    key: str  # The name under which the outside world knows the effect.
    cause: str
    since: datetime
    asked: tuple[Who, ...]
    asks_again: bool = True  # Running it again asks for approval again.
    is_program: bool = False  # It was started here, and is told no key.
    is_once: bool = False  # The target does nothing more under a key that it has had.
    settled: DoubtSettled | None = None

    @property
    def value(self) -> str:
        return answer_value(self.run, self.step, self.entry)


def doubt_card(card: DoubtCard) -> Rendered:
    """Build the question, or the record of its answer."""
    blocks: list[Block] = [
        header(f"Did it happen? {card.title}: {card.step}"),
        plain_section(clip(card.what, _WORDS)),
        section(f"{_begun(card)}, but {escape(_cause(card), 200)}. {_where(card)}"),
    ]
    if card.settled is not None:
        return rendered(
            _record_sentence(card, card.settled), [*blocks, _record(card, card.settled)]
        )
    return rendered(
        _question(card), [*blocks, section(_asked(card)), doubt_buttons(card), _footer(card)]
    )


def _cause(card: DoubtCard) -> str:
    causes = {**_CAUSES, **_OF_PROGRAMS} if card.is_program else _CAUSES
    return causes.get(card.cause) or answered(card.cause) or card.cause or "the cause is unknown"


def _begun(card: DoubtCard) -> str:
    return f"{'Started' if card.is_program else 'Sent'} {when(card.since)}"


def _where(card: DoubtCard) -> str:
    if card.is_program:
        return "Look where it would show what it has done; a program is told no key."
    return f"Look it up where it would show, under the key {code(card.key)}."


def _question(card: DoubtCard) -> str:
    people = names(card.asked, "Its owner")
    step, title = escape(card.step, 80), escape(card.title, 150)
    return f"❓ {title}: nobody knows whether {step} happened. {people} has to say."


def _asked(card: DoubtCard) -> str:
    people = mentions(card.asked, "The workflow's owner")
    again = " and asks for approval again" if card.asks_again else ""
    once = ", under the same key, of which the policy says that the target acts on it once"
    does = "starts" if card.is_program else "sends"
    same = once if card.is_once else ""
    return f"{people}, please say what happened. Running it again {does} it once more{same}{again}."


def doubt_buttons(card: DoubtCard) -> Block:
    """Return the answers to the question whether an effect happened."""
    return actions(
        button("It happened", HAPPENED, card.value, style="primary"),
        button(
            "It did not, run it again",
            NOT_HAPPENED,
            card.value,
            confirm=confirm(
                f"{'Start' if card.is_program else 'Send'} it once more?",
                _risk(card),
                yes="It did not happen",
            ),
        ),
        button(
            "Abort",
            ABORT,
            card.value,
            style="danger",
            confirm=confirm(
                "Abort the run?",
                "What was done stays done, and on record it stays unknown whether this was.",
                yes="Abort the run",
            ),
        ),
    )


def _risk(card: DoubtCard) -> str:
    if card.is_once:
        return "It is sent under the same key. The policy says that the target does it only once."
    return "If it did happen after all, it will have happened twice."


def _footer(card: DoubtCard) -> Block:
    nothing = f"nothing is {'started' if card.is_program else 'sent'}"
    return context(f"Run {code(card.run)} · step {code(card.step)} · {nothing} by itself")


def _record(card: DoubtCard, settled: DoubtSettled) -> Block:
    sign, words = _answer(settled)
    told_by = mention(settled.by) if settled.by is not None else _target(card)
    reason = f"\n“{escape(settled.reason, 300)}”" if settled.reason else ""
    return section(f"{sign} {bold(words)} · according to {told_by} · {when(settled.at)}{reason}")


def _record_sentence(card: DoubtCard, settled: DoubtSettled) -> str:
    sign, words = _answer(settled)
    told_by = settled.by.plain if settled.by is not None else _target(card)
    where = f"{escape(card.title, 150)}, step {escape(card.step, 80)}"
    return f"{sign} {where}: {escape(words, 80)}, according to {escape(told_by, 80)}."


def _target(card: DoubtCard) -> str:
    return "the program itself" if card.is_program else "the system it was sent to"


def _answer(settled: DoubtSettled) -> tuple[str, str]:
    if settled.happened == "unknown" and settled.by is None:
        return "⚠️", "Some of it may have happened"  # A card of its own asks how it goes on.
    return _ANSWERS.get(settled.happened, ("❓", settled.happened))

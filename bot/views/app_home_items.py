"""The things on a Home tab, each with the buttons that its own card has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.error_words import error_words
from bot.views.batch_card import deciding_buttons, is_whole
from bot.views.batch_values import BatchCard, row_of
from bot.views.doubt_card import DoubtCard, doubt_buttons
from bot.views.exception_card import ExceptionCard, exception_buttons
from bot.views.lists import RunLine, linked
from bot.views.pieces import actions, button, plain_section, section
from bot.views.plan import brief_of, effect_words, typed_by
from bot.views.question_card import ANSWER, QuestionCard
from bot.views.request_card import REVIEW, approve_button, reject_button, review_button
from bot.views.request_values import Preview, RequestCard
from bot.views.review_card import ReviewCard, review_buttons
from bot.views.symbols import OUTCOME, STATUS
from bot.wording import Who, clip, code, escape, length, mention, one_line, plural, when
from workflows.gate import Outcome, Verdict

_BRIEF = 700
_HEADLINE, _QUESTION, _WHAT, _TERMS = 200, 400, 160, 200

LOOKING = "I look whether it happened. If that cannot be found out, you are asked here."


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestItem:
    """A request that waits for the reader, and how far its present stage is.

    `stands_for` is in whose place the reader would decide it, if not in their own.
    """

    preview: Preview
    have: int
    need: int
    card: str = ""
    stands_for: Who | None = None


def request_item(item: RequestItem) -> list[Block]:
    """Return a request; Approve stands beside it where all there is to read does."""
    shown = item.preview
    brief = brief_of(shown, _BRIEF)
    if brief is None:
        headline = plain_section(clip(one_line(shown.headline), _HEADLINE))
        return [_request(item), headline, actions(review_button(shown), reject_button(shown))]
    typed = [plain_section(f"{typed_by(shown)}:\n{brief.typed}")] if brief.typed else []
    typed += [section(brief.live)] if brief.live else []
    review = button("Review", REVIEW, shown.value, spoken=f"Review {shown.title}")
    row = actions(approve_button(shown), review, reject_button(shown))
    return [_request(item), plain_section(brief.plan), *typed, row]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """A batch of which the reader may decide `some` of the items."""

    card: BatchCard
    some: Sequence[RequestCard]
    link: str = ""
    stands_for: Who | None = None


def batch_item(item: BatchItem) -> list[Block]:
    """Return a batch as one thing; Approve stands beside it where all there is to read does."""
    card, shown = item.card, item.card.shown
    place = f"In the place of {mention(item.stands_for)} · " if item.stands_for else ""
    until = when(min(one.preview.expires for one in item.some))
    step = code(shown.step.partition("/")[0], 80)
    words = section(
        f"✋ {linked(shown.title, item.link)} · {plural(len(item.some), 'item')} of {step}"
        f" ({effect_words(shown)})\n{place}asked by {mention(shown.asker)} · until {until}"
        f"{_terms(shown)}"
    )
    rows = "\n".join(row_of(one) for one in item.some)
    is_readable = is_whole(card) and not shown.inputs and length(rows) <= _BRIEF
    told = rows if is_readable else _first_of(item.some)
    row = deciding_buttons(card, item.some, is_readable=is_readable)
    return [words, plain_section(told), row]


def _first_of(some: Sequence[RequestCard]) -> str:
    more = f"… and {plural(len(some) - 1, 'more item')}, " if len(some) > 1 else "… all of it "
    return f"{clip(row_of(some[0]), _HEADLINE)}\n{more}behind Review"


def _request(item: RequestItem) -> Block:
    shown = item.preview
    place = f"In the place of {mention(item.stands_for)} · " if item.stands_for else ""
    return section(
        f"✋ {linked(shown.titled, item.card)} · {code(shown.step, 80)} ({effect_words(shown)})\n"
        f"{place}{item.have} of {plural(item.need, 'approval')} · asked by {mention(shown.asker)}"
        f" · until {when(shown.expires)} · what is approved {code(shown.digest[:8])}{_terms(shown)}"
    )


def _terms(shown: Preview) -> str:
    """Return what holds for a decision, for somebody who would else be refused."""
    terms = []
    if shown.reason_hints:
        terms.append(f"An approval needs a reason: {escape('; '.join(shown.reason_hints), _TERMS)}")
    elif shown.needs_reason:
        terms.append("A reason is asked for.")
    if shown.step_up:
        terms.append("An approval needs a code from your authenticator app.")
    if shown.hours:
        hours = escape(" and ".join(shown.hours), _TERMS)
        terms.append(f"It can be approved only {hours}.")
    return "".join(f"\n{one}" for one in terms)


def question_item(card: QuestionCard, link: str) -> list[Block]:
    """Return a question that the reader may answer."""
    words = section(
        f"💬 {linked(card.title, link)} · {code(card.step, 80)}\n"
        f"Asked for {mention(card.requester)} · until {when(card.expires)}"
    )
    answer = button(
        "Answer", ANSWER, card.value, style="primary", spoken=f"Answer the question of {card.title}"
    )
    return [words, plain_section(clip(card.question, _QUESTION)), actions(answer)]


def trouble_item(card: ExceptionCard, link: str) -> list[Block]:
    """Return a step that stopped, with the answers of its card."""
    what = escape(error_words(card.error_class), _WHAT)
    words = section(
        f"⚠️ {linked(card.title, link)} · {code(card.step, 80) or card.at_step}: {what}\n"
        f"{escape(clip(one_line(card.what), _WHAT))} · since {when(card.at)} · {code(card.run)}\n"
        f"So far {escape(card.so_far, _TERMS)}"
    )
    return [words, exception_buttons(card)]


def doubt_item(card: DoubtCard, link: str, *, is_asked: bool) -> list[Block]:
    """Return an effect in doubt, with the answers of its card once that asks for one."""
    words = section(
        f"❓ {linked(card.title, link)} · {code(card.step, 80)}: nobody knows whether it happened\n"
        f"{escape(clip(one_line(card.what), _WHAT))} · look for its key {code(card.key)}"
        f" · sent {when(card.since)}"
    )
    if not is_asked:
        return [words, plain_section(LOOKING)]
    return [words, doubt_buttons(card)]


def review_item(card: ReviewCard, link: str) -> list[Block]:
    """Return a broken glass that the reader is to review, with the answers of its card."""
    due = f"It was due {when(card.review_by)}" if card.is_overdue else f"Due {when(card.review_by)}"
    words = section(
        f"🧯 {mention(card.by)} broke the glass over {linked(card.title, link)} ·"
        f" {code(card.step, 80)} {when(card.at)}. Was that right? {due}."
    )
    reason = plain_section(clip(one_line(card.reason or "The reason was erased."), _QUESTION))
    return [words, reason, review_buttons(card)]


def run_item(line: RunLine) -> list[Block]:
    """Return one of the reader's own runs in a line."""
    sign, words = STATUS[line.status]
    note = f" · {escape(line.note, 100)}" if line.note else ""
    started = when(line.started_at)
    return [section(f"{sign} {linked(line.title, line.thread)} · {words}{note} · {started}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the reader decided last, and what became of the request."""

    title: str
    verdict: Verdict
    at: datetime
    outcome: Outcome
    is_used: bool
    card: str = ""


def said_words(said: Said) -> str:
    """Return in a line what the reader did and what follows."""
    done = "approved" if said.verdict is Verdict.APPROVE else "rejected"
    sign = "✅" if said.verdict is Verdict.APPROVE else "⛔"
    return f"{sign} You {done} {linked(said.title, said.card)} {when(said.at)}. {_follows(said)}"


def _follows(said: Said) -> str:
    if said.outcome is Outcome.OPEN:
        return "It waits for others now."
    if said.outcome is Outcome.APPROVED:
        return "The step has begun." if said.is_used else "It is approved."
    return f"{OUTCOME[said.outcome][1]}; the step does not run."

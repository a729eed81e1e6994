"""The approval card: what will run, why, who may decide, until when, and what came of it.

The body is drawn from the preview alone, so people decide over the bytes that are on record.
A plan that does not fit is shown in part, says so, and is approved where it can be read
whole: in the review modal of `request_modals`.
"""

from collections.abc import Iterator

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot import limits
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    context,
    header,
    message_weight,
    plain_section,
    rendered,
    section,
)
from bot.views.plan import Head, head_of
from bot.views.request_limits import (
    broken_line,
    glass_button,
    glass_lines,
    held_words,
    knowing,
    told_when_asked,
    warning,
)
from bot.views.request_progress import asked_because, asked_now, who_may_decide
from bot.views.request_values import Preview, RequestCard, Vote
from bot.views.symbols import BROKEN_GLASS, OUTCOME
from bot.wording import bold, clip, code, escape, link, mention, plural, utc, when
from workflows.gate import Outcome, Verdict
from workflows.own_workflows import is_own

APPROVE = "request.approve"
REJECT = "request.reject"
REVIEW = "request.review"
CHANGE = "request.change"

WHAT_COMES = "Approved, it runs. Rejected, or not decided by then, it does not."
WHAT_COMES_OF_UNDOING = (
    "Approved, it runs and takes that step back. Rejected, or not decided by then, it does not;"
    " the run ends there, and what is not taken back yet stays as it is."
)

# Together with the plan's head these stay below what one message may hold.
_COMMENT, _VOTES, _REASON = 120, 6, 1_200


def request_card(card: RequestCard) -> Rendered:
    """Build the card of a request in whatever state it is.

    Where so much else is to be said that Slack would refuse it, it shows less of the plan.
    """
    blocks = _blocks(card, share=1)
    if message_weight(blocks) > limits.MESSAGE_CHARACTERS:
        blocks = _blocks(card, share=2)
    return rendered(_sentence(card), blocks)


def _blocks(card: RequestCard, *, share: int) -> list[Block]:
    shown = card.preview
    head = head_of(shown, is_over=_is_over(card), share=share)
    blocks: list[Block] = [
        header(shown.heading),
        section(_state(card)),
        *warning(shown),
        *head.blocks,
        *told_when_asked(shown, is_open=card.is_open),
        *who_may_decide(card),
        *glass_lines(card),
        *_record(card),
        context(*_ids(card)),
    ]
    row = _buttons(card, head)
    return [*blocks, row] if row is not None else blocks


def _is_over(card: RequestCard) -> bool:
    """Say whether nothing comes of it any more: what was approved is still to run until then."""
    return not card.is_open and (card.outcome is not Outcome.APPROVED or card.is_consumed)


def _sentence(card: RequestCard) -> str:
    """Return the line for phones: who wants what, where, until when; or what came of it."""
    shown = card.preview
    asker, what = escape(shown.asker.plain, 80), escape(shown.heading, 300)
    due = utc(shown.expires)
    if card.is_open:
        people = escape(asked_now(card), 200)
        return f"{asker} asks {people} to approve until {due}: {what}"
    sign, words = _outcome(card)
    return f"{sign} {words}: {what} (asked by {asker}, open until {due})"


def _state(card: RequestCard) -> str:
    shown = card.preview
    asked = f"asked by {mention(shown.asker)}"
    sign, words = _outcome(card)
    if card.is_open:
        return f"{sign} {bold(words)} until {when(shown.expires)} · {asked}\n{_what_comes(shown)}"
    at = f" {when(card.settled_at)}" if card.settled_at is not None else ""
    return f"{sign} {bold(words)}{at} · {asked}\n{_consequence(card)}"


def _what_comes(shown: Preview) -> str:
    return WHAT_COMES_OF_UNDOING if shown.taken_back else WHAT_COMES


def _outcome(card: RequestCard) -> tuple[str, str]:
    if card.broken is not None and card.outcome is Outcome.APPROVED and card.broken.settles:
        return BROKEN_GLASS
    return OUTCOME[card.outcome]


def _consequence(card: RequestCard) -> str:
    """Say what the outcome means for the step: everything but approved means not run."""
    if card.outcome is Outcome.APPROVED:
        return _what_follows(card)
    if card.outcome is Outcome.SUPERSEDED:
        newer = link(card.successor, "the newer request") if card.successor else "a newer request"
        if card.edited_by is not None:
            return f"Not run: {mention(card.edited_by)} changed it, and {newer} took its place."
        return f"Not run: {newer} took its place."
    why = {
        Outcome.DENIED: "Not run: it was rejected.",
        Outcome.EXPIRED: "Not run: nobody decided in time. Whoever needs it asks again.",
        Outcome.WITHDRAWN: "Not run on this approval.",
    }
    return why[card.outcome]


def _what_follows(card: RequestCard) -> str:
    if card.is_consumed:
        return "The step has begun."
    return "The step is about to run." if card.hold is None else held_words(card.hold)


def _record(card: RequestCard) -> Iterator[Block]:
    """Yield who decided what and when, the reason, and the receipt."""
    shown = list(card.votes[-_VOTES:])
    earlier = len(card.votes) - len(shown)
    lines = [f"{plural(earlier, 'earlier decision')}, in the run's history"] if earlier else []
    reason = _reason(card)
    lines += [_vote_line(vote, told_below=reason) for vote in shown]
    lines += [broken_line(card.broken)] if card.broken is not None else []
    if lines:
        yield context(*lines)
    if reason:
        by_a_person = card.outcome is Outcome.DENIED
        yield context("The reason, in their words:" if by_a_person else "Why:")
        yield plain_section(_cut(reason))
    if card.receipt is not None:
        yield context(code(card.receipt.line))


def _reason(card: RequestCard) -> str:
    """Return why it was refused, whole: for the paragraph below the decisions."""
    if card.is_open or card.outcome is not Outcome.DENIED:
        return "" if card.is_open else card.reason
    denials = [vote.comment for vote in card.votes if vote.verdict is Verdict.DENY and vote.comment]
    return denials[-1] if denials else ""


def _cut(reason: str) -> str:
    whole = clip(reason, _REASON)
    return whole if whole == reason else f"{whole}\n(cut here; the whole stands in the history)"


def _vote_line(vote: Vote, *, told_below: str) -> str:
    sign, said = ("✅", "approved") if vote.verdict is Verdict.APPROVE else ("⛔", "rejected")
    is_told = vote.comment in ("", told_below)
    words = "" if is_told else f": “{escape(clip(vote.comment, _COMMENT), 160)}”"
    place = f" (for {mention(vote.stands_for)})" if vote.stands_for is not None else ""
    return f"{sign} {mention(vote.who)}{place} {said} {when(vote.at)}{words}"


def _ids(card: RequestCard) -> list[str]:
    shown = card.preview
    name = escape(shown.workflow, 80)
    return [
        f"Request {code(shown.request, 80)} · run {code(shown.run, 80)} · step {code(shown.step)}",
        f"What is approved {code(shown.digest[:8])} · {name} {code(shown.version[:8])}",
        asked_because(shown.rules),
        link(card.thread, "Open the run's thread") if card.thread else "",
    ]


def approve_button(shown: Preview) -> ButtonElement:
    """Return what approves a request whose plan can be read beside it."""
    # A proposal's title names its versions; what stands before them has room on a button.
    title = shown.title.partition(":")[0] if is_own(shown.workflow) else shown.title
    return button(
        f"Approve: {title}",
        APPROVE,
        shown.value,
        style="primary",
        spoken=f"Approve {shown.step}: {shown.title}",
        confirm=knowing(shown),
    )


def reject_button(shown: Preview) -> ButtonElement:
    """Return what asks for the reason of a rejection."""
    return button("Reject", REJECT, shown.value, spoken=f"Reject: {shown.title}")


def review_button(shown: Preview) -> ButtonElement:
    """Return what shows a plan that is too long to stand beside it; Approve is in there."""
    return button("Review all, then approve", REVIEW, shown.value, style="primary")


def _buttons(card: RequestCard, head: Head) -> ActionsBlock | None:
    shown = card.preview
    if card.is_open:
        first = approve_button(shown) if head.is_whole else review_button(shown)
        return actions(first, reject_button(shown), *_change(shown), *glass_button(card))
    left = [*_take_back(card), *glass_button(card)]
    return actions(*left) if left else None


def _take_back(card: RequestCard) -> list[ButtonElement]:
    may = card.outcome is Outcome.APPROVED and card.may_take_back and not card.is_consumed
    return [button("Take my approval back", REJECT, card.preview.value)] if may else []


def _change(shown: Preview) -> Iterator[ButtonElement]:
    """Yield the way to other values, where there are any and nothing was done with them yet.

    A proposal is what it is.
    """
    if shown.inputs and not is_own(shown.workflow) and not shown.taken_back:
        spoken = f"Change what is asked: {shown.title}"
        yield button("Change", CHANGE, shown.value, spoken=spoken)

"""The modals around a batch: approve or reject all of it, read it all, decide one by one.

Each carries in `private_metadata` which items it is about, which is the client's word: the
listener looks everything else up again, and the engine decides only what was shown.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, Option, RadioButtonsElement
from slack_sdk.models.views import View

from bot import limits
from bot.views.batch_values import BatchCard, number_of, numbers
from bot.views.pieces import actions, button, context, header, plain, plain_section, section
from bot.views.plan import item_texts, paged, typed_texts
from bot.views.request_modals import approval_inputs, code_input, reason_input
from bot.views.request_values import Preview, RequestCard
from bot.wording import escape, plural
from workflows.gate import Verdict

APPROVE_FORM = "batch.approve_form"
REVIEW_FORM = "batch.review_form"
REJECT_FORM = "batch.reject_form"
DECIDE_FORM = "batch.decide_form"
TURN_PAGE = "batch.page"
TURN_BACK = "batch.page_back"
VERDICT = "verdict"
REASON = "item_reason"

MOST_ON_A_PAGE = 12
_ITEM_BLOCKS = 6
_PAGE_BLOCKS, _PAGE_BYTES = 80, 180_000
LEAVE = "leave"
NO_CODES = (
    "🔑 An approval needs a one-time code, and you have none that count yet. Reject here what you"
    " like; Approve on the card says how to set them up."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for one item: which request, of which digest, and why."""

    request: str
    digest: str
    verdict: Verdict
    reason: str

    @property
    def reason_block(self) -> str:
        return f"{REASON}.{self.request}.{self.digest}"


def demanded(card: BatchCard, some: Sequence[RequestCard]) -> Preview:
    """Return a preview that wants with an approval whatever one of the items wants."""
    hints = dict.fromkeys(hint for one in some for hint in one.preview.reason_hints)
    return card.shown.model_copy(
        update={
            "needs_reason": any(one.preview.needs_reason for one in some),
            "step_up": next((one.preview.step_up for one in some if one.preview.step_up), ""),
            "reason_hints": tuple(hints),
        }
    )


def approve_all_modal(card: BatchCard, some: Sequence[RequestCard]) -> View:
    """Build the question for what the policy wants with approvals: a reason, a code."""
    return View(
        type="modal",
        callback_id=APPROVE_FORM,
        private_metadata=card.value(some),
        title=plain("Approve", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Approve", limits.VIEW_TITLE),
        blocks=[_about(card, some), *approval_inputs(demanded(card, some))],
    )


def reject_all_modal(card: BatchCard, some: Sequence[RequestCard]) -> View:
    """Build the question why all of them are rejected."""
    ends = [context("⚠️ The run ends with the first rejected item.")] if card.ends_run else []
    return _denying(card, some, ends, verb="Reject", question="Why do you reject them?")


def take_back_modal(card: BatchCard, some: Sequence[RequestCard]) -> View:
    """Build the question why all approvals that nothing has used yet are taken back."""
    told = "What has begun by the time you send this goes on; the rest is rejected."
    ends = " The run ends with the first rejected item." if card.ends_run else ""
    warned = [context(f"⚠️ {told}{ends}")]
    return _denying(card, some, warned, verb="Take back", question="Why do you take them back?")


def _denying(
    card: BatchCard,
    some: Sequence[RequestCard],
    warned: Sequence[Block],
    *,
    verb: str,
    question: str,
) -> View:
    return View(
        type="modal",
        callback_id=REJECT_FORM,
        private_metadata=card.value(some),
        title=plain(verb, limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain(verb, limits.VIEW_TITLE),
        blocks=[
            _about(card, some),
            *warned,
            reason_input(
                question,
                required=demanded(card, some).needs_reason,
                hint="The requester is told, and it stays on record for each of them.",
            ),
        ],
    )


def _about(card: BatchCard, some: Sequence[RequestCard]) -> Block:
    which = numbers([number_of(one) for one in some])
    noun = "item" if len(some) == 1 else "items"
    return plain_section(f"{card.shown.title}: {noun} {which}")


def review_all_modal(
    card: BatchCard,
    some: Sequence[RequestCard],
    *,
    whole: Mapping[str, Sequence[str]],
    page: int = 1,
) -> View:
    """Build one page of everything there is to read about some items; the last has Approve.

    `whole` are all lines of the plans of which a preview holds only the first.
    """
    pages = list(paged(list(_texts(card, some, whole))))
    page = min(max(page, 1), len(pages))
    is_last, value = page == len(pages), card.value(some)
    lacking = [one for one in some if one.preview.hidden and one.preview.request not in whole]
    may_approve = is_last and not lacking and bool(some)
    return View(
        type="modal",
        callback_id=REVIEW_FORM,
        private_metadata=value,
        title=plain("Review", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        submit=plain(f"Approve {len(some)}", limits.VIEW_TITLE) if may_approve else None,
        blocks=[
            header(f"{card.shown.title}: {plural(len(some), 'item')}"),
            *pages[page - 1],
            *_turning(value, page, len(pages)),
            *(approval_inputs(demanded(card, some)) if may_approve else ()),
            *(_unreadable(lacking) if is_last and lacking else ()),
        ],
    )


def _texts(
    card: BatchCard, some: Sequence[RequestCard], whole: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    yield from typed_texts(card.shown)
    for one in some:
        yield from item_texts(one.preview, _name(one), whole.get(one.preview.request))
    if not some:
        yield "Nothing of what was shown is open any more."


def _name(one: RequestCard) -> str:
    return f"{number_of(one)}. [{one.preview.digest[:8]}]"


def _unreadable(lacking: Sequence[RequestCard]) -> list[Block]:
    which = numbers([number_of(one) for one in lacking])
    told = f"The plan of item {which} cannot be shown whole, so not all can be approved here."
    return [section(f"⚠️ {told}")]


def _turning(value: str, page: int, last: int) -> list[Block]:
    turns = [
        button(label, action, f"{value}/{to}")
        for label, action, to in (
            ("Page before", TURN_BACK, page - 1),
            ("Next page", TURN_PAGE, page + 1),
        )
        if 1 <= to <= last
    ]
    if not turns:
        return []
    return [context(f"Page {page} of {last}. Approve stands on the last one."), actions(*turns)]


def decide_modal(
    card: BatchCard,
    *,
    after: int = 0,
    whole: Mapping[str, Sequence[str]],
    told: str = "",
    lacks_codes: bool = False,
) -> View | None:
    """Build the page of items that follow number `after`; None where none can be decided.

    What is chosen on a page is decided when it is sent, and the next page follows. `told` is
    mrkdwn about what came of the page before. Whoever `lacks_codes` only rejects what wants one.
    """
    left = [one for one in card.decidable if number_of(one) > after]
    if not left:
        return None
    wants_codes = [one.is_open and bool(one.preview.step_up) for one in left]
    drawn = _fitting(
        [
            _item(one, whole, may_approve=not (wants_code and lacks_codes))
            for one, wants_code in zip(left, wants_codes, strict=True)
        ]
    )
    some = left[: len(drawn)]
    further = len(left) - len(some)
    follow = "follows" if further == 1 else "follow"
    more = f" Then {plural(further, 'further item')} {follow}." if further else ""
    ends = " ⚠️ One rejected item ends the run." if card.ends_run else ""
    needs_code = any(wants_codes[: len(some)])
    return View(
        type="modal",
        callback_id=DECIDE_FORM,
        private_metadata=f"{card.id}/{number_of(some[-1])}",
        title=plain("Decide one by one", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        submit=plain("Decide", limits.VIEW_TITLE),
        blocks=[
            *([section(told)] if told else []),
            header(card.shown.title),
            context(f"What you choose counts once you press Decide.{more}{ends}"),
            *([context(NO_CODES)] if needs_code and lacks_codes else []),
            *(block for blocks in drawn for block in blocks),
            *([code_input(focus=False, optional=True)] if needs_code and not lacks_codes else []),
        ],
    )


def _fitting(items: Sequence[Sequence[Block]]) -> list[Sequence[Block]]:
    """Return as many of the first items as one page takes, one at least."""
    kept: list[Sequence[Block]] = []
    blocks = used = 0
    for item in items[:MOST_ON_A_PAGE]:
        size = sum(len(json.dumps(block.to_dict())) for block in item)
        if kept and (blocks + len(item) > _PAGE_BLOCKS or used + size > _PAGE_BYTES):
            break
        kept.append(item)
        blocks, used = blocks + len(item), used + size
    return kept


def _item(
    one: RequestCard, whole: Mapping[str, Sequence[str]], *, may_approve: bool
) -> list[Block]:
    texts = item_texts(one.preview, _name(one), whole.get(one.preview.request))
    shown = texts[:_ITEM_BLOCKS]
    is_readable = not one.preview.hidden or one.preview.request in whole
    is_whole = len(shown) == len(texts) and is_readable
    blocks: list[Block] = [plain_section(text) for text in shown]
    if not is_whole:
        blocks.append(context("… It is longer than fits here, so it is approved under Review."))
    approves = is_whole and one.is_open and may_approve
    return [*blocks, _verdict(one, may_approve=approves), _reason(one)]


def _verdict(one: RequestCard, *, may_approve: bool) -> InputBlock:
    leave = Option(value=LEAVE, text=plain("Leave it as it is", limits.OPTION))
    no = "Reject" if one.is_open else "Take my approval back"
    options = [
        *([_option(Verdict.APPROVE, "Approve")] if may_approve else []),
        _option(Verdict.DENY, no),
        leave,
    ]
    return InputBlock(
        block_id=f"{VERDICT}.{one.preview.request}.{one.preview.digest[:8]}",
        label=plain(f"Item {number_of(one)}", limits.LABEL),
        element=RadioButtonsElement(action_id=VERDICT, options=options, initial_option=leave),
    )


def _option(verdict: Verdict, words: str) -> Option:
    return Option(value=verdict.value, text=plain(words, limits.OPTION))


def _reason(one: RequestCard) -> InputBlock:
    shown = one.preview
    hint = "; ".join(shown.reason_hints) or "Required with a decision." * shown.needs_reason
    return reason_input(
        "Why",
        required=False,
        hint=hint,
        block_id=f"{REASON}.{shown.request}.{shown.digest[:8]}",
        focus=False,
    )


def choices_in(state: Mapping[str, Any]) -> list[Choice]:
    """Return what was chosen on a submitted page, items left as they are left out."""
    chosen = ((one, _chosen(state, one)) for one in _items_of(state))
    return [
        Choice(
            request=item.partition(".")[0],
            digest=item.partition(".")[2],
            verdict=Verdict(verdict),
            reason=_reason_of(state, item),
        )
        for item, verdict in chosen
        if verdict in set(Verdict)
    ]


def left_with_reason(state: Mapping[str, Any]) -> list[str]:
    """Return where a reason was typed about an item that is left as it is, by block."""
    left = (one for one in _items_of(state) if _chosen(state, one) not in set(Verdict))
    return [f"{REASON}.{one}" for one in left if _reason_of(state, one)]


def _items_of(state: Mapping[str, Any]) -> list[str]:
    """Return the requests of a page, each with the head of its digest."""
    named = (block.partition(".") for block in state.get("values", {}))
    return [rest for name, _, rest in named if name == VERDICT]


def _chosen(state: Mapping[str, Any], item: str) -> str:
    field = _values(state, f"{VERDICT}.{item}").get(VERDICT, {})
    return str((field.get("selected_option") or {}).get("value") or "")


def _reason_of(state: Mapping[str, Any], item: str) -> str:
    field = next(iter(_values(state, f"{REASON}.{item}").values()), None) or {}
    return str(field.get("value") or "").strip()


def _values(state: Mapping[str, Any], block: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state.get("values", {}).get(block, {})
    return found


def done_modal(told: str, *, decided: int, of: int) -> View:
    """Build what takes the place of the last page: how much of it was decided; `told` is mrkdwn."""
    title = "Decided" if decided == of else "Partly decided" if decided else "Not done"
    return View(
        type="modal",
        title=plain(title, limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section(told)],
    )


def counted(approved: int, rejected: int, not_done: Sequence[str]) -> str:
    """Say what came of a page: how many were decided how, and what was not, as mrkdwn."""
    done = f"✅ {approved} approved · ⛔ {rejected} rejected"
    return "\n".join([done, *(f"✋ Not decided: {escape(one, 300)}" for one in not_done)])

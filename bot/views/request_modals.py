"""The modals around an approval: read it all, approve with a reason or a code, reject.

Each carries only the request's value in `private_metadata`, which is the client's word: the
listener looks everything else up again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import actions, button, context, header, plain, plain_section, section
from bot.views.plan import brief_of, pages_of
from bot.views.request_limits import KNOWN, knowing_input
from bot.views.request_values import Preview
from bot.wording import clean, clip, code, mention, plural, when
from workflows.errors import ReasonMissingError

REVIEW_FORM = "request.review_form"
APPROVE_FORM = "request.approve_form"
REJECT_FORM = "request.reject_form"
TURN_PAGE = "request.page"
TURN_BACK = "request.page_back"
REASON = "reason"  # Both the block and the field in it.
CODE = "code"  # So here.

_BRIEF = 1_200


def review_modal(shown: Preview, whole: Sequence[str] | None = None, *, page: int = 1) -> View:
    """Build one page of everything there is to read; the last page has Approve.

    `whole` are all lines of the plan where the preview holds only the first of them. Without
    them such a plan cannot be read to its end, so it cannot be approved here either.
    """
    pages = pages_of(shown, whole)
    page = min(max(page, 1), len(pages))
    is_last = page == len(pages)
    missing = shown.hidden if whole is None else 0
    return View(
        type="modal",
        callback_id=REVIEW_FORM,
        private_metadata=shown.value,
        title=plain("Review", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        submit=plain("Approve", limits.VIEW_TITLE) if is_last and not missing else None,
        blocks=[
            header(shown.heading),
            *pages[page - 1],
            *_turning(shown, page, len(pages)),
            *_ending(shown, missing, is_last=is_last),
        ],
    )


def _turning(shown: Preview, page: int, last: int) -> list[Block]:
    if last == 1:
        return []
    turns = [
        button(label, action, f"{shown.value}/{to}")
        for label, action, to in (
            ("Page before", TURN_BACK, page - 1),
            ("Next page", TURN_PAGE, page + 1),
        )
        if 1 <= to <= last
    ]
    return [context(f"Page {page} of {last}. Approve stands on the last one."), actions(*turns)]


def _ending(shown: Preview, missing: int, *, is_last: bool) -> list[Block]:
    if not is_last:
        return []
    if missing:
        told = f"{plural(missing, 'line')} of the plan cannot be shown, so it cannot be approved."
        return [section(f"⚠️ {told}")]
    return [*knowing_input(shown), *approval_inputs(shown)]


def approval_inputs(shown: Preview) -> Iterator[Block]:
    """Yield what the policy wants with an approval: a reason, a code."""
    if shown.needs_reason:
        yield _reason_for_approving(shown)
    if shown.step_up:
        yield code_input(focus=not shown.needs_reason)


def code_input(*, focus: bool = True, optional: bool = False) -> InputBlock:
    """Build the field for a one-time code."""
    return InputBlock(
        block_id=CODE,
        optional=optional,
        label=plain("Code from your authenticator app", limits.LABEL),
        hint=plain("Six digits. Each counts once; the next comes within 30 seconds.", limits.HINT),
        element=PlainTextInputElement(action_id=CODE, max_length=16, focus_on_load=focus),
    )


def approve_modal(shown: Preview) -> View:
    """Build the question for what the policy wants with an approval: a reason, a code."""
    return View(
        type="modal",
        callback_id=APPROVE_FORM,
        private_metadata=shown.value,
        title=plain("Approve", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Approve", limits.VIEW_TITLE),
        blocks=[
            *_about(shown),
            *knowing_input(shown),
            *approval_inputs(shown),
        ],
    )


def _about(shown: Preview) -> Iterator[Block]:
    """Yield what is approved: all there is to read where it is short, else what it is called."""
    brief = brief_of(shown, _BRIEF)
    yield plain_section(clip(shown.title if brief is not None else shown.heading, limits.FIELD))
    if brief is not None:
        yield plain_section(brief.plan)
    asked, until = mention(shown.asker), when(shown.expires)
    yield context(f"What is approved {code(shown.digest[:8])} · asked by {asked} · until {until}")


def _reason_for_approving(shown: Preview) -> InputBlock:
    hints = "; ".join(shown.reason_hints)
    return reason_input(
        "Why do you approve?", hint=f"{hints}. It stays on record." if hints else ""
    )


def reject_modal(shown: Preview, *, reason_required: bool | None = None) -> View:
    """Build the question why; by default a reason is required where the policy wants one."""
    required = shown.needs_reason if reason_required is None else reason_required
    return View(
        type="modal",
        callback_id=REJECT_FORM,
        private_metadata=shown.value,
        title=plain("Reject", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Reject", limits.VIEW_TITLE),
        blocks=[
            plain_section(clip(shown.heading, limits.FIELD)),
            reason_input(
                "Why do you reject it?",
                required=required,
                hint="The requester is told, and it stays on record.",
            ),
        ],
    )


def reason_input(
    label: str, *, required: bool = True, hint: str = "", block_id: str = REASON, focus: bool = True
) -> InputBlock:
    """Build the field for a reason."""
    return InputBlock(
        block_id=block_id,
        label=plain(label, limits.LABEL),
        hint=plain(hint or "It stays on record.", limits.HINT),
        optional=not required,
        element=PlainTextInputElement(
            action_id=REASON, multiline=True, max_length=1_000, focus_on_load=focus
        ),
    )


def reason_of(view: Mapping[str, Any]) -> str:
    """Return the reason that a submitted view carries, or nothing."""
    return _typed(view, REASON)


def code_in(view: Mapping[str, Any]) -> str:
    """Return the one-time code that a submitted view carries, or nothing."""
    return _typed(view, CODE)


def _typed(view: Mapping[str, Any], name: str) -> str:
    state = view.get("state") or {}
    field = state.get("values", {}).get(name, {}).get(name, {})
    return str(field.get("value") or "").strip()


def asks_for_reason(view: Mapping[str, Any]) -> bool:
    """Say whether a submitted view has a field for the reason."""
    state = view.get("state") or {}
    return REASON in state.get("values", {})


def reason_fault(refused: ReasonMissingError) -> str:
    """Return what stands beside the field whose reason does not do, as plain text."""
    return clip(clean(str(refused)), limits.HINT)


def is_known(view: Mapping[str, Any]) -> bool:
    """Say whether the tick about an earlier denial is set in a submitted view."""
    state = view.get("state") or {}
    field = state.get("values", {}).get(KNOWN, {}).get(KNOWN, {})
    return bool(field.get("selected_options"))


def refused_modal(text: str) -> View:
    """Build what takes a modal's place when its submission was refused; `text` is mrkdwn."""
    return View(
        type="modal",
        title=plain("Not done", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section(text)],
    )


def loading_modal() -> View:
    """Build what opens at once, where the real one needs longer than Slack waits."""
    return View(
        type="modal",
        title=plain("One moment", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section("Looking it up …")],
    )

"""The modals around a broken glass: why it cannot wait, and what a reviewer says of it.

Each carries only ids in `private_metadata`, which is the client's word: the listener looks
everything else up again.
"""

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import plain, plain_section, section
from bot.views.request_modals import REASON, code_input
from bot.views.request_values import Preview
from bot.wording import clip
from workflows.glass import Finding

BREAK_FORM = "glass.break_form"
REVIEW_FORM = "glass.review_form"

_LABELS = {
    Finding.RIGHT: ("It was right", "Anything to add?"),
    Finding.NOT_RIGHT: ("It was not right", "Why was it not right?"),
}


def break_modal(shown: Preview) -> View:
    """Build the question for the reason."""
    return View(
        type="modal",
        callback_id=BREAK_FORM,
        private_metadata=shown.value,
        title=plain("Break glass", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Break glass", limits.VIEW_TITLE),
        blocks=[
            plain_section(clip(shown.heading, limits.FIELD)),
            section("🧯 You decide this alone. It runs at once, through a freeze too."),
            _words("Why can it not wait?", hint="People are alerted, and it stays on record."),
            *([code_input(focus=False)] if shown.step_up else []),
        ],
    )


def review_modal(use: str, finding: Finding, *, what: str) -> View:
    """Build the question for a comment; one is required where it was not right."""
    title, question = _LABELS[finding]
    return View(
        type="modal",
        callback_id=REVIEW_FORM,
        private_metadata=f"{use}/{finding.value}",
        title=plain(title, limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Record it", limits.VIEW_TITLE),
        blocks=[
            plain_section(clip(what, limits.FIELD)),
            _words(question, required=finding is Finding.NOT_RIGHT, hint="It stays on record."),
        ],
    )


def _words(label: str, *, required: bool = True, hint: str) -> InputBlock:
    return InputBlock(
        block_id=REASON,
        label=plain(label, limits.LABEL),
        hint=plain(hint, limits.HINT),
        optional=not required,
        element=PlainTextInputElement(
            action_id=REASON, multiline=True, max_length=1_000, focus_on_load=True
        ),
    )

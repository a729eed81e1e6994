"""The way from an old version to a newer one: a button beside a run, and the form behind it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import MOVE, MOVE_FORM, actions, button, plain, section, sections
from bot.views.request_modals import REASON
from bot.wording import code, escape

_NOTE = (
    "What has begun stays as it was done. What was approved is asked anew, and you do not decide"
    " that."
)
_LINE, _LINES = 300, 30


def move_row(run: str, version: str) -> ActionsBlock:
    """Build the row with the button."""
    return actions(button("Go by the newer version", MOVE, f"{run}/{version}"))


def move_form(about: str, *, before: str, after: str, changes: Sequence[str]) -> View:
    """Build the form; `about` is what its submission is told to be about."""
    lines = [f"• {escape(one, _LINE)}" for one in changes[:_LINES]]
    more = len(changes) - len(lines)
    rest = [f"… and {more} more: see the difference of the two versions"] if more > 0 else []
    return View(
        type="modal",
        callback_id=MOVE_FORM,
        private_metadata=about,
        title=plain("Newer version", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Go by it", limits.VIEW_TITLE),
        blocks=[
            section(f"The run goes on by {code(after[:8])} instead of {code(before[:8])}. {_NOTE}"),
            *sections(["*What differs*", *lines, *rest]),
            InputBlock(
                block_id=REASON,
                label=plain("Why?", limits.LABEL),
                hint=plain("It stays on record.", limits.HINT),
                element=PlainTextInputElement(
                    action_id=REASON, multiline=True, max_length=1_000, focus_on_load=True
                ),
            ),
        ],
    )

"""Clicks and modals around the glass: break it with a reason, say whether that was right.

Who may do so is for the engine. It is asked before the modal opens too, so that nobody writes
a reason in vain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.deciding import where
from bot.desk import Desk
from bot.payloads import Interaction, UnreadablePayloadError
from bot.previews import preview_of
from bot.shown_request import Shown
from bot.views.glass_modals import break_modal, review_modal
from bot.views.request_modals import reason_of
from workflows.breaking import Breaking
from workflows.errors import RequestClosedError
from workflows.glass import Finding
from workflows.reviewing import Review

Answer = Mapping[str, Any]

CLOSE: Answer = {"response_action": "clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakingGlass:
    """The listeners' part in broken glass."""

    desk: Desk

    def ask_reason(self, click: Interaction) -> None:
        """Ask for the reason; anybody who may not break the glass is told why not."""
        shown = Shown.read(click.press.said)
        self.desk.engine.may_break_glass(shown.request, click.caller.person)
        modal = break_modal(preview_of(self.desk.store, shown.request))
        self.desk.hurried.open(click.trigger_id, modal)

    def by_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Record that somebody decides alone, with their reason."""
        shown, caller = Shown.read(sent.sent.private_metadata), sent.caller
        self.desk.engine.break_glass(
            Breaking(
                request=shown.request,
                person=caller.person,
                reason=reason_of({"state": sent.sent.state}),
                shown=shown.digest,
                slack=where(sent),
                delivery=caller.delivery,
            )
        )
        return CLOSE

    def ask_comment(self, click: Interaction, finding: Finding) -> None:
        """Ask a reviewer for a comment; what is reviewed already says at once that it is."""
        use = self.desk.store.glass_use(click.press.said)
        if use.finding is not None:
            raise RequestClosedError("This is reviewed already.", hint="Nothing was changed.")
        what = f"Step {use.step} of run {use.run}"
        self.desk.hurried.open(click.trigger_id, review_modal(use.id, finding, what=what))

    def reviewed_by_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Record what a reviewer says."""
        use, _, finding = sent.sent.private_metadata.partition("/")
        if finding not in set(Finding):
            raise UnreadablePayloadError("This form does not say what it is about.")
        self.desk.engine.review_glass(
            Review(
                use=use,
                person=sent.caller.person,
                finding=Finding(finding),
                comment=reason_of({"state": sent.sent.state}),
                delivery=sent.caller.delivery,
            )
        )
        return CLOSE

"""Clicks and modals around an approval card: approve, reject with a reason, read it all.

A click counts only for what its card showed: the button carries the request and the head of
its digest, and everything else is looked up. Who may decide is for the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.changing import leading_on
from bot.desk import Desk
from bot.payloads import Interaction
from bot.previews import plan_lines, preview_of
from bot.refusals import refusal
from bot.request_readers import admit_reader
from bot.shown_request import Shown
from bot.stepping_up import SteppingUp
from bot.views.request_limits import KNOWN
from bot.views.request_modals import (
    CODE,
    REASON,
    approve_modal,
    asks_for_reason,
    code_in,
    is_known,
    reason_fault,
    reason_of,
    refused_modal,
    reject_modal,
    review_modal,
)
from bot.views.request_values import Preview
from bot.wording import code
from storage.home_listing import open_request
from storage.listing import refs_of
from workflows.deciding import said_already
from workflows.entry import Json
from workflows.errors import (
    NoCodesError,
    ReasonMissingError,
    WrongCodeError,
)
from workflows.gate import Outcome, Verdict, standing, tally
from workflows.orders import Ballot, Decided

Answer = Mapping[str, Any]

CLOSE: Answer = {"response_action": "clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """The listeners' part in approvals."""

    desk: Desk

    def approve(self, click: Interaction) -> None:
        """Record an approval, or ask for what the policy wants with it: a reason, a code."""
        shown = Shown.read(click.press.said)
        asked = self.desk.store.request(shown.request)
        is_open, is_coded = asked.outcome is Outcome.OPEN, asked.terms.step_up is not None
        if is_open and (asked.needs_reason or is_coded):
            self._admit(click, shown, Verdict.APPROVE)
        if is_open and is_coded and SteppingUp(desk=self.desk).offer(click):
            return
        if is_open and (asked.needs_reason or is_coded):
            modal = approve_modal(preview_of(self.desk.store, shown.request))
            self.desk.hurried.open(click.trigger_id, modal)
            return
        self._decide(click, shown, Verdict.APPROVE)

    def reject(self, click: Interaction) -> None:
        """Ask for the reason, unless it would count for nothing whatever the reason."""
        shown = Shown.read(click.press.said)
        self._admit(click, shown, Verdict.DENY)
        modal = reject_modal(preview_of(self.desk.store, shown.request))
        self.desk.hurried.open(click.trigger_id, modal)

    def _admit(self, click: Interaction, shown: Shown, verdict: Verdict) -> None:
        """Refuse what would count for nothing before anybody is asked for words or a code."""
        _refuse_repeated(self.desk, click, verdict)
        with leading_on(self.desk):
            self.desk.engine.may_decide(_ballot(click, shown, verdict))

    def review(self, click: Interaction) -> None:
        """Show everything there is to read about the request, to whoever may read it."""
        shown = Shown.read(click.press.said)
        preview, lines = self._all_of(click, shown)
        self.desk.hurried.open(click.trigger_id, review_modal(preview, lines))

    def turn_page(self, click: Interaction) -> None:
        """Show another page of it in the same modal."""
        value, _, page = click.press.said.rpartition("/")
        preview, lines = self._all_of(click, Shown.read(value))
        modal = review_modal(preview, lines, page=int(page) if page.isdecimal() else 1)
        self.desk.hurried.update(click.sent.id, click.sent.hash, modal)

    def _all_of(self, click: Interaction, shown: Shown) -> tuple[Preview, list[str] | None]:
        """Return what is shown of a request, and all lines of its plan where these are more."""
        store = self.desk.store
        admit_reader(self.desk, click.caller, store.request(shown.request))
        preview = preview_of(store, shown.request)
        return preview, plan_lines(store, shown.request) if preview.hidden else None

    def approve_by_modal(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Record an approval given in a modal; an earlier denial has to be known."""
        shown = Shown.read(sent.sent.private_metadata)
        denied = preview_of(self.desk.store, shown.request).denied
        if denied is not None and not is_known({"state": sent.sent.state}):
            told = "Tick that you know of it, or reject the request."
            return {"response_action": "errors", "errors": {KNOWN: told}}
        return self._decide_by_modal(sent, Verdict.APPROVE)

    def reject_by_modal(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Record a rejection with its reason."""
        return self._decide_by_modal(sent, Verdict.DENY)

    def _decide_by_modal(self, sent: Interaction, verdict: Verdict) -> Answer:
        """Record a verdict; a reason or a code that does not do is said beside its field."""
        try:
            self._decide(sent, Shown.read(sent.sent.private_metadata), verdict)
        except (WrongCodeError, NoCodesError) as refused:
            return code_refused(self.desk, refused)
        except ReasonMissingError as refused:
            if not asks_for_reason({"state": sent.sent.state}):
                raise
            return {"response_action": "errors", "errors": {REASON: reason_fault(refused)}}
        return CLOSE

    def _decide(self, done: Interaction, shown: Shown, verdict: Verdict) -> Decided:
        with leading_on(self.desk):
            return self.desk.engine.decide(_ballot(done, shown, verdict))


def _ballot(done: Interaction, shown: Shown, verdict: Verdict) -> Ballot:
    view = {"state": done.view.state} if done.view is not None else {}
    return Ballot(
        request=shown.request,
        person=done.caller.person,
        verdict=verdict,
        shown=shown.digest,
        comment=reason_of(view),
        code=code_in(view),
        slack=where(done),
        delivery=done.caller.delivery,
    )


def code_refused(desk: Desk, refused: WrongCodeError | NoCodesError) -> Answer:
    """Say beside its field that a code is wrong, or in place of the modal that there are none."""
    if isinstance(refused, WrongCodeError):
        return {"response_action": "errors", "errors": {CODE: str(refused)}}
    how = f"{refusal(refused)} Type {code(f'{desk.command} totp')}."
    return {"response_action": "update", "view": refused_modal(how).to_dict()}


def _refuse_repeated(desk: Desk, click: Interaction, verdict: Verdict) -> None:
    """Tell whoever has said the same already, before they are asked for words or a code."""
    found = open_request(desk.store.database, Shown.read(click.press.said).request)
    if found is None:
        return
    asked, decisions = found
    own = refs_of(desk.store.database, click.caller.person)
    if not any(one.approver in own and one.verdict is verdict for one in standing(decisions)):
        return
    waiting = (asked.stages[index] for index in tally(asked, decisions).waiting)
    groups = dict.fromkeys(name for stage in waiting for name in stage.all_groups)
    hint = f"It waits for others: {' or '.join(groups)}. Your click changed nothing."
    raise said_already(verdict, hint=hint)


def where(done: Interaction) -> Json:
    """Return where in Slack this was said, as entries name it."""
    stamp = done.actions[0].action_ts if done.actions else ""
    return {"team": done.caller.team, **done.place, "event_ts": stamp}

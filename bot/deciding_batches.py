"""Clicks and modals around the card of a batch: all of it, or one item after the other.

A click counts only for the items that its card showed. Who may decide each of them is for the
engine; what was not decided, and why, is told to whoever clicked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.models.views import View

from bot.deciding import CLOSE, Answer, code_refused, where
from bot.desk import Desk
from bot.payloads import Interaction, UnreadablePayloadError
from bot.previews import plan_lines
from bot.rendering_batches import batch_of
from bot.request_readers import admit_reader
from bot.run_reading import RunReader
from bot.stepping_up import SteppingUp
from bot.views.batch_modals import (
    Choice,
    approve_all_modal,
    choices_in,
    counted,
    decide_modal,
    demanded,
    done_modal,
    left_with_reason,
    reject_all_modal,
    review_all_modal,
    take_back_modal,
)
from bot.views.batch_values import BatchCard, BatchShown, numbers
from bot.views.request_modals import REASON, asks_for_reason, code_in, reason_of
from bot.views.request_values import RequestCard
from bot.wording import plural
from storage.step_up import has_codes
from workflows.deciding import SHOWN
from workflows.entry import RequestId
from workflows.errors import (
    InterlockError,
    NoCodesError,
    PartlyDecidedError,
    RequestClosedError,
    UnknownRunError,
    WrongCodeError,
)
from workflows.gate import ApprovalRequest, Outcome, Verdict
from workflows.instances import items_of
from workflows.orders import Ballot, Decided, Refused
from workflows.policy_reason import misfit

ERASED = "What was asked here has been erased, so nothing of it can be decided."
REQUIRED = "Say why in a few words."
UNDECIDED = "You said why, but the item is left as it is: choose above, or empty this."
MOST_TOLD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A batch as it stands, and which of its requests a button or modal showed."""

    card: BatchCard
    asked: Sequence[ApprovalRequest]
    shown: BatchShown

    @property
    def named(self) -> list[ApprovalRequest]:
        """Return the requests that were shown, whatever became of them since."""
        return [one for one in self.asked if one.binding[:SHOWN] in self.shown.digests]

    @property
    def open(self) -> list[RequestCard]:
        """Return those of them that are open."""
        return self._shown(self.card.open)

    @property
    def turning(self) -> list[RequestCard]:
        """Return those of them of which an approval can still be taken back."""
        return self._shown(self.card.turning)

    def _shown(self, some: Sequence[RequestCard]) -> list[RequestCard]:
        return [one for one in some if one.preview.digest[:SHOWN] in self.shown.digests]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingBatches:
    """The listeners' part in batches."""

    desk: Desk

    def approve(self, click: Interaction) -> None:
        """Approve everything that the card showed, or ask for what the policy wants with it."""
        found = self._found(click.press.said)
        wanted = demanded(found.card, found.open)
        if not wanted.step_up and not wanted.needs_reason:
            self._decide_all(click, found, Verdict.APPROVE)
            return
        self._admit(click, found, found.open, Verdict.APPROVE)
        if wanted.step_up and SteppingUp(desk=self.desk).offer(click):
            return
        self.desk.hurried.open(click.trigger_id, approve_all_modal(found.card, found.open))

    def reject(self, click: Interaction) -> None:
        """Ask why, unless nothing of it would count; what is closed says what became of it."""
        found = self._found(click.press.said)
        if not found.open:
            self._decide_all(click, found, Verdict.DENY)
            return
        self._admit(click, found, found.open, Verdict.DENY)
        self.desk.hurried.open(click.trigger_id, reject_all_modal(found.card, found.open))

    def take_back(self, click: Interaction) -> None:
        """Ask why all approvals are taken back that the card showed as not used yet."""
        found = self._found(click.press.said)
        if not found.turning:
            raise RequestClosedError("Nothing of this can be taken back any more.")
        self._admit(click, found, found.turning, Verdict.DENY)
        self.desk.hurried.open(click.trigger_id, take_back_modal(found.card, found.turning))

    def review(self, click: Interaction) -> None:
        """Show everything there is to read about what the card showed, to whoever may read it."""
        found = self._readable(click, click.press.said)
        modal = review_all_modal(found.card, found.open, whole=self._whole(found.open))
        self.desk.hurried.open(click.trigger_id, modal)

    def turn_page(self, click: Interaction) -> None:
        """Show another page of it in the same modal."""
        value, _, page = click.press.said.rpartition("/")
        found = self._readable(click, value)
        modal = review_all_modal(
            found.card,
            found.open,
            whole=self._whole(found.open),
            page=int(page) if page.isdecimal() else 1,
        )
        self.desk.hurried.update(click.sent.id, click.sent.hash, modal)

    def decide(self, click: Interaction) -> None:
        """Open the first page of the items that can be decided, to whoever can decide one."""
        found = self._readable(click, click.press.said)
        modal = self._page(click, found.card)
        if modal is None:
            raise RequestClosedError("Nothing of this can be decided any more.")
        self._admit_to_any(click, found)
        self.desk.hurried.open(click.trigger_id, modal)

    def _page(
        self, done: Interaction, card: BatchCard, *, after: int = 0, told: str = ""
    ) -> View | None:
        """Return the items after a number, for whoever clicked; to reject nobody needs a code."""
        wants_codes = any(one.preview.step_up for one in card.open)
        lacks = wants_codes and not has_codes(self.desk.store.database, done.caller.person)[0]
        whole = self._whole(card.decidable)
        return decide_modal(card, after=after, whole=whole, told=told, lacks_codes=lacks)

    def _admit(
        self, click: Interaction, found: _Found, some: Sequence[RequestCard], verdict: Verdict
    ) -> None:
        """Refuse what would count for no item before anybody is asked for words or a code."""
        shown = {one.preview.request for one in some}
        asked = [one for one in found.named if one.id in shown]
        refused = self._refusals(click, asked, verdict, notes=True)
        if refused:
            raise _why_none(refused, found.asked)

    def _admit_to_any(self, click: Interaction, found: _Found) -> None:
        """Refuse whoever can say nothing about any item; a no counts wherever a yes does."""
        shown = {one.preview.request for one in found.card.decidable}
        asked = [one for one in found.asked if one.id in shown]
        refused = self._refusals(click, asked, Verdict.DENY, notes=False)
        if refused and all(one.why.why != "repeated" for one in refused):
            raise _why_none(refused, found.asked)

    def _refusals(
        self, click: Interaction, asked: Sequence[ApprovalRequest], verdict: Verdict, *, notes: bool
    ) -> Sequence[Refused]:
        ballots = [self._ballot(click, one.id, one.binding[:SHOWN], verdict, "") for one in asked]
        return self.desk.engine.may_decide_together(ballots, notes=notes)

    def approve_by_modal(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Approve all with a reason or a code."""
        return self._all_by_modal(sent, Verdict.APPROVE)

    def reject_by_modal(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Reject all with a reason."""
        return self._all_by_modal(sent, Verdict.DENY)

    def decide_by_modal(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Record what was chosen on a page, then show the next one."""
        batch, _, last = sent.sent.private_metadata.rpartition("/")
        asked = {one.id: one for one in self._asked(RequestId(batch))}
        chosen = [one for one in choices_in(sent.sent.state) if one.request in asked]
        faults = _faults(chosen, asked, now=self.desk.now())
        faults |= dict.fromkeys(left_with_reason(sent.sent.state), UNDECIDED)
        if faults:
            return {"response_action": "errors", "errors": faults}
        ballots = [
            self._ballot(sent, RequestId(one.request), one.digest, one.verdict, one.reason)
            for one in chosen
        ]
        try:
            said = self.desk.engine.decide_together(ballots) if ballots else []
        except (WrongCodeError, NoCodesError) as refused:
            return code_refused(self.desk, refused)
        asked_now = self._asked(RequestId(batch))
        told = _told([one.verdict for one in chosen], said, asked_now)
        after = int(last) if last.isdecimal() else 0
        modal = self._page(sent, self._card(asked_now), after=after, told=told)
        if modal is None and not told:
            return CLOSE
        return _instead(modal or done_modal(told, decided=_decided(said), of=len(said)))

    def _all_by_modal(self, sent: Interaction, verdict: Verdict) -> Answer:
        found = self._found(sent.sent.private_metadata)
        state = {"state": sent.sent.state}
        if asks_for_reason(state):
            named = {one.id: one for one in found.named}
            reason = reason_of(state)
            now = self.desk.now()
            faults = [_fault(one, verdict, reason, now=now) for one in named.values()]
            wrong = next((one for one in faults if one), "")
            if wrong:
                return {"response_action": "errors", "errors": {REASON: wrong}}
        try:
            said = self._say_of_all(sent, found, verdict)
        except (WrongCodeError, NoCodesError) as refused:
            return code_refused(self.desk, refused)
        if _decided(said) == len(said):
            return CLOSE
        told = _told([verdict] * len(said), said, found.asked)
        return _instead(done_modal(told, decided=_decided(said), of=len(said)))

    def _decide_all(self, done: Interaction, found: _Found, verdict: Verdict) -> None:
        """Record one verdict on all that was shown.

        Raises:
            PartlyDecidedError: some of it was not decided; the rest was.
        """
        said = self._say_of_all(done, found, verdict)
        not_done = _not_done(said, found.asked)
        if not_done:
            of = f"{_decided(said)} of {plural(len(said), 'item')} decided."
            raise PartlyDecidedError(
                f"{of} Not decided: {' '.join(not_done)}", hint="The card shows where each stands."
            )

    def _say_of_all(
        self, done: Interaction, found: _Found, verdict: Verdict
    ) -> Sequence[Decided | Refused]:
        view = {"state": done.view.state} if done.view is not None else {}
        named = found.named
        ballots = [
            self._ballot(done, one.id, one.binding[:SHOWN], verdict, reason_of(view))
            for one in named
        ]
        return self.desk.engine.decide_together(ballots)

    def _ballot(
        self, done: Interaction, request: RequestId, digest: str, verdict: Verdict, reason: str
    ) -> Ballot:
        view = {"state": done.view.state} if done.view is not None else {}
        return Ballot(
            request=request,
            person=done.caller.person,
            verdict=verdict,
            shown=digest,
            comment=reason,
            code=code_in(view),
            slack=where(done),
            delivery=done.caller.delivery,
        )

    def _readable(self, click: Interaction, value: str) -> _Found:
        """Return what a button or modal is about, if all of it is for whoever uses it."""
        found = self._found(value)
        admit_reader(self.desk, click.caller, found.asked[0])
        return found

    def _found(self, value: str) -> _Found:
        shown = BatchShown.read(value)
        if shown is None:
            raise UnreadablePayloadError("This button does not say what it is about.")
        asked = self._asked(RequestId(shown.batch))
        return _Found(card=self._card(asked), asked=asked, shown=shown)

    def _asked(self, batch: RequestId) -> Sequence[ApprovalRequest]:
        found = self.desk.store.batch(batch)
        if not found:
            raise UnknownRunError(f"There is no batch {batch}.")
        return found

    def _card(self, asked: Sequence[ApprovalRequest]) -> BatchCard:
        reader = RunReader(
            self.desk.store,
            self.desk.library,
            self.desk.directory,
            workspace_url=self.desk.workspace_url,
        )
        card = batch_of(reader.run(asked[0].run), asked, reader)
        if card is None:
            raise UnknownRunError(ERASED)
        return card

    def _whole(self, some: Sequence[RequestCard]) -> dict[str, list[str]]:
        """Return all lines of the plans of which a preview holds only the first."""
        hidden = [one.preview.request for one in some if one.preview.hidden]
        return {one: plan_lines(self.desk.store, RequestId(one)) for one in hidden}


def _faults(
    chosen: Sequence[Choice], asked: Mapping[RequestId, ApprovalRequest], *, now: datetime
) -> dict[str, str]:
    """Return what is wrong with the reasons on a page, field by field."""
    found = {
        one.reason_block: _fault(asked[RequestId(one.request)], one.verdict, one.reason, now=now)
        for one in chosen
    }
    return {block: fault for block, fault in found.items() if fault}


def _fault(request: ApprovalRequest, verdict: Verdict, reason: str, *, now: datetime) -> str:
    """Return what a reason lacks, nothing if it will do or the request is closed anyhow."""
    is_open = request.outcome is Outcome.OPEN and now < request.expires_at
    is_turned = request.outcome is Outcome.APPROVED and not request.is_consumed
    if not is_open and not (is_turned and verdict is Verdict.DENY):
        return ""
    if request.needs_reason and not reason:
        return REQUIRED
    return misfit(reason, request.terms.patterns) if verdict is Verdict.APPROVE else ""


def _instead(modal: View) -> Answer:
    return {"response_action": "update", "view": modal.to_dict()}


def _decided(said: Sequence[Decided | Refused]) -> int:
    return sum(isinstance(one, Decided) for one in said)


def _told(
    verdicts: Sequence[Verdict],
    said: Sequence[Decided | Refused],
    asked: Sequence[ApprovalRequest],
) -> str:
    """Say what came of what was said about some items, nothing where nothing was."""
    done = [one for one, what in zip(verdicts, said, strict=True) if isinstance(what, Decided)]
    approved = sum(one is Verdict.APPROVE for one in done)
    return counted(approved, len(done) - approved, _not_done(said, asked)) if said else ""


def _not_done(said: Sequence[Decided | Refused], asked: Sequence[ApprovalRequest]) -> list[str]:
    """Say which items were not decided and why, those of one reason together."""
    steps = {one.id: one.step for one in asked}
    found: dict[str, list[int]] = {}
    for one in said:
        if isinstance(one, Refused):
            number = items_of(steps[one.request])[-1] + 1
            found.setdefault(_why(one.why), []).append(number)
    told = [
        f"{'item' if len(items) == 1 else 'items'} {numbers(items)}: {why}"
        for why, items in found.items()
    ]
    more = len(told) - MOST_TOLD
    return [*told[:MOST_TOLD], f"and {more} more."] if more > 0 else told


def _why_none(refused: Sequence[Refused], asked: Sequence[ApprovalRequest]) -> InterlockError:
    """Return why nothing can be decided: the one reason, or which holds for which items."""
    if len({one.why.message for one in refused}) == 1:
        return refused[0].why
    told = " ".join(_not_done(refused, asked))
    return PartlyDecidedError(f"Nothing of this can be decided by you. {told}")


def _why(refused: InterlockError) -> str:
    return refused.message

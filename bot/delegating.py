"""Being away, from Slack: typed, said back, confirmed; the list of it; and being back early.

What was typed travels in the button of the question, as that of a schedule does, and all of it
is judged again for whoever confirms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.away_words import read_until
from bot.command_values import Away
from bot.desk import Desk
from bot.local_time import told
from bot.payloads import Caller, Interaction, Typed, UnreadablePayloadError
from bot.refusals import refusal
from bot.schedule_draft import LIFE
from bot.views.delegations import (
    AwayLine,
    AwayProposal,
    away_modal,
    away_proposal,
    away_words,
    delegation_list,
    lending_modal,
)
from bot.views.notice import notice
from bot.views.pieces import Rendered
from bot.views.request_modals import CODE, code_in
from bot.wording import Who, who_of
from storage.delegations import MOST, live_delegations
from storage.listing import people_of, refs_of
from storage.step_up import has_codes
from workflows.delegating import NewDelegation
from workflows.delegation import Delegation
from workflows.entry import Ref
from workflows.errors import DelegationError, InterlockError, StorageError, WrongCodeError
from workflows.people import Person, PersonId

ALREADY = "You had said so already."
OVER = "This is over already; the list shows how it stands."


class AwayDraft(BaseModel):
    """What somebody was shown and has not confirmed; moments in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    until: int
    made: int
    to: PersonId | None = None
    reason: str = Field(default="", max_length=300)

    @classmethod
    def read(cls, text: str, *, now: datetime) -> "AwayDraft":
        """Return the draft that a button carries.

        Raises:
            UnreadablePayloadError: it carries none.
            DelegationError: it was shown too long ago.
        """
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            raise UnreadablePayloadError("This does not say until when.") from error
        if now.timestamp() - found.made > LIFE.total_seconds():
            raise DelegationError("This question is too old, so nothing was recorded.")
        return found

    @property
    def ends(self) -> datetime:
        """Return when the time away is over."""
        return datetime.fromtimestamp(self.until, UTC)

    def order(self, person: PersonId, code: str = "") -> NewDelegation:
        """Return what the engine is asked, in the name of `person`."""
        return NewDelegation(
            giver=person, stand_in=self.to, until=self.ends, reason=self.reason, code=code
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegating:
    """The listeners' part in being away."""

    desk: Desk

    def by_command(self, typed: Typed, wanted: Away) -> Rendered:
        """Ask whether it is meant so.

        Raises:
            InterlockError: it cannot be like that.
        """
        now, caller = self.desk.now(), typed.caller
        person = self.desk.directory.person(caller.person)
        until, note = read_until(wanted.until, timezone=person.timezone, now=now)
        stand_in = self.desk.directory.one(wanted.to) if wanted.to else None
        draft = AwayDraft(
            until=int(until.timestamp()),
            made=int(now.timestamp()),
            to=None if stand_in is None else stand_in.id,
            reason=wanted.reason,
        )
        self.desk.engine.check_delegation(draft.order(caller.person))
        shown = AwayProposal(
            until=told(until, person.timezone, note=note),
            stand_in=None if stand_in is None else who_of(stand_in.id, stand_in.name),
            reason=wanted.reason,
            warning=self._warning(stand_in, until),
        )
        return away_proposal(shown, draft=draft.model_dump_json(exclude_defaults=True))

    def _warning(self, stand_in: Person | None, until: datetime) -> str:
        """Say it if whoever stands in is away meanwhile, since nobody stands in at two hops."""
        if stand_in is None:
            return ""
        word = self.desk.store.delegation_by(stand_in.id, at=self.desk.now())
        if word is None:
            return ""
        if word.ends_at >= until:
            return f"{stand_in.name} is away for all of that time, and nobody decides for both."
        return f"{stand_in.name} is away as well for part of that time."

    def confirm(self, click: Interaction) -> None:
        """Record what a button carries, and say so in its place; or ask for a code first."""
        try:
            if self._asks_for_code(click):
                return
            words = self._record(click, click.press.said)
        except StorageError:
            raise  # The question stays, so that it can be confirmed once more.
        except InterlockError as error:
            words = refusal(error)
        self.desk.hurried.answer(click.response_url, notice(words), replace=True)

    def confirm_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Record it with the code that was typed; a wrong one can be typed again.

        Raises:
            InterlockError: nothing was recorded.
        """
        code = code_in({"state": sent.sent.state})
        try:
            words = self._record(sent, sent.sent.private_metadata, code)
        except WrongCodeError as wrong:
            return {"response_action": "errors", "errors": {CODE: str(wrong)}}
        return {"response_action": "update", "view": away_modal(words).to_dict()}

    def _asks_for_code(self, click: Interaction) -> bool:
        """Open the question for a code, where whoever clicked has codes to lend."""
        person = self.desk.directory.person(click.caller.person)
        draft = AwayDraft.read(click.press.said, now=self.desk.now())
        counts, _waits = has_codes(self.desk.store.database, person.id)
        if draft.to is None or not counts or not self.desk.roles.policy.asks_for_codes:
            return False
        to, until = self.desk.directory.person(draft.to), told(draft.ends, person.timezone)
        modal = lending_modal(who_of(to.id, to.name), until, draft=click.press.said)
        self.desk.hurried.open(click.trigger_id, modal)
        return True

    def _record(self, done: Interaction, said: str, code: str = "") -> str:
        person = self.desk.directory.person(done.caller.person)
        draft = AwayDraft.read(said, now=self.desk.now())
        order = draft.order(person.id, code)
        if not self.desk.engine.delegate(order):
            return ALREADY
        to = None if order.stand_in is None else self.desk.directory.person(order.stand_in)
        return away_words(
            told(order.until, person.timezone),
            None if to is None else who_of(to.id, to.name),
            command=self.desk.command,
        )

    def drop(self, click: Interaction) -> None:
        """Take the question away."""
        self.desk.hurried.answer(click.response_url, notice("Nothing was recorded."), replace=True)

    def listed(self, caller: Caller, *, page: int) -> Rendered:
        """Return who is away."""
        database = self.desk.store.database
        words = live_delegations(database, now=self.desk.now())
        refs = {one for word in words for one in (word.giver, word.stand_in) if one is not None}
        people = {ref: who_of(*found) for ref, found in people_of(database, sorted(refs)).items()}
        mine = refs_of(database, caller.person)
        lines = [_line(one, people, mine) for one in words]
        note = f"The first {MOST} to be back are shown." if len(words) == MOST else ""
        return delegation_list(lines, page=page, name=self.desk.command, note=note)

    def end(self, click: Interaction) -> None:
        """Have whoever clicked be back, and show the list as it is then.

        Raises:
            InterlockError: nothing was recorded.
        """
        if not self.desk.engine.come_back(click.caller.person, entry=click.press.said):
            raise DelegationError(OVER)
        if click.is_home:
            return  # It is drawn anew by itself.
        shown = self.listed(click.caller, page=1)
        self.desk.hurried.answer(click.response_url, shown, replace=True)


def _line(word: Delegation, people: Mapping[str, Who], mine: frozenset[Ref]) -> AwayLine:
    somebody = Who(name="somebody")
    stand_in = None if word.stand_in is None else people.get(word.stand_in, somebody)
    return AwayLine(
        who=people.get(word.giver, somebody),
        stand_in=stand_in,
        until=word.until,
        is_for_reader=word.stand_in in mine,
        ends=word.entry if word.giver in mine else "",
    )

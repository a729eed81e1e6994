"""One-time codes from Slack: set up in a modal, confirmed by a governor, taken away by one.

A secret goes into one modal and is not written anywhere else here. What a modal carries is the
client's word, so everything is looked up again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.desk import Desk
from bot.payloads import Caller, Interaction, Typed
from bot.refusals import refusal
from bot.views.codes import SecretShown, secret_modal, set_up_offer, waiting_modal
from bot.views.notice import notice
from bot.views.pieces import Rendered
from bot.views.request_modals import CODE, code_in, refused_modal
from bot.wording import mention, who_of
from storage.step_up import has_codes
from workflows.codes import no_codes
from workflows.enrolling import Proof
from workflows.errors import WrongCodeError
from workflows.totp import SECRET_BYTES, written

if TYPE_CHECKING:
    from bot.command_values import Totp

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppingUp:
    """The listeners' part in one-time codes."""

    desk: Desk

    def by_command(self, typed: Typed, wanted: "Totp") -> Rendered | None:
        """Open what sets codes up, or take somebody's away; return what to say, if anything.

        Raises:
            InterlockError: it was refused.
        """
        if wanted.reset:
            return self._reset(typed.caller, wanted.reset)
        self._show(typed.caller)
        return None

    def offer(self, click: Interaction) -> bool:
        """Say that codes are needed to whoever has none that count; False if they have some."""
        counts, waits = has_codes(self.desk.store.database, click.caller.person)
        if counts:
            return False
        words = refusal(no_codes(is_pending=waits))
        if click.response_url:
            told = notice(words) if waits else set_up_offer(words)
            self.desk.hurried.answer(click.response_url, told, thread=click.thread_to_answer)
        elif waits:
            self.desk.hurried.open(click.trigger_id, refused_modal(words))
        else:  # On Home there is no place for private words.
            self._show(click.caller)
        return True

    def set_up(self, click: Interaction) -> None:
        """Open what sets codes up.

        Raises:
            InterlockError: it was refused.
        """
        self._show(click.caller)

    def prove(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Take up the first code of an app; a wrong one can be typed again.

        Raises:
            InterlockError: nothing was set up.
        """
        enrolment = sent.sent.private_metadata
        code = code_in({"state": sent.sent.state})
        proof = Proof(person=sent.caller.person, enrolment=enrolment, code=code)
        try:
            self.desk.engine.prove_codes(proof)
        except WrongCodeError as wrong:
            return {"response_action": "errors", "errors": {CODE: str(wrong)}}
        return {"response_action": "update", "view": waiting_modal(enrolment).to_dict()}

    def confirm(self, click: Interaction) -> None:
        """Have the codes that a button names count.

        Raises:
            InterlockError: nothing was confirmed.
        """
        self.desk.engine.confirm_codes(click.press.said, governor=click.caller.person)

    def decline(self, click: Interaction) -> None:
        """End the codes that a button names.

        Raises:
            InterlockError: nothing was ended.
        """
        self.desk.engine.decline_codes(click.press.said, governor=click.caller.person)

    def _show(self, caller: Caller) -> None:
        secret = self.desk.random()[:SECRET_BYTES]
        has_some, _waits = has_codes(self.desk.store.database, caller.person)
        enrolment = self.desk.engine.offer_codes(caller.person, secret)
        person = self.desk.directory.person(caller.person)
        modal = secret_modal(
            SecretShown(
                enrolment=enrolment,
                secret=written(secret),
                label=f"Interlock: {person.handle or person.name}",
                replaces=has_some,
            )
        )
        self.desk.hurried.open(caller.trigger, modal)

    def _reset(self, caller: Caller, name: str) -> Rendered:
        person = self.desk.directory.one(name)
        self.desk.engine.reset_codes(person.id, governor=caller.person)
        who = mention(who_of(person.id, person.name))
        return notice(f"🔑 The codes of {who} no longer count. They can set up new ones.")

"""Changing an open request from Slack: the form with the present values, and what becomes of it.

Who may change it, and whether it still can be, is for the engine.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot import limits
from bot.desk import Desk
from bot.forms import block_id, field_errors, values_from
from bot.payloads import Caller, Interaction, UnreadablePayloadError
from bot.permitted import may_start
from bot.refusals import NewerCardError
from bot.shown_request import Shown
from bot.views.change_form import change_form, not_shown
from bot.wording import clip, one_line
from storage.history import read_run
from storage.listing import people_of
from workflows.deciding import SHOWN
from workflows.definition import Definition
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import InputsError, NotAllowedError, RequestClosedError, StaleRequestError
from workflows.gate import ApprovalRequest, Outcome
from workflows.orders import Edit
from workflows.people import PersonId
from workflows.replay import replay
from workflows.run import Phase, RunState
from workflows.store import Subject
from workflows.superseded import changed_by, edit_of, stale

Answer = Mapping[str, Any]

CLOSE: Answer = {"response_action": "clear"}
_STAYS = (
    "Nothing of yours was sent, and it stands here until you close this form. To have it after all,"
    " press Change on the newest card."
)
_ROOM = 400  # For who changed it and what to do now.


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """The listeners' part in changing what is asked."""

    desk: Desk

    def open(self, click: Interaction) -> None:
        """Show the form with the present values; what is settled says at once that it is."""
        shown = Shown.read(click.press.said)
        asked = self.desk.store.request(shown.request)
        refuse_changed(self.desk, asked)
        if asked.outcome is not Outcome.OPEN:
            raise _closed(asked)
        self._show(click.caller, asked)

    def by_command(self, caller: Caller, run: RunId) -> None:
        """Show the form of the run that was named.

        Raises:
            UnknownRunError: there is none.
            RequestClosedError: nothing in it waits for approval.
        """
        _, entries = self.desk.store.history(run)
        steps = replay(run, entries).steps.values()
        asked = next((one.request for one in steps if one.phase is Phase.ASKED), None)
        if asked is None:
            raise RequestClosedError(
                "Nothing in this run waits for approval.",
                hint="Start another run with the values you want.",
            )
        self._show(caller, self.desk.store.request(asked))

    def by_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Change what is asked; return what becomes of the form.

        Raises:
            InterlockError: nothing was changed.
        """
        shown = Shown.read(sent.sent.private_metadata)
        asked = self.desk.store.request(shown.request)
        definition, state = self._present(asked)
        given = values_from(sent.sent.state, definition)
        form = change_form(definition, state.inputs, about=sent.sent.private_metadata)
        kept = {name: state.inputs[name] for name in not_shown(form, state.inputs)}
        wanted = Edit(
            request=shown.request,
            person=sent.caller.person,
            inputs={**kept, **given},
            shown=shown.digest,
        )
        try:
            with leading_on(self.desk):
                self.desk.engine.edit(wanted)
        except InputsError as error:
            return {"response_action": "errors", "errors": field_errors(error, definition)}
        except StaleRequestError as refused:
            if not _may_change(self.desk, asked, definition, sent.caller.person):
                raise
            told = self._overtaken(asked, definition, refused)
            first = block_id(definition, next(iter(definition.inputs)))
            return {"response_action": "errors", "errors": {first: told}}
        return CLOSE

    def _overtaken(
        self, asked: ApprovalRequest, definition: Definition, refused: StaleRequestError
    ) -> str:
        """Say who changed what first; the form stays open below it, with what was typed."""
        _, entries = self.desk.store.history(asked.run)
        edited = edit_of(entries, asked.id)
        changes = () if edited is None else changed_by(definition, entries, edited)
        what = clip("; ".join(map(one_line, changes)), limits.HINT - _ROOM)
        return f"{refused.message} {f'{what}. ' if what else ''}{_STAYS}"

    def _show(self, caller: Caller, asked: ApprovalRequest) -> None:
        definition, state = self._present(asked)
        if not _may_change(self.desk, asked, definition, caller.person):
            raise NotAllowedError(
                "You may not run this workflow and did not ask for this run, so the form with its"
                " values is not for you.",
                hint="Whoever asked can change them.",
            )
        if not definition.inputs:
            raise RequestClosedError("This workflow asks for no values, so none can change.")
        about = f"{asked.id}.{asked.binding[:SHOWN]}"
        form = change_form(definition, state.inputs, about=about)
        self.desk.hurried.open(caller.trigger, form)

    def _present(self, asked: ApprovalRequest) -> tuple[Definition, RunState]:
        """Return the run's definition, and where it stands with which values."""
        row, entries = self.desk.store.history(asked.run)
        return self.desk.library.version(row.version), replay(asked.run, entries)


def changed_fields(desk: Desk, metadata: str, person: PersonId) -> Definition:
    """Return whose fields are searched in an open form, for somebody who may send it.

    Raises:
        InterlockError: there is no such request, or it is not for this person to change.
    """
    asked = desk.store.request(Shown.read(metadata).request)
    row = desk.store.run(asked.run)
    definition = desk.library.version(row.version)
    if not _may_change(desk, asked, definition, person):
        raise UnreadablePayloadError("This form is not for this person.")
    return definition


def _may_change(
    desk: Desk, asked: ApprovalRequest, definition: Definition, person: PersonId
) -> bool:
    """Say whether somebody may see the form; whoever sends it is judged again by the engine."""
    has_asked = desk.store.person(Ref(asked.requester)) == person
    return has_asked or may_start(desk, person, definition)


def refuse_changed(desk: Desk, asked: ApprovalRequest) -> None:
    """Refuse a click on what somebody has changed since, and say where the newer card is.

    Raises:
        NewerCardError: another request took its place.
    """
    if asked.outcome is not Outcome.SUPERSEDED:
        return
    with desk.store.database.read() as connection:
        edited = edit_of(read_run(connection, asked.run), asked.id)
    if edited is None:
        return
    ref = Ref(edited.actor.ref)
    _, name = people_of(desk.store.database, [ref]).get(ref, ("", ""))
    with leading_on(desk):
        raise stale(edited, name or "Somebody")


@contextmanager
def leading_on(desk: Desk) -> Iterator[None]:
    """Have refusals of what is out of date lead to the card that took its place."""
    try:
        yield
    except StaleRequestError as refused:
        place = desk.store.outbox.place_of(Subject.CARD, RequestId(refused.next_request))
        if place is None:
            raise
        raise NewerCardError(refused, desk.link(place)) from refused


def _closed(asked: ApprovalRequest) -> RequestClosedError:
    return RequestClosedError(
        f"This request is already {asked.outcome.words}.", hint="Nothing was changed by your click."
    )

"""Setting schedules from Slack: typed, filled in, confirmed; and pausing and deleting them.

A schedule is stored only once somebody confirmed the moments they were shown. What a form asks
for and whether somebody may is checked by the engine, before the question and again after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.views import View

from bot import limits
from bot.arrival import refuse_late
from bot.changed_workflow import changed_meanwhile
from bot.command_values import Schedule
from bot.desk import Desk
from bot.foreseeing import asked_when_fired
from bot.forms import field_errors, values_from
from bot.payloads import Caller, Interaction, Typed, UnreadablePayloadError
from bot.refusals import refusal
from bot.schedule_draft import ScheduleDraft, schedule_id
from bot.schedule_list import ScheduleList
from bot.schedules import known_schedules, rule_for
from bot.views.notice import notice
from bot.views.paging import read_page_value
from bot.views.pieces import Rendered
from bot.views.run_form import FormPurpose, run_form
from bot.views.schedules import (
    SCHEDULE_FORM,
    Proposal,
    proposal,
    proposal_modal,
    set_words,
    told_modal,
)
from bot.when_words import moments_told, read_when, rhythm_told
from bot.wording import code
from storage.schedules import live_schedules
from workflows.definition import Definition
from workflows.errors import InputsError, InterlockError, ScheduleClosedError, StorageError
from workflows.input_words import in_words
from workflows.people import PersonId
from workflows.schedule import ScheduleState
from workflows.scheduling import ScheduleChange
from workflows.triggers import Missed, Once

Answer = Mapping[str, Any]

MOST_TYPED = 1_500
TOO_LONG = "These values are too long for a schedule from Slack; use `interlock schedule add`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """The listeners' part in schedules."""

    desk: Desk

    def by_command(
        self, typed: Typed, wanted: Schedule, context: Mapping[str, Any]
    ) -> Rendered | None:
        """Ask whether the schedule is meant so, or open the form; return what to say.

        Raises:
            InterlockError: it cannot be set like that.
        """
        refuse_late(context)
        caller = typed.caller
        definition = self.desk.library.active(wanted.workflow)
        draft = self._draft(caller, definition, wanted, typed=typed.text)
        try:
            self._check(caller.person, draft, definition)
        except InputsError as wrong:
            known = {name: one for name, one in draft.inputs.items() if name in definition.inputs}
            # Without values there was nothing wrong with them; they are only missing.
            errors = wrong.fields if wanted.inputs else {}
            self._open_form(caller, definition, draft, known, errors)
            return None
        return self._asked(caller, draft, definition)

    def by_form(self, sent: Interaction, context: Mapping[str, Any]) -> Answer:
        """Return the question in the place of the form that was filled in.

        Raises:
            InterlockError: it cannot be set like that.
        """
        refuse_late(context)
        draft = ScheduleDraft.read(sent.sent.private_metadata)
        draft.refuse_old(self.desk.now())
        definition = self.desk.library.active(draft.workflow)
        values = values_from(sent.sent.state, definition)
        if definition.version != draft.version:
            return self._again(draft, definition, values)
        filled = draft.model_copy(update={"inputs": values})
        try:
            self._check(sent.caller.person, filled, definition)
            _refuse_long(filled, at=next(iter(values), ""))
        except InputsError as error:
            hints = field_errors(error, definition, revision=draft.revision)
            return {"response_action": "errors", "errors": hints}
        shown = self._proposal(sent.caller.person, filled, definition)
        return _instead(proposal_modal(shown, draft=filled.text))

    def confirm(self, click: Interaction) -> None:
        """Set the schedule that a button carries, and say so in its place."""
        try:
            words = self._set_typed(click.caller.person, ScheduleDraft.read(click.press.said))
        except StorageError:
            raise  # The question stays, so that it can be confirmed once more.
        except InterlockError as error:
            words = refusal(error)
        self.desk.hurried.answer(click.response_url, notice(words), replace=True)

    def confirm_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Set the schedule that a modal carries, and say so in its place.

        Raises:
            InterlockError: nothing was set.
        """
        draft = ScheduleDraft.read(sent.sent.private_metadata)
        definition = self.desk.library.active(draft.workflow)
        if definition.version != draft.version:
            return self._again(draft, definition, draft.inputs)
        return _instead(told_modal(self._set(sent.caller.person, draft)))

    def drop(self, click: Interaction) -> None:
        """Take the question away."""
        words = notice("Nothing was set.")
        self.desk.hurried.answer(click.response_url, words, replace=True)

    def listed(self, caller: Caller, *, page: int) -> Rendered:
        """Return all schedules."""
        return ScheduleList(desk=self.desk, reader=caller.person).shown(page=page)

    def change(self, click: Interaction, to: ScheduleState) -> None:
        """Pause, resume or delete a schedule, and show the list as it is then.

        A Home needs no list: it is drawn anew by itself.

        Raises:
            InterlockError: nothing was changed.
        """
        name, page = read_page_value(click.press.said)
        known = known_schedules(
            self.desk.library.definitions(), live_schedules(self.desk.store.database)
        )
        found = next((one for one in known if one.id == name), None)
        if found is None:
            raise ScheduleClosedError("This schedule has ended.", hint="Look at the list anew.")
        self.desk.engine.change_schedule(
            ScheduleChange(
                id=found.id,
                workflow=found.workflow,
                to=to,
                person=click.caller.person,
                is_definitions=found.is_definitions,
            )
        )
        if click.is_home:
            return
        shown = self.listed(click.caller, page=page)
        self.desk.hurried.answer(click.response_url, shown, replace=True)

    def _draft(
        self, caller: Caller, definition: Definition, wanted: Schedule, *, typed: str
    ) -> ScheduleDraft:
        if len(typed) > MOST_TYPED:
            raise UnreadablePayloadError(
                f"This is longer than {MOST_TYPED} characters.",
                hint="Leave the values out, and fill in the form.",
            )
        now, person = self.desk.now(), self.desk.directory.person(caller.person)
        meant = read_when(
            wanted.when, timezone=person.timezone, now=now, missed=self._missed(definition)
        )
        return ScheduleDraft(
            id=schedule_id(definition.workflow, self.desk.new_id()),
            workflow=definition.workflow,
            version=definition.version,
            channel=self.desk.channel_for(caller, definition.channel),
            made=int(now.timestamp()),
            timezone=meant.when.timezone,
            note=meant.note,
            typed=typed,
            inputs=dict(wanted.inputs),
            cron=None if isinstance(meant.when, Once) else meant.when.cron,
            at=int(meant.when.at.timestamp()) if isinstance(meant.when, Once) else None,
        )

    def _missed(self, definition: Definition) -> Missed:
        return rule_for(self.desk.library, definition)

    def _check(self, person: PersonId, draft: ScheduleDraft, definition: Definition) -> None:
        self.desk.engine.check_schedule(draft.order(person, missed=self._missed(definition)))

    def _set(self, person: PersonId, draft: ScheduleDraft) -> str:
        now = self.desk.now()
        draft.refuse_old(now)
        definition = self.desk.library.active(draft.workflow)
        if definition.version != draft.version:
            told = changed_meanwhile(self.desk, definition)
            raise ScheduleClosedError(told, hint="Nothing was set.")
        shown = self._proposal(person, draft, definition)
        self.desk.engine.set_schedule(draft.order(person, missed=self._missed(definition)))
        return set_words(shown, schedule=draft.id, command=self.desk.command)

    def _set_typed(self, person: PersonId, draft: ScheduleDraft) -> str:
        """Set a schedule and say so; where it is too late for it, repeat what was typed."""
        try:
            return self._set(person, draft)
        except ScheduleClosedError as over:
            typed = code(f"{self.desk.command} {draft.typed}", MOST_TYPED)
            return f"{refusal(over)} You typed {typed}."

    def _again(
        self, draft: ScheduleDraft, definition: Definition, values: Mapping[str, object]
    ) -> Answer:
        """Return the form of the workflow as it is by now, with what was filled in."""
        news = {"version": definition.version, "revision": draft.revision + 1, "inputs": {}}
        told = {"": changed_meanwhile(self.desk, definition)}
        return _instead(_form(definition, draft.model_copy(update=news), values, told))

    def _asked(
        self, caller: Caller, draft: ScheduleDraft, definition: Definition
    ) -> Rendered | None:
        """Return the question, or open it where a button cannot carry the draft."""
        shown = self._proposal(caller.person, draft, definition)
        if len(draft.text) <= limits.BUTTON_VALUE:
            return proposal(shown, draft=draft.text)
        _refuse_long(draft, at="values")
        self.desk.hurried.open(caller.trigger, proposal_modal(shown, draft=draft.text))
        return None

    def _proposal(self, person: PersonId, draft: ScheduleDraft, definition: Definition) -> Proposal:
        missed = self._missed(definition)
        when = draft.when(missed)
        moments = moments_told(when, now=self.desk.now(), note=draft.note)
        return Proposal(
            title=definition.title,
            workflow=definition.workflow,
            rhythm=rhythm_told(when),
            moments=tuple(moments),
            asks=asked_when_fired(
                self.desk.library,
                self.desk.roles,
                definition,
                inputs=draft.inputs,
                person=person,
                at=self.desk.now(),
            ),
            makes_up=missed is not Missed.SKIP,
            values=[
                (name, in_words(one, definition.inputs.get(name)))
                for name, one in draft.inputs.items()
            ],
        )

    def _open_form(
        self,
        caller: Caller,
        definition: Definition,
        draft: ScheduleDraft,
        values: Mapping[str, object],
        errors: Mapping[str, str],
    ) -> None:
        form = _form(definition, draft.model_copy(update={"inputs": {}}), values, errors)
        self.desk.hurried.open(caller.trigger, form)


def _refuse_long(draft: ScheduleDraft, *, at: str) -> None:
    if len(draft.text) > limits.PRIVATE_METADATA:
        raise InputsError({at: TOO_LONG})


def _form(
    definition: Definition,
    draft: ScheduleDraft,
    values: Mapping[str, object],
    errors: Mapping[str, str],
) -> View:
    """Return the form that runs have, which here leads to the question."""
    purpose = FormPurpose(callback_id=SCHEDULE_FORM, submit="Next", metadata=draft.text)
    return run_form(definition, draft.form, values=values, errors=errors, purpose=purpose)


def _instead(view: View) -> Answer:
    return {"response_action": "update", "view": view.to_dict()}

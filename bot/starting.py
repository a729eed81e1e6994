"""Starting runs from Slack: the command with values, the form, and the choice before it.

A modal opens before anything is written, since its trigger lives three seconds; nothing is read
before it but definitions in memory, and who may start them. What was typed or filled in is
checked by the engine.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.models.views import View

from bot.arrival import refuse_late
from bot.changed_workflow import changed_meanwhile
from bot.command_text import parse
from bot.command_values import Run
from bot.desk import Desk
from bot.forms import FormState, field_errors, state_of, values_from
from bot.just_typed import Before, typed_before
from bot.payloads import Caller, Interaction, Typed, UnreadablePayloadError
from bot.permitted import names_for, naming, permitted
from bot.places import is_ours
from bot.refusals import refusal
from bot.views.notice import notice
from bot.views.pieces import Rendered
from bot.views.request_modals import refused_modal
from bot.views.run_form import WorkflowChoice, ask_again, picked, picker, run_form
from bot.views.started import Begun, started_elsewhere, words_of_start
from workflows.definition import Definition
from workflows.errors import InputsError, InterlockError, PeopleUnreadableError
from workflows.orders import Start
from workflows.people import PersonId
from workflows.store import Delivery

Answer = Mapping[str, Any]  # What `ack` is given.

CLOSE: Answer = {"response_action": "clear"}
MOST_CONFIRMED = 1_900


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """The listeners' part in starting runs."""

    desk: Desk

    def by_command(self, typed: Typed, wanted: Run) -> Rendered | None:
        """Start the run, or open what is needed to start it; return what to say, if anything.

        Raises:
            InterlockError: nothing was started.
        """
        caller = typed.caller
        if not wanted.workflow:
            self.desk.hurried.open(caller.trigger, self._picker(caller))
            return None
        definition = self.desk.library.active(wanted.workflow)
        if not wanted.inputs and definition.inputs:
            # Nobody fills in what cannot be sent; where Slack is silent, sending it is judged.
            with suppress(PeopleUnreadableError):
                self.desk.engine.admit_starter(definition, caller.person)
            self._open_form(caller, definition, {}, None)
            return None
        # Who is refused may type the same again at once, when they may, and is asked nothing.
        self.desk.engine.admit_starter(definition, caller.person)
        # The button that confirms could not carry what is longer.
        is_short = len(typed.text) <= MOST_CONFIRMED
        before = typed_before(self.desk, caller, definition, typed.text) if is_short else None
        if before is not None:
            return self._ask_again(definition, before, typed.text)
        return self._start_or_ask(caller, definition, wanted.inputs, typed=typed.text)

    def again(self, click: Interaction) -> Rendered:
        """Start the run once more, as a person confirmed who typed the same twice.

        Raises:
            InterlockError: nothing was started.
        """
        typed = click.press.said
        wanted = parse(typed)
        if not isinstance(wanted, Run):
            raise UnreadablePayloadError("This button does not say what it is about.")
        definition = self.desk.library.active(wanted.workflow)
        shown = self._start_or_ask(_once(click), definition, wanted.inputs, typed=typed)
        return shown or notice("Fill in the form.")

    def by_choice(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Return the form of the workflow that was chosen, in the place of the choice."""
        try:
            with naming(self.desk.roles, self.desk.library, sent.caller.person):
                definition = self.desk.library.active(picked(_view(sent)))
        except InterlockError as error:
            return _instead(refused_modal(refusal(error)))
        state = state_of(definition, channel=sent.sent.private_metadata)
        return _instead(run_form(definition, state))

    def by_form(self, sent: Interaction, context: Mapping[str, Any]) -> Answer:
        """Start the run that a form asks for; return what becomes of the form.

        Raises:
            InterlockError: nothing was started.
        """
        refuse_late(context)
        form = self._form_of(sent)
        definition = self.desk.library.active(form.workflow)
        values = values_from(sent.sent.state, definition)
        if definition.version != form.version:
            told = changed_meanwhile(self.desk, definition)
            return _instead(_again(definition, form, values, told))
        caller = replace(sent.caller, channel=form.channel)
        trigger = "shortcut" if form.source else "form"
        try:
            begun = self._start(caller, definition, values, trigger=trigger, source=form.source)
        except InputsError as error:
            hints = field_errors(error, definition, revision=form.revision)
            return {"response_action": "errors", "errors": hints}
        # Where the thread comes up before their eyes, nobody needs a word about it.
        return _instead(started_elsewhere(begun)) if begun.is_elsewhere else CLOSE

    def choices(self, person: PersonId) -> list[WorkflowChoice]:
        """Return the workflows that `person` may start; all they may see, if Slack is silent.

        Raises:
            PeopleUnreadableError: which these are Slack does not say either.
        """
        mine, roles = permitted(self.desk, person), self.desk.roles
        names = mine.names
        if not mine.is_certain:
            names |= names_for(roles, self.desk.library, person)
            if not names:
                roles.sight(person)
        found = (one for one in self.desk.library.definitions() if one.workflow in names)
        return [WorkflowChoice(name=one.workflow, title=one.title) for one in found]

    def _ask_again(self, definition: Definition, before: Before, typed: str) -> Rendered:
        run = before.run
        thread = self.desk.link(run.place) if run is not None else ""
        status = run.status if run is not None else None
        return ask_again(definition.title, value=typed, status=status, thread=thread)

    def _picker(self, caller: Caller) -> View:
        return picker(self.choices(caller.person), metadata=caller.channel)

    def _start_or_ask(
        self, caller: Caller, definition: Definition, values: Mapping[str, str], *, typed: str
    ) -> Rendered | None:
        try:
            begun = self._start(caller, definition, values, trigger="slash", message=typed)
        except InputsError as error:
            # Only names and values that the definition knows can stand in its form.
            known = {name: one for name, one in values.items() if name in definition.inputs}
            self._open_form(caller, definition, known, error)
            return None
        return notice(words_of_start(begun))

    def _open_form(
        self,
        caller: Caller,
        definition: Definition,
        values: Mapping[str, str],
        wrong: InputsError | None,
    ) -> None:
        state = state_of(definition, channel=caller.channel)
        errors = wrong.fields if wrong is not None else None
        form = run_form(definition, state, values=values, errors=errors)
        self.desk.hurried.open(caller.trigger, form)

    def _start(
        self,
        caller: Caller,
        definition: Definition,
        values: Mapping[str, object],
        *,
        trigger: str,
        message: str = "",
        source: str = "",
    ) -> Begun:
        channel = self.desk.channel_for(caller, definition.channel)
        started = self.desk.engine.start(
            Start(
                workflow=definition.workflow,
                inputs=values,
                trigger=trigger,
                person=caller.person,
                channel=channel,
                message=message,
                source=source,
                delivery=caller.delivery,
            )
        )
        return Begun(
            title=definition.title,
            run=started.run,
            channel=channel,
            asked_in=caller.channel,
            is_wanted_there=bool(definition.channel),
        )

    def _form_of(self, sent: Interaction) -> FormState:
        try:
            form = FormState.read(sent.sent.private_metadata)
        except ValueError as error:
            raise UnreadablePayloadError("This form is not one of ours.") from error
        if form.source and not is_ours(self.desk.workspace_url, form.source):
            raise UnreadablePayloadError("This form does not say which message it is about.")
        return form


def _once(click: Interaction) -> Caller:
    """Return who clicked, so that one question starts one run however often it is answered."""
    caller, asked = click.caller, click.place
    if not asked["message_ts"]:
        return caller
    key = f"{caller.user}/{asked['channel']}/{asked['message_ts']}"
    return replace(caller, delivery=Delivery(team=caller.team, kind="again", key=key))


def _again(
    definition: Definition, form: FormState, values: Mapping[str, object], told: str
) -> View:
    state = state_of(
        definition, channel=form.channel, revision=form.revision + 1, source=form.source
    )
    return run_form(definition, state, values=values, errors={"": told})


def _instead(view: View) -> Answer:
    return {"response_action": "update", "view": view.to_dict()}


def _view(sent: Interaction) -> Mapping[str, Any]:
    return {"state": sent.sent.state, "private_metadata": sent.sent.private_metadata}

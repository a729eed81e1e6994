"""Clicks and forms around a question of a run. Who may answer, and with what, is for the engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.desk import Desk
from bot.forms import field_errors, values_from
from bot.payloads import Interaction, UnreadablePayloadError
from bot.rendering_questions import question_of
from bot.run_reading import RunReader
from bot.views.question_card import Asked, QuestionCard, question_form, why_over
from workflows.definition_flow import Ask
from workflows.entry import RequestId, RunId
from workflows.errors import InputsError, NotEligibleError, RequestClosedError
from workflows.people import CLICK_AGE, PersonId
from workflows.questioning import Answer
from workflows.shadow_question import asked_form

CLOSE: Mapping[str, Any] = {"response_action": "clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The listeners' part in questions."""

    desk: Desk

    def open(self, click: Interaction) -> None:
        """Show the form of a question, to whoever may answer it; what is over says how it ended."""
        card, fields = self._asked(click.press.said)
        _refuse_over(card)
        run, request = _named(click.press.said)
        self.desk.engine.may_answer(run, request, person=click.caller.person)
        self.desk.hurried.open(click.trigger_id, question_form(card, fields))

    def by_form(self, sent: Interaction, _context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Record an answer; return what becomes of the form.

        Raises:
            InterlockError: nothing was recorded.
        """
        run, request = _named(sent.sent.private_metadata)
        card, fields = self._asked(sent.sent.private_metadata)
        _refuse_over(card)
        caller = sent.caller
        given = Answer(
            run=run,
            request=request,
            person=caller.person,
            values=values_from(sent.sent.state, fields),
            delivery=caller.delivery,
        )
        try:
            self.desk.engine.answer(given)
        except InputsError as error:
            return {"response_action": "errors", "errors": field_errors(error, fields)}
        return CLOSE

    def _asked(self, value: str) -> tuple[QuestionCard, Asked]:
        card, ask = _question(self.desk, value)
        return card, Asked(inputs=ask.ask.fields, version=card.request)


def _refuse_over(card: QuestionCard) -> None:
    """Refuse what comes too late, and say who answered, or why nobody is asked any more.

    Raises:
        RequestClosedError: nobody can answer it now.
    """
    if card.answered is not None:
        who, at = card.answered.by.plain, card.answered.at
        told = f"This question is answered already, by {who} ({at:%Y-%m-%d %H:%M} UTC)."
    elif card.is_over:
        told = f"This question is asked no more. {why_over(card)}"
    else:
        return
    raise RequestClosedError(told, hint="Nothing was changed.")


def asked_fields(desk: Desk, value: str, person: PersonId) -> Asked:
    """Return the fields of a question, for somebody who was asked.

    Raises:
        InterlockError: there is no such question, or `person` was not asked.
    """
    card, form = _question(desk, value)
    members = desk.directory.members
    if not any(person in members(name, max_age=CLICK_AGE) for name in form.ask.asked):
        raise NotEligibleError("You are not among the people who were asked.")
    return Asked(inputs=form.ask.fields, version=card.request)


def _question(desk: Desk, value: str) -> tuple[QuestionCard, Ask]:
    run, _ = _named(value)
    reader = RunReader(desk.store, desk.library, desk.directory, workspace_url=desk.workspace_url)
    read = reader.run(run)
    card = question_of(read, value, reader)
    if card is None:
        raise RequestClosedError("There is no such question any more.")
    return card, asked_form(read.definition, card.step)


def _named(value: str) -> tuple[RunId, RequestId]:
    run, slash, request = value.partition("/")
    if not run or not slash or not request:
        raise UnreadablePayloadError("This button does not say what it is about.")
    return RunId(run), RequestId(request)

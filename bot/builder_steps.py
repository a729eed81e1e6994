"""Steps of Slack's Workflow Builder that ask for an approval: taken up once, answered for certain.

The step names who asks, since Slack does not say who set the workflow going; that person is
judged like anybody who asks, and never decides. What the step cannot have is refused to Slack
itself, so that its workflow does not wait for nothing.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.desk import Desk
from bot.payloads import Event, UnreadablePayloadError
from bot.roster import person_id
from bot.settings import SettingsError
from storage.step_tokens import StepTokens
from workflows.builder_step import WORKFLOW, is_execution, source_of
from workflows.errors import (
    InputsUnreadableError,
    InterlockError,
    PeopleUnreadableError,
    SecretError,
    StorageError,
)
from workflows.orders import Start
from workflows.store import Message, Subject

REQUEST_APPROVAL = "request_approval"  # The step's id in the manifest.
TRIGGER = "step"
PASSING = (StorageError, PeopleUnreadableError, InputsUnreadableError)

log = logging.getLogger(__name__)


class _Executed(BaseModel):
    """What Slack says when a workflow has come to our step."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    function_execution_id: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    bot_access_token: str = Field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderSteps:
    """The listeners' part in steps of Workflow Builder."""

    desk: Desk
    tokens: StepTokens

    def take_up(self, happened: Event, *, is_last: bool) -> None:
        """Start the run that the step waits for; delivered again, it is the same run.

        What may pass is raised, so that Slack delivers the step again; the last time it is
        refused, since nobody would ever tell its workflow otherwise.

        Raises:
            InterlockError: nothing was recorded.
        """
        step = _executed(happened)
        self._keep_token(step)
        try:
            self.desk.engine.start(self._order(happened, step))
        except InterlockError as refused:
            if isinstance(refused, PASSING) and not is_last:
                raise
            log.info("a step was refused", extra={"refusal": type(refused).__name__})
            self._refuse(step, refused)

    def _order(self, happened: Event, step: _Executed) -> Start:
        given = step.inputs
        person = str(given.get("requester") or "")
        if not person:
            raise UnreadablePayloadError("The step does not say who asks.")
        definition = self.desk.library.active(WORKFLOW)
        channel = definition.channel or self.desk.channel
        if not channel:
            raise SettingsError("There is no channel to ask in; an operator has to name one.")
        return Start(
            workflow=definition.workflow,
            inputs={name: given[name] for name in ("title", "details") if given.get(name)},
            trigger=TRIGGER,
            person=person_id(happened.team_id, person),
            key=f"step:{happened.team_id}/{step.function_execution_id}",
            channel=channel,
            source=source_of(step.function_execution_id),
        )

    def _keep_token(self, step: _Executed) -> None:
        if not step.bot_access_token:
            return
        try:
            self.tokens.keep(step.function_execution_id, step.bot_access_token, at=self.desk.now())
        except SecretError:
            log.warning("a step's token cannot be sealed; the bot's own completes the step")

    def _refuse(self, step: _Executed, refused: InterlockError) -> None:
        words = self.desk.redact(str(refused))
        message = Message(
            subject=Subject.BUILDER,
            key=source_of(step.function_execution_id),
            body={"error": words},
        )
        with self.desk.store.begin() as unit:
            unit.send(message)


def _executed(happened: Event) -> _Executed:
    try:
        step = _Executed.model_validate(happened.event)
    except ValidationError as error:
        raise UnreadablePayloadError("Slack delivered a step that cannot be read.") from error
    if not is_execution(step.function_execution_id):
        raise UnreadablePayloadError("Slack did not say which step this is.")
    return step

"""Tells a Workflow Builder workflow what came of its request: it goes on, or it stops and why.

Only an approval lets it go on. Everything else is an error to Slack, since a workflow whose
author forgot to look at an output would otherwise go on unapproved.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.pacing import Pacer
from bot.places import permalink
from bot.rendering_outcome import ended_by
from bot.run_reading import RunRead, RunReader, words_of
from bot.slack_client import SlackClient
from bot.slack_errors import RefusedError, UnreadyError
from bot.wording import clip
from storage.outbox_values import OutboxRow
from storage.step_tokens import StepTokens
from workflows.builder_step import execution_in
from workflows.entry import Json
from workflows.errors import SecretError
from workflows.message_keys import read_step_key
from workflows.run import OVER, Status

COMPLETE = "functions.completeSuccess"
FAIL = "functions.completeError"
NOT_RUNNING = "execution_not_in_running_state"
ACTION = "slack.release"
MOST_WORDS = 500

_ENDED = {
    Status.DENIED: "Rejected",
    Status.EXPIRED: "Nobody decided in time",
    Status.WITHDRAWN: "The request was withdrawn",
    Status.CANCELLED: "The run was cancelled",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Slack knows, or nobody waits; `step` is the step of the run that is done by it."""

    step: str = ""
    output: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approved:
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    error: str


_Answer: TypeAlias = _Approved | _Refused


class BuilderAnswers:
    """Completes the steps that wait, one call at a time. Safe to share between threads."""

    def __init__(
        self,
        reader: RunReader,
        client: SlackClient,
        tokens: StepTokens,
        pacer: Pacer,
        *,
        workspace_url: str,
    ) -> None:
        self._reader = reader
        self._client = client
        self._tokens = tokens
        self._pacer = pacer
        self._workspace_url = workspace_url

    def answer(self, row: OutboxRow, *, posting: Callable[[], None]) -> Answered:
        """Tell Slack what `row` is about; `posting` is called before, and may raise.

        Told before without our knowing, it is told: Slack takes one answer for a step.

        Raises:
            SlackError: Slack did not take it, now or at all.
            TooSoonError: it would come faster than Slack allows.
        """
        execution, answer, step = self._meant(row)
        output: Json = {"execution": execution}
        if not execution or answer is None:
            return Answered(step=step, output=output)
        self._pacer.take(COMPLETE if isinstance(answer, _Approved) else FAIL)
        posting()
        try:
            self._tell(execution, answer)
        except RefusedError as error:
            if error.code != NOT_RUNNING or not row.was_posting:
                raise
        self._tokens.drop(execution)
        return Answered(step=step, output=output)

    def _meant(self, row: OutboxRow) -> tuple[str, _Answer | None, str]:
        """Return which execution is told what, and which step of the run that does."""
        if row.run is None:
            said = row.body.get("error") if isinstance(row.body, dict) else None
            return execution_in(row.key), _Refused(error=str(said or "Refused.")), ""
        read = self._reader.run(row.run)
        execution = execution_in(read.state.source)
        if row.key == row.run:
            return execution, self._end(read), ""
        return execution, self._go_ahead(read), read_step_key(row.key).step

    def _go_ahead(self, read: RunRead) -> _Approved:
        granted = read.of_kind("approval.granted")
        names = [who.plain for one in granted if (who := read.who(one.actor)) is not None]
        place = read.listed.place
        link = permalink(self._workspace_url, place.channel, place.ts) if place is not None else ""
        approved_by = ", ".join(dict.fromkeys(names))
        return _Approved(outputs={"approved_by": approved_by, "run": read.id, "link": link})

    def _end(self, read: RunRead) -> _Refused | None:
        """Return why the workflow stops; None where it went on, or its run has not ended."""
        status = read.listed.status
        released = [one.id for one in read.definition.works if one.uses == ACTION]
        went_on = any(read.state.step(one).phase in OVER for one in released)
        if not status.is_end or went_on:
            return None
        last = ended_by(read)
        by = read.who(last.actor) if last is not None else None
        who = f" by {by.plain}" if by is not None else ""
        why = words_of(last) if last is not None else ""
        said = _ENDED.get(status, f"The run ended {status.value}")
        return _Refused(error=clip(f"{said}{who}{f': {why}' if why else ''}", MOST_WORDS))

    def _tell(self, execution: str, answer: _Answer) -> None:
        own = self._own_client(execution)
        if own is not None:
            try:
                self._call(own, execution, answer)
            except UnreadyError as error:
                # Slack ends these tokens after a while; a decision takes longer.
                if not error.needs_a_person:
                    raise
            else:
                return
        self._call(self._client, execution, answer)

    def _own_client(self, execution: str) -> SlackClient | None:
        try:
            token = self._tokens.find(execution)
        except SecretError:
            log.warning("a step's token cannot be opened", extra={"execution": execution})
            return None
        return self._client.under(token) if token else None

    @staticmethod
    def _call(client: SlackClient, execution: str, answer: _Answer) -> None:
        if isinstance(answer, _Approved):
            client.complete_step(execution, answer.outputs)
        else:
            client.fail_step(execution, answer.error)

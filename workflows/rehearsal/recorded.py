"""Actions that perform nothing: they answer what was recorded for their step.

All else is the real action's: its arguments, its effect, and its plan where that needs nothing
but the policy, so that a path or an argument which the policy refuses is refused here too.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows.actions.base import Action, Call, Effect, Happened, Plan
from workflows.actions.door import Door
from workflows.entry import Json
from workflows.errors import (
    ActionError,
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.rehearsal.form import Answer
from workflows.rehearsal.tape import Tape

UNRECORDED = "not_recorded"
# What an answer need not say, because it is nearly always so.
USUAL: Mapping[str, Mapping[str, Json]] = {
    "http.request": {"status": 200},
    "sql.execute": {"rows": 1},
    "shell.run": {"exit_code": 0, "stdout": "", "stderr": ""},
    "interlock.erase": {"erased": 1, "held": 0},
    "model.ask": {"model": "recorded"},
    "slack.post": {"channel": "C0REHEARSAL", "ts": "1.000000"},
    "slack.release": {"execution": ""},
}


class Recorded(Door):
    """Another action's door, with a tape behind it."""

    def __init__(
        self, action: Action[Any, Any], tape: Tape, *, checks_targets: bool = True
    ) -> None:
        """Without `checks_targets` no policy says which services, databases and programs exist."""
        super().__init__(action)
        self._checks_targets = checks_targets
        self._tape = tape

    def admit(self, arguments: BaseModel) -> None:
        if self._checks_targets:
            super().admit(arguments)

    def concern(self, arguments: BaseModel, call: Call) -> None:
        """Return None: of whose catalog it is, a rehearsal knows nothing."""

    def is_once(self, arguments: BaseModel) -> bool:
        return self._checks_targets and super().is_once(arguments)

    def plan(self, arguments: BaseModel, call: Call) -> Plan:
        self.admit(arguments)
        coming = self._tape.coming(self._tape.name(call))
        told = coming.plan if coming is not None else None
        if told is None:
            return self._own_plan(arguments, call)
        own = arguments.model_dump(mode="json")
        return Plan(
            summary=told.summary or self.describe(arguments),
            lines=told.lines,
            data={**own, "planned": told.model_dump(mode="json")},
        )

    def _own_plan(self, arguments: BaseModel, call: Call) -> Plan:
        if self.plans_alone and self._checks_targets:
            return super().plan(arguments, call)
        return Action.plan(self, arguments, call)  # What is planned without asking anybody.

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        is_read, name = call.effect is Effect.READ, self._tape.name(call)
        self.admit(arguments)
        self._tape.arguments[name] = arguments.model_dump(mode="json")
        answer = self._tape.next(name)
        if answer is None and is_read:
            self._tape.missing[name] = self.describe(arguments)
            raise ActionFailedError(f"Nothing is recorded for {name}.", error_class=UNRECORDED)
        answer = answer or Answer()
        refusal = failure(answer, is_read=is_read)
        if not is_read and _has_acted(answer):
            self._tape.effects.append(name)
        if refusal is not None:
            raise refusal
        return self._output(answer, name)

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        del arguments
        return self._tape.happened(self._tape.name(call))

    def _output(self, answer: Answer, name: str) -> BaseModel:
        try:
            return self.gives.model_validate(filled(self._action, answer.output))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            self._tape.missing[name] = f"its recorded output is none of {self.name}: {where}"
            raise ActionFailedError(
                f"The recorded output of {name} does not fit.", error_class=UNRECORDED
            ) from error


def filled(action: Action[Any, Any], output: Json) -> Json:
    """Return a recorded output with what it need not say."""
    usual = dict(USUAL.get(action.name, {}))
    if action.name == "sql.query" and isinstance(output, dict):
        rows = output.get("rows")
        usual["count"] = len(rows) if isinstance(rows, list) else 0
    if output is None:
        return usual
    return {**usual, **output} if isinstance(output, dict) else output


def failure(answer: Answer, *, is_read: bool) -> ActionError | None:
    """Return how a step fails that is answered so, None where it does not."""
    name, words = answer.error or answer.fails or "", "It fails in this rehearsal."
    match answer.fails:
        case "not_performed":
            return NotPerformedError(words, error_class=name)
        case "transient":
            return TransientReadError(words, error_class=name)
        case "failed" | "partly":
            is_part = answer.fails == "partly"
            return ActionFailedError(words, error_class=name, partly=is_part)
        case "in_doubt" | "timeout":
            kind = TransientReadError if is_read else InDoubtError
            return kind(words, error_class=name)
    return None


def _has_acted(answer: Answer) -> bool:
    """Say whether the world is another one after such an answer."""
    return answer.fails in (None, "partly") or answer.happened is Happened.YES

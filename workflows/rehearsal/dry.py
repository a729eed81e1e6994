"""Actions of a dry run: what would be done is planned, and nothing is done.

Reads are answered from recordings, or performed for real where that is wanted. An effect gives
what was recorded for it, or what is usual; it never acts.
"""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows.actions.base import Action, Call, Effect, Happened, Plan
from workflows.actions.door import Door
from workflows.entry import Json
from workflows.errors import ActionFailedError
from workflows.rehearsal.recorded import failure, filled
from workflows.rehearsal.tape import Tape

UNREAD = "not_read"
UNKNOWN = "not_known"


@dataclass(slots=True)
class Notes:
    """What was planned and read on the way, by the name of the step."""

    plans: dict[str, Plan] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)  # What was read, in a line.
    is_real: set[str] = field(default_factory=set)  # Which of them were read for real.


class Dry(Door):
    """Another action's door, behind which nothing is changed."""

    def __init__(self, action: Action[Any, Any], tape: Tape, notes: Notes, *, looks: bool) -> None:
        """With `looks` it reads for real what was not recorded."""
        super().__init__(action)
        self._tape = tape
        self._notes = notes
        self._looks = looks

    def concern(self, arguments: BaseModel, call: Call) -> None:
        """Return None: of whose catalog it is, a dry run knows nothing."""

    def plan(self, arguments: BaseModel, call: Call) -> Plan:
        self.admit(arguments)
        name = self._tape.name(call)
        coming = self._tape.coming(name)
        if coming is not None and coming.plan is not None:
            summary = coming.plan.summary or self.describe(arguments)
            found = Plan(summary=summary, lines=coming.plan.lines)
        elif self.plans_alone or self._looks:
            found = super().plan(arguments, call)
        else:
            found = Action.plan(self, arguments, call)  # What is planned without asking anybody.
        self._notes.plans[name] = found
        return found

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        name, is_read = self._tape.name(call), call.effect is Effect.READ
        self.admit(arguments)
        if is_read:
            self._notes.reads[name] = self.describe(arguments)
        elif name not in self._notes.plans:
            self.plan(arguments, call)  # Nobody is asked about it, and it is shown all the same.
        answer = self._tape.next(name)
        if answer is not None and (refusal := failure(answer, is_read=is_read)) is not None:
            raise refusal
        if answer is None and is_read:
            return self._read(name, arguments, call)
        return self._given(name, None if answer is None else answer.output)

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        """Say that nobody knows: nothing is asked about what never was."""
        del arguments, call
        return Happened.UNKNOWN

    def _read(self, name: str, arguments: BaseModel, call: Call) -> BaseModel:
        if not self._looks or self.is_model:
            raise ActionFailedError(f"{name} was not read.", error_class=UNREAD)
        found = super().perform(arguments, call)
        self._notes.is_real.add(name)
        return found

    def _given(self, name: str, output: Json) -> BaseModel:
        try:
            return self.gives.model_validate(filled(self._action, output))
        except ValidationError as error:
            raise ActionFailedError(
                f"What {name} would give is not known.", error_class=UNKNOWN
            ) from error

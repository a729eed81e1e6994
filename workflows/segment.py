"""One process's turn at a run, from claim to release: its definition, where it stands, its calls.

How facts are recorded and what others write meanwhile is for `recorder`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from workflows.actions.base import Action, Call, Effect
from workflows.actions.inert import Inert
from workflows.definition_steps import Step, Work
from workflows.entry import INTERLOCK, Draft, Json, Part, PartClass, Ref
from workflows.errors import InterlockError
from workflows.expression import Scope
from workflows.flow import Walk
from workflows.house import House
from workflows.instances import instance, items_of, step_of
from workflows.lent_secrets import LentSecrets
from workflows.orders import Start, Started
from workflows.outputs import Outputs
from workflows.people import PersonId
from workflows.procedure import Procedure
from workflows.recorder import Recorder
from workflows.redacted_json import redacted_json
from workflows.run import RunState
from workflows.store import RunRow


class After(Enum):
    """What follows a move of one branch."""

    LOOK = "look"  # At the run again: there may be more to do.
    GONE = "gone"  # The segment has let go of the run.


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A branch that waits: until that moment, or until somebody writes to the run."""

    until: datetime | None = None


Next: TypeAlias = After | Pause
StartRun: TypeAlias = Callable[[Start], Started]


class Segment(Recorder):
    """A claimed run with everything its branches need to make their moves."""

    def __init__(
        self,
        house: House,
        row: RunRow,
        procedure: Procedure,
        base: RunState,
        *,
        start_run: StartRun,
        is_claimed: bool = True,
    ) -> None:
        """`start_run` starts the run of another workflow."""
        super().__init__(house, row, base, is_claimed=is_claimed)
        self.start_run = start_run
        self.definition = procedure.definition
        self.scopes = procedure.scopes
        self.walk = Walk(procedure.definition)
        self._people: dict[Ref, PersonId | None] = {}
        if row.requester_id is not None:
            self._people[Ref(row.requester)] = row.requester_id
        self._used: set[tuple[str, str, int]] = set()  # Which secrets, in which steps.

    def person(self, ref: Ref) -> PersonId | None:
        """Return the person behind a pseudonym of this run, looked up once in a segment."""
        if ref not in self._people:
            self._people[ref] = self.house.store.person(ref)
        return self._people[ref]

    def scope(self, name: str, *, result: Json = None) -> Scope:
        """Return what the expressions of an instance may speak of now.

        `result` is what a verification read.
        """
        state, node = self.state, self.definition.outline[step_of(name)]
        around = items_of(name)
        return Scope(
            inputs=state.inputs,
            steps=Outputs(self.definition, state, seen=(*node.before, node.step.id), around=around),
            items={
                loop.item: _item(
                    state.step(instance(loop.id, around[:depth])).output, around[depth]
                )
                for depth, loop in enumerate(node.loops)
            },
            result=result,
            run={
                "id": state.id,
                "requester": state.requester.ref if state.requester else "",
                "workflow": state.workflow,
            },
        )

    def action(self, work: Work) -> Action[Any, Any]:
        """Return the action that `work` uses; in shadow it has no effect, whoever asks it.

        Raises:
            InterlockError: this release has none of that name.
        """
        found = self.house.actions.get(work.uses)
        if found is None:
            raise InterlockError(
                f"There is no action {work.uses!r} here.", hint="Install the package that has it."
            )
        return Inert(found) if self.state.is_shadow else found

    def call(
        self,
        step: Step,
        work: Work,
        *,
        effect: Effect | None = None,
        approved: Json = None,
        was_late: bool = False,
    ) -> Call:
        """Return how an action is called for this step, under its idempotency key."""
        return Call(
            key=self.key(step),
            timeout=work.timeout.total_seconds(),
            secrets=self._lent(step),
            approved=approved,
            effect=effect,
            was_late=was_late,
            ports=self.house.ports,
            written=work.arguments,
            returns=work.returns,
            journal=self,
            redact=self.house.redact,
        )

    def _lent(self, step: Step) -> LentSecrets:
        """Return the secrets that a call for `step` may use; each is told once in a segment."""

        def used(name: str, version: int) -> None:
            if (step.id, name, version) in self._used:
                return
            self._used.add((step.id, name, version))
            data: dict[str, Json] = {"secret": name, "version": version, "step": step.id}
            self.note(self.draft("secret.used", data))

        return LentSecrets(
            book=self.house.secrets,
            definition=self.definition,
            policy=self.house.policy(),
            used=used,
        )

    def tell(
        self, kind: str, data: Mapping[str, Json], *, part: str, words: str, cls: PartClass
    ) -> None:
        """Record what happens within a call, at once and whatever others wrote meanwhile."""
        said = Part(value=self.house.redact(words).encode(), cls=cls)
        self.note(self.draft(kind, data, {part: said}))
        self.commit()

    def key(self, step: Step) -> str:
        """Return the idempotency key: the same for every attempt of the step."""
        return f"{self.state.id}/{step.id}"

    def part(self, value: Json, *, cls: PartClass = PartClass.CONTENT) -> Part:
        """Return `value` as a part, with every secret the bot holds replaced."""
        return Part(value=redacted_json(value, self.house.redact).encode(), cls=cls)

    def words(self, text: str) -> Part:
        """Return a sentence as a part."""
        return Part(value=self.house.redact(text).encode())

    def draft(
        self, kind: str, data: Mapping[str, Json], parts: Mapping[str, Part] | None = None
    ) -> Draft:
        """Return a fact of this run, said by the bot."""
        return Draft(kind=kind, actor=INTERLOCK, data=data, parts=parts or {}, run=self.state.id)


def _item(items: Json, number: int) -> Json:
    return items[number] if isinstance(items, list) and number < len(items) else None

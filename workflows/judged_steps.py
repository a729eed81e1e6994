"""The steps of definitions that are put to the policy: all that do more than read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_steps import Approval, Step, Undo, raised
from workflows.entry import Json
from workflows.step_scope import Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStep:
    """A step, or what takes it back, as the rules of a policy see it."""

    definition: Definition
    step: str
    action: str
    effect: Effect
    approval: Approval | None  # What its own file wants.
    is_undo: bool = False

    @property
    def known(self) -> dict[str, Json]:
        """Return what a rule may ask about it before it runs."""
        return {"workflow": self.definition.workflow, "step": self.step, "action": self.action}

    @property
    def shown(self) -> str:
        """Return its name for people."""
        what = f"the undoing of {self.step}" if self.is_undo else self.step
        return f"{what} of {self.definition.workflow}"


def judged_steps(definitions: Iterable[Definition], actions: Actions) -> list[JudgedStep]:
    """Return every step that does more than read, in order; those of unknown actions left out."""
    return [one for definition in definitions for one in _of(definition, actions)]


def _of(definition: Definition, actions: Actions) -> Iterator[JudgedStep]:
    for step in definition.works:
        for work in (step, step.undo):
            if isinstance(work, Step | Undo) and work.uses in actions:
                effect = raised(actions[work.uses].effect_of(work.arguments), work.effect)
                if effect is not Effect.READ:
                    yield JudgedStep(
                        definition=definition,
                        step=step.id,
                        action=work.uses,
                        effect=effect,
                        approval=work.approval,
                        is_undo=work is not step,
                    )

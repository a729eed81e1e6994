"""Actions as a run in shadow has them: they read and plan, and have no effect whoever asks."""

from typing import Any

from pydantic import BaseModel

from workflows.actions.base import Action, Call, Effect, Happened
from workflows.actions.door import Door
from workflows.errors import ActionFailedError

IN_SHADOW = "in_shadow"


class Inert(Door):
    """Another action's door, through which nothing goes out."""

    def __init__(self, action: Action[Any, Any]) -> None:
        super().__init__(action)
        vars(self)["is_delivered"] = False  # Nothing of it is left to the outbox either.

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        """Read; whatever the caller takes it for, refuse what does more than that.

        Raises:
            ActionFailedError: it does more.
        """
        own = self.effect_of(arguments.model_dump(mode="json", by_alias=True))
        if not call.effect is own is Effect.READ:
            raise ActionFailedError(f"{self.name} has no effect in shadow.", error_class=IN_SHADOW)
        return super().perform(arguments, call)

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        del arguments, call
        return Happened.NO

"""The door of another action: whatever is asked of it, that action answers.

Whoever has to stand before an action (to hold it to its time, to answer from recordings, to keep
it from acting) is a door that answers some of it itself.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from workflows.actions.base import Action, Busy, Call, Concern, Effect, Happened, Plan
from workflows.entry import Json

_TOLD = ("name", "code_version", "effect", "takes", "gives", "is_delivered", "delivered_as")
_ALSO = ("literals", "output_class", "is_model", "plans_alone", "is_emergency")


class Door(Action[Any, Any]):
    """Another action, as whoever asks for it sees it."""

    name = "door"  # Each instance has the name, and all else, of the action it holds.
    effect = Effect.DESTRUCTIVE
    takes = BaseModel
    gives = BaseModel

    def __init__(self, action: Action[Any, Any]) -> None:
        self._action = action
        vars(self).update({one: getattr(action, one) for one in (*_TOLD, *_ALSO)})

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        return self._action.effect_of(arguments)

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        return self._action.secrets_of(arguments)

    def admit(self, arguments: BaseModel) -> None:
        self._action.admit(arguments)

    def describe(self, arguments: BaseModel) -> str:
        return self._action.describe(arguments)

    def plan(self, arguments: BaseModel, call: Call) -> Plan:
        return self._action.plan(arguments, call)

    def concern(self, arguments: BaseModel, call: Call) -> Concern | None:
        return self._action.concern(arguments, call)

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        output: BaseModel = self._action.perform(arguments, call)
        return output

    def is_once(self, arguments: BaseModel) -> bool:
        return self._action.is_once(arguments)

    def busy(self, arguments: BaseModel) -> Busy | None:
        return self._action.busy(arguments)

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        return self._action.probe(arguments, call)

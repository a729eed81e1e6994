"""Actions of other packages, held to their time.

Ours end by themselves when a call's time is over. Code of others may not, and a step must not
wait for it for ever, so each of its calls runs in a thread that is left behind when it is late.
What it was doing then is not known, and that is what the step is told.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from workflows.actions.base import Action, Busy, Call, Effect, Happened, Plan
from workflows.entry import Json
from workflows.errors import InDoubtError, InterlockError, TransientReadError

GRACE = 5.0  # Seconds an action may take to end by itself, and to say what came of it.

T = TypeVar("T")


class LateError(InterlockError):
    """A call did not end in time; the thread it runs in is left to itself."""

    def __init__(self, message: str, *, thread: threading.Thread) -> None:
        super().__init__(message)
        self.thread = thread


class Timed(Action[Any, Any]):
    """Another action whose calls end in time, one way or the other."""

    name = "timed"  # Each instance has the name, and all else, of the action it holds.
    effect = Effect.DESTRUCTIVE
    takes = BaseModel
    gives = BaseModel

    def __init__(self, action: Action[Any, Any], *, grace: float = GRACE) -> None:
        self._action = action
        self._grace = grace
        self._left: dict[str, threading.Thread] = {}  # Those that may still act, by their key.
        told = ("name", "code_version", "effect", "takes", "gives", "is_delivered", "literals")
        also = ("output_class", "is_model", "plans_alone")
        vars(self).update({one: getattr(action, one) for one in (*told, *also)})

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        return self._action.effect_of(arguments)

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        return self._action.secrets_of(arguments)

    def admit(self, arguments: BaseModel) -> None:
        self._action.admit(arguments)

    def describe(self, arguments: BaseModel) -> str:
        return self._action.describe(arguments)

    def plan(self, arguments: BaseModel, call: Call) -> Plan:
        try:
            return self._in_time(lambda: self._action.plan(arguments, call), call)
        except LateError as late:
            raise TransientReadError(str(late), error_class="timeout") from late

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        try:
            return self._in_time(lambda: self._performed(arguments, call), call)
        except LateError as late:
            self._left[call.key] = late.thread
            kind = TransientReadError if call.effect is Effect.READ else InDoubtError
            raise kind(str(late), error_class="timeout") from late

    def busy(self, arguments: BaseModel) -> Busy | None:
        return self._action.busy(arguments)

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        """Say whether the effect happened; while it may still happen, never that it did not."""
        try:
            found = self._in_time(lambda: self._action.probe(arguments, call), call)
        except LateError:
            return Happened.UNKNOWN
        left = self._left.get(call.key)
        may_still_act = left is not None and left.is_alive()
        return Happened.UNKNOWN if found is Happened.NO and may_still_act else found

    def _performed(self, arguments: BaseModel, call: Call) -> BaseModel:
        output: BaseModel = self._action.perform(arguments, call)
        return output

    def _in_time(self, work: Callable[[], T], call: Call) -> T:
        """Return what `work` returns, raise what it raises, or `LateError`."""
        results: list[T] = []
        faults: list[BaseException] = []

        def worked() -> None:
            try:
                results.append(work())
            except BaseException as fault:  # noqa: BLE001 - it is raised where it was asked for.
                faults.append(fault)

        thread = threading.Thread(target=worked, name=f"action-{self.name}", daemon=True)
        thread.start()
        thread.join(call.timeout + self._grace)
        if faults:
            raise faults[0]
        if not results:
            late = f"{self.name} did not end within {call.timeout:g} s."
            raise LateError(late, thread=thread)
        return results[0]

"""Actions of other packages, held to their time.

Ours end by themselves when a call's time is over. Code of others may not, and a step must not
wait for it for ever, so each of its calls runs in a thread that is left behind when it is late.
What it was doing then is not known, and that is what the step is told.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from workflows.actions.base import Action, Call, Effect, Happened, Plan
from workflows.actions.door import Door
from workflows.errors import InDoubtError, InterlockError, TransientReadError

MOST_ENDED = 1_000  # Effects that were late and have ended; of more, the oldest are forgotten.
LEFT_RUNNING = "left_running"  # How an effect in doubt is called that was waited for no longer.
GRACE = 5.0  # Seconds an action may take to end by itself, and to say what came of it.

T = TypeVar("T")


class LateError(InterlockError):
    """A call did not end in time; the thread it runs in is left to itself."""

    def __init__(self, message: str, *, thread: threading.Thread) -> None:
        super().__init__(message)
        self.thread = thread


class Timed(Door):
    """Another action whose calls end in time, one way or the other."""

    def __init__(self, action: Action[Any, Any], *, grace: float = GRACE) -> None:
        super().__init__(action)
        self._grace = grace
        self._left = _Left()

    def plan(self, arguments: BaseModel, call: Call) -> Plan:
        try:
            return self._in_time(lambda: self._action.plan(arguments, call), call)
        except LateError as late:
            raise TransientReadError(str(late), error_class="timeout") from late

    def perform(self, arguments: BaseModel, call: Call) -> BaseModel:
        perform = super().perform
        try:
            return self._in_time(lambda: perform(arguments, call), call)
        except LateError as late:
            self._left.add(call.key, late.thread)
            if call.effect is Effect.READ:
                raise TransientReadError(str(late), error_class="timeout") from late
            raise InDoubtError(str(late), error_class=LEFT_RUNNING) from late

    def probe(self, arguments: BaseModel, call: Call) -> Happened:
        """Say whether the effect happened; while it may still happen, never that it did not."""
        # Asked before: what ends during the probe may have acted after the probe had looked.
        may_still_act = self._left.may_act(call.key, was_late=call.was_late)
        try:
            found = self._in_time(lambda: self._action.probe(arguments, call), call)
        except LateError:
            return Happened.UNKNOWN
        return Happened.UNKNOWN if found is Happened.NO and may_still_act else found

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


class _Left:
    """The threads that were left behind and may still act, by the key of their effect."""

    def __init__(self) -> None:
        self._threads: dict[str, list[threading.Thread]] = {}
        self._ended: dict[str, None] = {}  # Whose threads have all ended, the oldest first.
        self._guard = threading.Lock()

    def add(self, key: str, thread: threading.Thread) -> None:
        """Note one more, and forget those that have ended."""
        with self._guard:
            self._threads.setdefault(key, []).append(thread)
            for one, threads in list(self._threads.items()):
                self._threads[one] = [each for each in threads if each.is_alive()]
                if not self._threads[one]:
                    del self._threads[one]
                    self._ended[one] = None
            for one in list(self._ended)[:-MOST_ENDED]:
                del self._ended[one]

    def may_act(self, key: str, *, was_late: bool) -> bool:
        """Say whether one of them has not ended, as far as this process can tell.

        Of an attempt that `was_late` elsewhere, or before this process began, it cannot.
        """
        with self._guard:
            if key not in self._threads:
                return was_late and key not in self._ended
            return any(one.is_alive() for one in self._threads[key])

"""Recorded answers in the place of actions: nothing is reached, and every call is taken down.

A step is answered under the name of its instance (`remove/3`), or else of the step (`remove`);
its proof as `remove/verify`, what takes it back as `remove/undo`. Several answers come one
after the other, the last for all that follow: a step that is read again before its effect, or
proved again, is asked more than once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from workflows.actions.base import Call, Happened
from workflows.definition import Definition
from workflows.entry import Json
from workflows.instances import step_of
from workflows.rehearsal.form import Answer, Answers, in_turn

VERIFY = "/verify"
UNDO = "/undo"
OPTIONS = "options"  # The key under which the choices of an input are read.

Bound = Callable[[str], Definition]  # Finds the definition of a run.


class Tape:
    """Gives each call its answer, and remembers what was asked for in vain."""

    def __init__(self, main: str, answers: Mapping[str, Answers], bound: Bound) -> None:
        """`main` is the workflow whose steps are named without it."""
        self._main = main
        self._answers = {name: in_turn(one) for name, one in answers.items()}
        self._bound = bound
        self._turns: Counter[str] = Counter()
        self.effects: list[str] = []
        self.arguments: dict[str, Json] = {}
        self.missing: dict[str, str] = {}

    def name(self, call: Call) -> str:
        """Return the name of the step that calls."""
        run, _, name = call.key.partition("/")
        if run == OPTIONS:
            return OPTIONS
        definition = self._bound(run)
        verify = definition.step(name).verify
        if verify is not None and verify.arguments is call.written:
            name += VERIFY
        return self.shown(definition.workflow, name)

    def shown(self, workflow: str, step: str) -> str:
        """Return how a test names a step."""
        return step if workflow == self._main else f"{workflow}.{step}"

    def next(self, name: str) -> Answer | None:
        """Return what that step is answered this time, None where nothing is recorded."""
        found = self._of(name)
        if not found:
            return None
        turn = self._turns[name]
        self._turns[name] += 1
        return found[min(turn, len(found) - 1)]

    def coming(self, name: str) -> Answer | None:
        """Return what that step will be answered, without taking it."""
        found = self._of(name)
        return found[min(self._turns[name], len(found) - 1)] if found else None

    def happened(self, name: str) -> Happened:
        """Return what somebody finds who looks whether the last attempt had its effect."""
        found = self._of(name)
        last = max(0, self._turns[name] - 1)
        return found[min(last, len(found) - 1)].happened if found else Happened.UNKNOWN

    def _of(self, name: str) -> tuple[Answer, ...]:
        return next((self._answers[one] for one in _spellings(name) if one in self._answers), ())


def _spellings(name: str) -> Iterator[str]:
    """Yield the names under which a step may be answered, the closest first."""
    yield name
    base, end = name, ""
    for suffix in (VERIFY, UNDO):
        if base.endswith(suffix):
            base, end = base.removesuffix(suffix), suffix + end
    yield step_of(base) + end

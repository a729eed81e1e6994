"""A target that does to each call what a script says, and remembers what really happened.

The script is by idempotency key, so that it means the same in whatever order branches go. The
model of `foretold_flows.py` reads the same script and never looks at what the target remembers.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import ClassVar

from tests.fuse import Crash
from tests.world import Named, Value
from workflows.actions.base import Action, Call, Effect, Happened, Model
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)

FATES = ("refused", "unreachable", "partly", "lost before", "lost after", "killed before")
FATES = (*FATES, "killed after")
HAPPENS = frozenset({"done", "lost after", "killed after"})


class Script:
    """What the world does: to each attempt under a key, to each read, to each look for a key."""

    def __init__(self) -> None:
        self.fates: dict[str, list[str]] = defaultdict(list)  # By the name of an instance.
        self.unreadable: set[str] = set()  # Steps whose read fails for good.
        self.slow: set[str] = set()  # Steps whose read does not come in time.
        self.unproved: set[str] = set()  # Steps whose verification is not true.
        self.can_probe = True

    def fate(self, name: str, attempt: int) -> str:
        """Return what becomes of an attempt, counted from 0."""
        own = self.fates.get(name, [])
        return own[attempt] if attempt < len(own) else "done"


class Target:
    """What really happened, by key."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.effects: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()
        self.meanwhile: Callable[[str], None] = lambda _key: None

    @property
    def has_killer(self) -> bool:
        """Say whether some attempt ends the process."""
        return any(one.startswith("killed") for own in self.script.fates.values() for one in own)


class Rows(Model):
    rows: list[int]


class ListFlow(Action[Named, Rows]):
    name: ClassVar[str] = "flow.list"
    effect: ClassVar[Effect] = Effect.READ
    takes = Named
    gives = Rows

    def __init__(self, target: Target) -> None:
        self._target = target

    def perform(self, arguments: Named, call: Call) -> Rows:
        del call
        _read(self._target, arguments.name)
        return Rows(rows=[4, 4])


class LookFlow(Action[Named, Value]):
    """Reads a number that grows once an effect shows: 1 if the step of that name is proved."""

    name: ClassVar[str] = "flow.look"
    effect: ClassVar[Effect] = Effect.READ
    takes = Named
    gives = Value

    def __init__(self, target: Target) -> None:
        self._target = target

    def perform(self, arguments: Named, call: Call) -> Value:
        del call
        _read(self._target, arguments.name)
        return Value(value=int(arguments.name not in self._target.script.unproved))


class ActFlow(Action[Named, Value]):
    name: ClassVar[str] = "flow.act"
    effect: ClassVar[Effect] = Effect.WRITE
    takes = Named
    gives = Value
    plans_alone: ClassVar[bool] = True

    def __init__(self, target: Target) -> None:
        self._target = target

    def describe(self, arguments: Named) -> str:
        return f"do {arguments.name}"

    def perform(self, arguments: Named, call: Call) -> Value:
        del arguments
        target, key = self._target, call.key
        attempt, name = target.tried[key], key.partition("/")[2]
        target.tried[key] += 1
        fate = target.script.fate(name, attempt)
        if fate in HAPPENS:
            target.effects[key] += 1
        target.meanwhile(key)
        if fate == "done":
            return Value(value=attempt)
        raise _troubles(fate)

    def probe(self, arguments: Named, call: Call) -> Happened:
        del arguments
        if not self._target.script.can_probe:
            return Happened.UNKNOWN
        return Happened.YES if self._target.effects[call.key] else Happened.NO


def _troubles(fate: str) -> BaseException:
    match fate:
        case "refused":
            return ActionFailedError("no", error_class="refused")
        case "unreachable":
            return NotPerformedError("nobody listens", error_class="unreachable")
        case "partly":
            return ActionFailedError("half", error_class="broken_off", partly=True)
        case "lost before" | "lost after":
            return InDoubtError("no answer", error_class="reply_lost")
        case _:
            return Crash(fate)


def _read(target: Target, name: str) -> None:
    if name in target.script.unreadable:
        raise ActionFailedError("no", error_class="refused")
    if name in target.script.slow:
        raise TransientReadError("not in time", error_class="timeout")

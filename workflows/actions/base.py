"""What an action is: one kind of step, with a typed door on both sides.

An action declares what it does to the world. The engine asks it to `plan` before a gate,
to `perform` after it, and to `probe` when a crash left the outcome unknown.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from workflows.entry import Json, PartClass, Ref
from workflows.shapes import Returns


class Effect(StrEnum):
    """What an action does to the world, from harmless to irreversible."""

    READ = "read"
    EGRESS = "egress"
    WRITE = "write"
    DESTRUCTIVE = "destructive"

    @property
    def rank(self) -> int:
        """Return the place in the order, so that effects can be compared."""
        return _RANKS[self]


_RANKS = {effect: rank for rank, effect in enumerate(Effect)}


class Happened(StrEnum):
    """A probe's answer to: did the effect happen?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# How much more than its limit is read of what came from outside: the longest secret that may
# stand across the limit, in its longest form.
MARGIN = 64 * 1024


class Model(BaseModel):
    """Base of what goes into and comes out of an action: strict, closed, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen: `lines` for people, `data` for the digest (JSON, canonicalised)."""

    summary: str
    lines: tuple[str, ...] = ()
    data: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Who answers for the part of the catalog that a step changes, and who wrote the change.

    Owner and deputy are those of what counts now; `authors` never decide.
    """

    owner: str
    deputy: str
    authors: frozenset[Ref] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Why a target is not to be asked just now, and in how many seconds to look again."""

    error_class: str
    words: str
    seconds: float


class Secrets(Protocol):
    """Gives secrets by name, only while an effect is under way."""

    def reveal(self, name: str) -> str:
        """Return the secret.

        Raises:
            SecretError: there is none of that name.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What a statement would touch: how many rows, which, and the first few of them.

    `digest` depends on the rows and not on their order, so that the same rows found again
    give the same plan. `shown` are in a fixed order too. Rows that differ with every try,
    because a statement writes the time or fresh numbers, are only counted.
    """

    count: int
    digest: str
    shown: tuple[dict[str, Json], ...] = ()


class Rows(Protocol):
    """The port through which `sql.*` actions reach a database; `storage` fills it.

    Every method acts as `role`, if there is one, ends within `timeout` seconds and raises
    nothing but `ActionError`.
    """

    def query(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        limit: int,
        timeout: float,
        role: str | None = None,
    ) -> list[dict[str, Json]]:
        """Return at most `limit` rows, read in a transaction that can change nothing.

        Raises:
            TransientReadError: unreachable, locked or too slow.
            ActionFailedError: the database refuses the statement.
        """

    def affected(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        shown: int,
        timeout: float,
        role: str | None = None,
    ) -> Affected:
        """Run the statement, return what it touches, and roll back.

        Raises:
            TransientReadError: unreachable, locked or too slow.
            ActionFailedError: the database refuses the statement.
        """

    def execute(
        self,
        url: str,
        statement: str,
        parameters: Mapping[str, Json],
        *,
        expected: Affected | None,
        key: str,
        records: bool,
        timeout: float,
        role: str | None = None,
    ) -> int:
        """Run the statement and commit, unless it touches other rows than `expected`.

        With `records`, `key` is remembered in the same transaction where the database lets
        us keep a table; under a key remembered already this changes nothing and returns
        the count of then.

        Raises:
            NotPerformedError: other rows, unreachable, locked or too slow; nothing changed.
            ActionFailedError: the database refuses the statement; nothing changed.
            InDoubtError: the commit's answer was lost.
        """

    def happened(self, url: str, *, key: str, timeout: float, role: str | None = None) -> Happened:
        """Say whether `execute` was committed under `key`; it raises nothing."""


class Journal(Protocol):
    """Takes down what happens within a call, for what has entries of its own."""

    def tell(
        self, kind: str, data: Mapping[str, Json], *, part: str, words: str, cls: PartClass
    ) -> None:
        """Record a fact at once, with `words` as its one part.

        Raises:
            StorageError: nothing was recorded.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an action: who it is for and how long it may take.

    `key` is the idempotency key `run/step`, the same for every attempt. `timeout` is in
    seconds. `approved` is the data of the plan that was approved, if there was one.
    `effect` is what the definition makes of the step; None leaves it to the action. For a probe
    it `was_late` if the attempt in doubt is one that was not waited for any longer.
    `written` are the arguments as the definition has them, before any expression was resolved,
    and `returns` what it says comes back. `redact` takes held secrets out of a text; whoever
    shortens or folds what came from outside does so after that, since of half a secret nobody
    can say what it is.
    """

    key: str
    timeout: float
    secrets: Secrets
    approved: Json = None
    effect: Effect | None = None
    was_late: bool = False
    ports: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, Json] = field(default_factory=dict)
    returns: Mapping[str, Returns] | None = None
    journal: Journal | None = None
    redact: Callable[[str], str] = str


In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)


class Action(ABC, Generic[In, Out]):
    """One kind of step.

    `effect` is the least this action does; `effect_of` may raise it for given arguments.
    `literals` are the arguments that a definition must write out, without expressions.
    One that `plans_alone` makes its plan of arguments and policy and reaches nothing for it.
    """

    name: ClassVar[str]
    code_version: ClassVar[str] = "1"
    effect: ClassVar[Effect]
    takes: type[In]
    gives: type[Out]
    is_delivered: ClassVar[bool] = False  # True: the outbox performs it (`slack.*`).
    delivered_as: ClassVar[str] = "post"  # Then the subject of the message that does it.
    literals: ClassVar[frozenset[str]] = frozenset()
    output_class: ClassVar[PartClass] = PartClass.CONTENT
    is_model: ClassVar[bool] = False  # True: what it gives are a language model's words.
    plans_alone: ClassVar[bool] = False
    is_emergency: ClassVar[bool] = True  # False: it can always wait, so no glass lies over it.

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        """Return what these (possibly unresolved) arguments would do, never below `effect`."""
        del arguments
        return self.effect

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        """Return the names of the secrets these (possibly unresolved) arguments may need.

        A step is given no other one where its definition says which it may use.
        """
        del arguments
        return frozenset()

    def admit(self, arguments: In) -> None:
        """Return if the policy allows these arguments; nothing is reached for it.

        Raises:
            ActionFailedError: it does not.
        """
        del arguments

    def describe(self, arguments: In) -> str:
        """Return one line for people: what this does, with what."""
        del arguments
        return self.name

    def plan(self, arguments: In, call: Call) -> Plan:
        """Return what would happen, changing nothing.

        Raises:
            ActionError: what is needed to say it could not be read.
        """
        del call
        return Plan(summary=self.describe(arguments), data=arguments.model_dump(mode="json"))

    def concern(self, arguments: In, call: Call) -> Concern | None:
        """Return whose agreement a change of the catalog needs; None for every other action.

        Raises:
            ActionError: it could not be read.
            PeopleUnreadableError: who wrote the change could not be found out just now.
        """
        del arguments, call
        return None

    @abstractmethod
    def perform(self, arguments: In, call: Call) -> Out:
        """Do it and return what came of it.

        Raises:
            ActionError: one of its four kinds, and nothing else that is expected.
        """

    def load(self) -> None:
        """Load what `perform` needs and a bot at rest does without.

        It is called when people have been asked, so that the step begins right after they decide.
        """

    def is_once(self, arguments: In) -> bool:
        """Say whether the target itself does nothing more under a key that it has had."""
        del arguments
        return False

    def busy(self, arguments: In) -> Busy | None:
        """Return why the target is not to be asked just now; an effect then waits."""
        del arguments
        return None

    def probe(self, arguments: In, call: Call) -> Happened:
        """Say whether the effect under `call.key` happened."""
        del arguments, call
        return Happened.UNKNOWN

"""What was found in a script: one thing it does, where, and how grave that may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.actions.base import Effect
from workflows.entry import Json
from workflows.errors import DefinitionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program with its arguments, expressions of a workflow among them."""

    name: str
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """A request: the address without its path, and what goes along."""

    base: str
    method: str
    path: str
    body: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    """A statement on some database."""

    database: str
    statement: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Waiting for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """Something no action does yet, so that somebody is asked to do it."""

    words: str


Work = Program | Http | Sql | Pause | ByHand


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing that a script does. `open` are the questions that a person has to answer.

    `called` and `said` are a language model's words for it, empty without one.
    """

    line: int
    work: Work
    effect: Effect
    open: tuple[str, ...] = ()
    called: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All that was found, the values that come from outside, and what was left out, by line.

    `shapes` is what a language model made of inputs; where it put what was done into another
    order, `found_order` has the numbers by which that was found.
    """

    doings: tuple[Doing, ...]
    inputs: tuple[str, ...] = ()
    left_out: tuple[tuple[int, str], ...] = ()
    secrets: tuple[tuple[int, str], ...] = ()  # The names of those that stood in it.
    shapes: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    found_order: tuple[int, ...] = ()


def too_deep() -> DefinitionError:
    """Return the refusal of a script that nobody could read either."""
    return DefinitionError(
        "It is nested too deep to be read.", hint="Adopt its parts one by one, from smaller files."
    )

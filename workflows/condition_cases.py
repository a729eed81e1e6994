"""Whether a condition of the policy can be true at all, found by trying every case that matters.

A condition that only compares names with values written out cannot tell apart what lies between
those values. So one value for each gap, and the values themselves, stand for all there are; if
none of them makes it true, nothing does. Of anything else only "it can" is ever said.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice, pairwise, product
from math import prod
from typing import Final, TypeAlias

from workflows.actions.base import Effect
from workflows.condition_tree import (
    Applied,
    Constant,
    Has,
    Listed,
    Name,
    Path,
    Tree,
    every,
    tree_of,
)
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.policy_facts import rule_environment

MOST_CASES = 20_000
OTHER = "something else"  # A text that no condition names.

_CONNECTIVES = frozenset({"_&&_", "_||_", "!_", "_?_:_"})
_EQUAL = frozenset({"_==_", "_!=_"})
_ORDER = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_TEXTS = frozenset({"workflow", "step", "action", "requester"})
_CLOSED: Mapping[str, tuple[Json, ...]] = {
    "effect": tuple(one.value for one in Effect),
    "hour": tuple(range(24)),
    "weekday": tuple(range(1, 8)),
}
_OPEN = frozenset({"inputs", "args"})
_DEPTH = 2  # inputs.amount; what lies deeper may be missing in more than one way.


class Missing(Enum):
    """What is not there."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
Tried: TypeAlias = "Json | Missing"
Case: TypeAlias = "Mapping[Path, Tried]"


class Reach(Enum):
    """What a condition can become."""

    TRUE = "true"
    UNCLEAR = "unclear"  # Never true, but in some case neither true nor false.
    NEVER = "never"
    UNKNOWN = "unknown"  # Too much to try, or something that trying cannot settle.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What was found, and a case that shows it."""

    reach: Reach
    case: Case = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Return the case for a person: `effect = "write", no inputs.amount`."""
        told = (
            f"no {'.'.join(path)}" if value is MISSING else f"{'.'.join(path)} = {literal(value)}"
            for path, value in self.case.items()
        )
        return ", ".join(told)


def literal(value: Json) -> str:
    """Return a value as a condition writes it."""
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)


def reached(
    condition: str,
    known: Mapping[str, Json] | None = None,
    *,
    effects: Iterable[Json] = _CLOSED["effect"],
    inputs: Collection[str] | None = None,
) -> Reached:
    """Return what `condition` can become where the variables in `known` are known.

    `inputs` are those that a form has: all of these are there, and no others.

    Raises:
        ExpressionError: it does not compile.
    """
    tree = tree_of(rule_environment(), condition)
    survey = _Survey()
    survey.condition(tree)
    choices = survey.choices({**(known or {})}, tuple(effects))
    if inputs is not None:
        choices = {path: _of_form(path, found, inputs) for path, found in choices.items()}
    is_complete = survey.is_complete and prod(map(len, choices.values())) <= MOST_CASES
    unclear: Case | None = None
    for values in islice(product(*choices.values()), MOST_CASES):
        case = dict(zip(choices, values, strict=True))
        given = _given(condition, case)
        if given is True:
            return Reached(reach=Reach.TRUE, case=case)
        if given is None and unclear is None:
            unclear = case
    if not is_complete:
        return Reached(reach=Reach.UNKNOWN)
    if unclear is not None:
        return Reached(reach=Reach.UNCLEAR, case=unclear)
    return Reached(reach=Reach.NEVER)


def _of_form(path: Path, found: list[Tried], inputs: Collection[str]) -> list[Tried]:
    """Return the values that an input of a form can have; what is no input stays as it is."""
    if path[0] != "inputs":
        return found
    return [one for one in found if (one is not MISSING) == (path[1] in inputs)]


def _given(condition: str, case: Case) -> bool | None:
    """Return what a condition gives in one case, None where that is neither true nor false."""
    tree: dict[str, Json] = {"inputs": {}, "args": {}}
    for path, value in case.items():
        if value is not MISSING:
            _put(tree, path, value)
    try:
        given = rule_environment().evaluate(condition, _BLANK | tree)
    except ExpressionError:
        return None
    return given if isinstance(given, bool) else None


_BLANK: dict[str, Json] = dict.fromkeys((*_TEXTS, "effect"), OTHER) | {"hour": 0, "weekday": 1}


def _put(tree: dict[str, Json], path: Path, value: Json) -> None:
    *around, last = path
    for name in around:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[last] = value


class _Survey:
    """Which names a condition compares with which values, and whether with nothing else."""

    def __init__(self) -> None:
        self.is_complete = True
        self._compared: dict[Path, list[Json]] = {}
        self._ordered: set[Path] = set()  # What is compared by size.
        self._loose: set[Path] = set()  # What is used in a way that is not looked into.

    def condition(self, tree: Tree) -> None:
        """Take in something that has to be true or false."""
        match tree:
            case Applied(function, to) if function in _CONNECTIVES:
                for one in to:
                    self.condition(one)
            case Applied(function, (Name(path), Constant(value))) if function in _EQUAL | _ORDER:
                self._compare(function, path, value)
            case Applied(function, (Constant(value), Name(path))) if function in _EQUAL | _ORDER:
                self._compare(function, path, value)
            case Applied("@in", (Name(path), Listed(items))):
                self._choose(path, items)
            case Name(path) | Has(path):
                self._name(path, ())
            case Constant():
                pass
            case _:
                self._give_up(tree)

    def _compare(self, function: str, path: Path, value: Json) -> None:
        if function in _ORDER:
            self._ordered.add(path)
            # What lies between two texts is not tried.
            self.is_complete &= not isinstance(value, str)
        self._name(path, (value,))

    def _choose(self, path: Path, items: tuple[Tree, ...]) -> None:
        values = [one.value for one in items if isinstance(one, Constant)]
        self.is_complete &= len(values) == len(items)
        self._name(path, values)

    def _give_up(self, tree: Tree) -> None:
        """Note what is named all the same: it may serve to show that the condition can hold."""
        self.is_complete = False
        parts = list(every(tree))
        values = [one.value for one in parts if isinstance(one, Constant)]
        for one in parts:
            if isinstance(one, Name | Has):
                self._ordered.add(one.path)
                self._loose.add(one.path)
                self._name(one.path, values)

    def _name(self, path: Path, values: Iterable[Json]) -> None:
        is_plain = len(path) == 1 and path[0] not in _OPEN
        if not is_plain and len(path) != _DEPTH:
            self.is_complete = False
        self._compared.setdefault(path, []).extend(values)

    def choices(
        self, known: Mapping[str, Json], effects: tuple[Json, ...]
    ) -> dict[Path, list[Tried]]:
        """Return the values to try for each name."""
        found: dict[Path, list[Tried]] = {}
        for path, values in self._compared.items():
            root = path[0]
            if len(path) == 1 and root in known:
                found[path] = [known[root]]
            elif path == ("effect",):
                found[path] = [*effects]
            elif len(path) == 1 and root in _CLOSED:
                domain = _CLOSED[root]
                found[path] = [*(domain if path in self._loose else _within(domain, values))]
            elif len(path) == 1 and root in _TEXTS:
                found[path] = [*_each(one for one in values if isinstance(one, str)), OTHER]
            elif len(path) > 1:
                found[path] = _anything(values, is_ordered=path in self._ordered)
        return found


def _within(domain: tuple[Json, ...], values: Iterable[Json]) -> Iterator[Json]:
    """Yield the ends of a range, and what stands at or beside the values in it."""
    near = {domain[0], domain[-1]}
    near |= {one + step for one in values if isinstance(one, int) for step in (0, 1, -1)}
    return (one for one in domain if one in near)


def _anything(values: Iterable[Json], *, is_ordered: bool) -> list[Tried]:
    """Return values that stand for all that an input or argument may be."""
    said = list(values)
    numbers = [one for one in said if isinstance(one, int | float) and not isinstance(one, bool)]
    texts = [one for one in said if isinstance(one, str)]
    sizes = _around(numbers or [0]) if is_ordered else numbers or [0]
    return [*_each((*sizes, *texts, True, False)), OTHER, None, [], MISSING]


def _around(numbers: Iterable[float]) -> list[float]:
    """Return the numbers, one between each two, and one on either side."""
    line = sorted(set(numbers))
    between = ((one + other) / 2 for one, other in pairwise(line))
    return [*line, *between, line[0] - 1, line[-1] + 1]


def _each(values: Iterable[Json]) -> Iterator[Json]:
    """Yield each value once; `1` and `true` are two."""
    seen: set[tuple[type, Json]] = set()
    for one in values:
        key = (type(one), one)
        if key not in seen:
            seen.add(key)
            yield one

"""Conditions and values in CEL, typed when a file is checked, bounded when they run.

An `Environment` knows what may be named and what each name looks like. Every declared leaf
(`inputs.amount`, `steps.order.output.body.paid`) is a typed variable of its own, so a misspelt
or mistyped name is found before anything runs. Text around expressions is for `template`.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from workflows.cel_library import cel
from workflows.checked_names import names_in
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression_cost import can_cost_much, cost_of
from workflows.expression_values import (
    as_json,
    cel_type,
    cel_types,
    fitted,
    found_at,
    leaves,
    type_name,
)
from workflows.fault import suggestion
from workflows.shapes import Kind, Shape

LONGEST = 2000
MOST_ITEMS = 1000  # `map` and `filter` copy what they have so far for each item.
MOST_MADE = 64 * 1024 * 1024  # Some four million small values, or that much text.
MOST_WORK = 500_000_000  # Half a second, in which nothing else in this process goes on.

_KINDS = {"google.protobuf.Timestamp": "timestamp", "null_type": "null"}  # As CEL names them.
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# Blanks and comments may stand between a dot, a name and its bracket.
_GAP = r"(?:\s|//[^\n]*(?:\n|$))*"
_COPIES = re.compile(rf"\.{_GAP}(map|filter){_GAP}\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The values an expression may read."""

    inputs: Mapping[str, Json] = field(default_factory=dict)
    steps: Mapping[str, Json] = field(default_factory=dict)  # Step id to its stored output.
    result: Json = None  # What a verification read.
    run: Mapping[str, Json] = field(default_factory=dict)  # id, requester
    items: Mapping[str, Json] = field(default_factory=dict)  # Of the loops around, by their names.

    def tree(self) -> dict[str, Any]:
        """Return it as expressions name it."""
        steps = _Named(self.steps)
        own = {"inputs": self.inputs, "steps": steps, "result": self.result, "run": self.run}
        return {**self.items, **own}


class _Named(Mapping[str, dict[str, Json]]):
    """Outputs as expressions name them, `steps.ID.output`; most are never asked for."""

    def __init__(self, outputs: Mapping[str, Json]) -> None:
        self._outputs = outputs

    def __getitem__(self, step: str) -> dict[str, Json]:
        return {"output": self._outputs[step]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled expression, what it gives and which variables it reads.

    `copies` says whether it has what goes over the items of a list and copies them, `is_heavy`
    whether it can make much of little, or take long.
    """

    text: str
    compiled: Any
    type: Any
    reads: tuple[str, ...]
    copies: bool
    is_heavy: bool


class Environment:
    """What the expressions at one place may name. Safe to use from many threads."""

    def __init__(self, names: Mapping[str, Shape]) -> None:
        """`names` maps roots (`inputs`, `result`, …) to shapes; objects with fields are closed."""
        self.shapes = dict(names)
        self.variables = dict(leaves(names))
        types = {name: cel_type(shape) for name, shape in self.variables.items()}
        self._env = cel().NewEnv(variables=types)
        self._programs: dict[str, Program] = {}
        self._lock = threading.Lock()

    def compile(self, text: str) -> Program:
        """Return the program of an expression, type-checked.

        Raises:
            ExpressionError: it does not parse, or names or combines what it must not.
        """
        found = self._programs.get(text)
        if found is not None:
            return found
        self._refuse(text)
        try:
            compiled = self._env.compile(text)
        except RuntimeError as error:
            raise ExpressionError(self._explained(text, str(error))) from None
        tree = compiled.serialize()
        program = Program(
            text=text,
            compiled=compiled,
            type=compiled.return_type(),
            reads=tuple(sorted(names_in(tree) & self.variables.keys())),
            copies=_COPIES.search(text) is not None,
            is_heavy=can_cost_much(tree),
        )
        with self._lock:
            self._programs[text] = program
        return program

    def check_condition(self, text: str) -> None:
        """Refuse an expression that can give anything but true or false.

        Raises:
            ExpressionError: it does not compile, or gives something else.
        """
        given = self.compile(text).type
        if given not in (cel().Type.BOOL, cel().Type.DYN):
            raise ExpressionError(
                f"{text!r} gives {type_name(given)}, but a condition has to be true or false."
            )

    def holds(self, text: str, scope: Scope) -> bool:
        """Say whether a condition is true. Anything but true or false is refused, never guessed.

        Raises:
            ExpressionError: it cannot be evaluated, or gives something else.
        """
        value = self.evaluate(text, scope.tree())
        if not isinstance(value, bool):
            raise ExpressionError(f"{text!r} gives {value!r}, but has to be true or false.")
        return value

    def value(self, text: str, scope: Scope) -> Json:
        """Return what an expression gives, as JSON. A bare path gives the very value there.

        Raises:
            ExpressionError: it cannot be evaluated, or gives something that is not JSON.
        """
        stripped = text.strip()
        if self.shape_at(stripped) is not None:
            return as_json(stripped, found_at(scope.tree(), stripped))
        return self.evaluate(text, scope.tree())

    def evaluate(self, text: str, tree: Mapping[str, Any]) -> Json:
        """Return what an expression gives over `tree`, as JSON.

        Raises:
            ExpressionError: it cannot be evaluated, or gives something that is not JSON.
        """
        program = self.compile(text)
        data = {name: self._bound(name, tree) for name in program.reads}
        if program.copies:
            _refuse_long_copies(text, data)
        if program.is_heavy:
            _refuse_heavy(program, data)
        try:
            result = program.compiled.eval(data=data)
        except RuntimeError as error:
            raise ExpressionError(f"{text!r} cannot be evaluated: {error}.") from None
        if result.type() in (cel().Type.ERROR, cel().Type.UNKNOWN):
            raise ExpressionError(f"{text!r} cannot be evaluated: {result.plain_value()}.")
        return as_json(text, result.plain_value())

    def may_hold(self, text: str, known: Mapping[str, Json]) -> bool:
        """Say whether a condition can be true where only the variables in `known` are known."""
        program = self.compile(text)
        data = {name: known[name] for name in program.reads if name in known}
        try:
            if program.is_heavy:
                _refuse_heavy(program, data)
            result = program.compiled.eval(data=data)
        except (RuntimeError, ExpressionError):
            return True
        # What is missing gives an error, unless the rest already decides: false && x is false.
        return result.type() != cel().Type.BOOL or result.plain_value() is True

    def has_value(self, text: str, data: Mapping[str, Any], *, is_condition: bool) -> bool:
        """Say whether an expression has a value where its variables are those in `data`.

        A condition has none but true and false.
        """
        program = self.compile(text)
        try:
            if program.is_heavy:
                _refuse_heavy(program, data)
            result = program.compiled.eval(data=dict(data))
        except (RuntimeError, ExpressionError):
            return False
        if is_condition:
            return bool(result.type() == cel().Type.BOOL)
        return result.type() not in (cel().Type.ERROR, cel().Type.UNKNOWN)

    def kind_of(self, text: str) -> Kind:
        """Return the sort of value an expression gives, `any` where that shows only later.

        Raises:
            ExpressionError: it does not compile.
        """
        declared = self.shape_at(text.strip())
        if declared is not None:
            return Kind.ANY if declared.may_be_null else declared.kind
        given = self.compile(text).type
        if given.name().startswith(("LIST", "MAP")):
            return Kind.LIST if given.name().startswith("LIST") else Kind.OBJECT
        return next((kind for kind, one in cel_types().items() if one == given), Kind.ANY)

    def references(self, text: str) -> frozenset[str]:
        """Return the paths an expression rests on, such as `steps.order.output.body.paid`.

        Raises:
            ExpressionError: it does not compile.
        """
        if self.shape_at(text.strip()) is not None:
            return frozenset({text.strip()})
        return frozenset(self.compile(text).reads)

    def shape_at(self, path: str) -> Shape | None:
        """Return the declared shape at a bare path, or None where `path` is no such thing."""
        if not _PATH.fullmatch(path):
            return None
        root, *parts = path.split(".")
        shape = self.shapes.get(root)
        for part in parts:
            shape = (shape.fields or {}).get(part) if shape is not None else None
        return shape

    def _bound(self, name: str, tree: Mapping[str, Any]) -> object:
        return fitted(found_at(tree, name), self.variables[name])

    def _refuse(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"An expression has {len(text)} characters; at most {LONGEST}.")
        for path in re.findall(r"\bhas\s*\(\s*([\w.]+)\s*\)", text):
            # CEL would answer with the value of the variable instead of whether it is there.
            if self.shape_at(path) is not None:
                raise ExpressionError(
                    f"has({path}) says nothing, since {path} is declared and always there.",
                    hint=f"Compare it: {path} != null.",
                )

    def _explained(self, text: str, error: str) -> str:
        first = re.search(r"<input>:-?\d+:(-?\d+): (.*)", error)
        if first is None:
            return f"{text!r} cannot be read: {error.splitlines()[0]}"
        column, what = int(first.group(1)), first.group(2)
        unknown = re.match(r"undeclared reference to '([^']*)'", what)
        if unknown is not None:
            return f"{text!r}: {self._unknown(unknown.group(1), text)}"
        return f"{text!r}, character {column}: {_plainer(what)}"

    def _unknown(self, name: str, text: str) -> str:
        whole = next(
            (one.group() for one in _PATH.finditer(text) if one.group().startswith(name)), name
        )
        if re.search(rf"\b{re.escape(name)}\s*\(", text):
            return f"there is no function {name}"
        return f"nothing is called {whole}; {suggestion(whole, self.variables)}"


def _refuse_long_copies(text: str, data: Mapping[str, object]) -> None:
    longest = max((len(one) for one in data.values() if isinstance(one, list | dict)), default=0)
    if longest > MOST_ITEMS:
        raise ExpressionError(f"{text!r} goes over {longest} items; at most {MOST_ITEMS}.")


def _refuse_heavy(program: Program, data: Mapping[str, object]) -> None:
    cost = cost_of(program.compiled.serialize(), data)
    if cost.made > MOST_MADE:
        raise ExpressionError(
            f"{program.text!r} may make too much of its data.",
            hint="Use each item once, or make a step of a part.",
        )
    if cost.work > MOST_WORK:
        raise ExpressionError(
            f"{program.text!r} may take too long over its data.",
            hint="Look through less, or for a simpler pattern, or make a step of a part.",
        )


def _plainer(what: str) -> str:
    mixed = re.match(r"found no matching overload for '([^']*)' applied to '\(?([^)']*)\)?'", what)
    if mixed is None:
        return what.split(" expecting ", maxsplit=1)[0].removesuffix(" [INVALID_ARGUMENT]")
    operator = mixed.group(1).strip("@_").replace("_", " ").strip()
    kinds = [_KINDS.get(one, one) for one in mixed.group(2).split(", ")]
    return f"{operator} does not go with {', '.join(kinds)}{_remedy({*kinds})}"


def _remedy(kinds: AbstractSet[str]) -> str:
    """Return what to write instead, where kinds that do not go together tell what was meant."""
    if kinds >= {"int", "double"}:
        return "; write whole numbers of a fraction as 2.0, or double(…) around others"
    if kinds >= {"string", "timestamp"}:
        return "; days and moments are text here, so compare them with '2026-03-31'"
    if "null" in kinds:
        return "; as declared it is never null"
    return "; write whole numbers without u" if "uint" in kinds else ""

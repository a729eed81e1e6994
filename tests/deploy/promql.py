"""Reads as much of PromQL as our rules use, and says which series an expression asks for.

A recursive descent over numbers, selectors with ranges, functions, aggregations and operators.
What it cannot read is refused, so an expression that Prometheus would refuse for its form is
mostly refused here, too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FUNCTIONS = {
    "absent": 1,
    "changes": 1,
    "histogram_quantile": 2,
    "increase": 1,
    "rate": 1,
    "time": 0,
    "vector": 1,
}
RANGED = {"changes", "increase", "rate"}
AGGREGATIONS = {"max", "min", "sum"}
OPERATORS = ("==", "!=", ">=", "<=", ">", "<", "+", "-", "*", "/", "or", "and", "unless")
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])|(?P<range>\[\d+[smhdw]\])"
    r'|(?P<name>[a-zA-Z_:][\w:]*)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<sign>==|!=|>=|<=|=~|!~|[-+*/<>=(){},]))"
)


class NotPromqlError(ValueError):
    """The expression is none."""


@dataclass(frozen=True)
class Asked:
    """A series that an expression asks for, with the labels it names."""

    name: str
    labels: frozenset[str]


def series_in(expression: str) -> list[Asked]:
    """Return the series that an expression asks for."""
    reader = _Reader(expression)
    reader.expression()
    if reader.token != ("end", ""):
        raise NotPromqlError(f"{reader.token} follows the end of {expression!r}")
    return reader.asked


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        if found is None:
            raise NotPromqlError(f"nothing can be read at {text[at:]!r}")
        at = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


class _Reader:
    def __init__(self, text: str) -> None:
        self._left = [*_tokens(text), ("end", "")]
        self.asked: list[Asked] = []

    @property
    def token(self) -> tuple[str, str]:
        return self._left[0]

    def take(self, text: str = "", *, kind: str = "") -> str:
        found_kind, found = self._left.pop(0)
        if (text and found != text) or (kind and found_kind != kind):
            raise NotPromqlError(f"{found!r} stands where {text or kind!r} belongs")
        return found

    def expression(self) -> None:
        self._operand()
        while self.token[1] in OPERATORS:
            self.take()
            self._operand()

    def _operand(self) -> None:
        kind, text = self.token
        if kind == "number":
            self.take()
        elif text == "(":
            self.take()
            self.expression()
            self.take(")")
        elif text in AGGREGATIONS:
            self._aggregation()
        elif text in FUNCTIONS:
            self._function()
        else:
            self._selector()

    def _aggregation(self) -> None:
        self.take()
        if self.token[1] == "by":
            self.take()
            self.take("(")
            self._list(lambda: self.take(kind="name"))
        self.take("(")
        self.expression()
        self.take(")")

    def _function(self) -> None:
        name = self.take()
        self.take("(")
        count = 0 if self.token[1] == ")" else 1
        for number in range(FUNCTIONS[name]):
            if number:
                self.take(",")
                count += 1
            self.expression()
            if name in RANGED:
                self.take(kind="range")
        self.take(")")
        if count != FUNCTIONS[name]:
            raise NotPromqlError(f"{name} is given {count} arguments")

    def _selector(self) -> None:
        name, labels = self.take(kind="name"), set[str]()
        if self.token[1] == "{":
            self.take()
            self._list(lambda: labels.add(self._matcher()), end="}")
        self.asked.append(Asked(name, frozenset(labels)))

    def _matcher(self) -> str:
        label = self.take(kind="name")
        if self.take() not in {"=", "!=", "=~", "!~"}:
            raise NotPromqlError(f"{label} is matched by no operator")
        self.take(kind="string")
        return label

    def _list(self, one: Callable[[], object], *, end: str = ")") -> None:
        one()
        while self.token[1] == ",":
            self.take()
            one()
        self.take(end)

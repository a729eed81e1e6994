"""Says beforehand how much an expression can make of its data, so that none fills the memory.

CEL counts iterations and bounds depth, but `['a'].map(x, x + x)` chained twenty times doubles a
text twenty times in twenty iterations. The tree of a checked expression is read from the public
message `cel.expr.CheckedExpr` and gone through once, with weights in place of values.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.message_bytes import Value, fields, inside

ITEM = 16  # What a value weighs beside its text.
MOST_NESTED = 6  # Each loop in a loop is gone through twice as often; so many end none in time.
ENDLESS = 2**63
MOST_ITERATIONS = 10_000  # CEL's own bound, over all loops of one evaluation.

_ANY_VALUE, _REFERENCE_MAP, _EXPRESSION = 2, 2, 4
_CONSTANT, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = range(3, 10)
_ONE = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "@in", "size")
_SUM, _CHOICE, _INDEX = "_+_", "_?_:_", "_[_]"


@dataclass(frozen=True, slots=True)
class Weight:
    """The most that a value can weigh, and how many items it can have."""

    whole: int
    items: int = 1


def weight_of(value: object) -> Weight:
    """Return what a value weighs."""
    if isinstance(value, str):
        return Weight(ITEM + len(value))
    if isinstance(value, Mapping):
        inside = sum(ITEM + len(str(key)) + weight_of(one).whole for key, one in value.items())
        return Weight(ITEM + inside, len(value))
    if isinstance(value, list):
        return Weight(ITEM + sum(weight_of(one).whole for one in value), len(value))
    return Weight(ITEM)


def cost_of(serialized: bytes, data: Mapping[str, object]) -> int:
    """Return the most that evaluating a serialized checked expression over `data` can make."""
    known = {name: weight_of(value) for name, value in data.items()}
    total = 0
    for checked in inside(serialized, _ANY_VALUE):
        names = dict(_reference(one) for one in inside(checked, _REFERENCE_MAP))
        for tree in inside(checked, _EXPRESSION):
            weighing = _Weighing(names)
            result = weighing.weigh(tree, known)
            total += weighing.made + result.whole
    return total


def _reference(entry: bytes) -> tuple[int, str]:
    """Return the number of a node and the name of the variable it stands for, if it is one."""
    found = dict(fields(entry))
    reference = dict(fields(_bytes(found.get(2))))
    return _number(found.get(1)), _text(reference.get(1))


class _Weighing:
    """Goes through one tree; `made` is all that was put together on the way."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names
        self._depth = 0
        self.made = 0

    def weigh(self, tree: bytes, known: Mapping[str, Weight]) -> Weight:
        """Return the weight of what a node gives."""
        parts = dict(fields(tree))
        name = self._names.get(_number(parts.get(2)), "")
        if name in known:
            return known[name]
        kind = next((one for one in parts if _CONSTANT <= one <= _LOOP), _CONSTANT)
        node = _bytes(parts.get(kind))
        if kind == _IDENT:
            return known.get(_text(dict(fields(node)).get(1)), Weight(ITEM))
        if kind == _SELECT:
            return self._children(node, (1,), known)[0]
        if kind == _CALL:
            return self._call(node, known)
        if kind == _LOOP:
            return self._loop(node, known)
        if kind in (_LIST, _STRUCT):
            return self._together(self._items(kind, node, known))
        return Weight(ITEM + len(node))

    def _items(self, kind: int, node: bytes, known: Mapping[str, Weight]) -> list[Weight]:
        if kind == _LIST:
            return self._children(node, (1,), known)
        entries = inside(node, 2)
        return [self._together(self._children(one, (2, 3, 4), known)) for one in entries]

    def _call(self, node: bytes, known: Mapping[str, Weight]) -> Weight:
        function = _text(dict(fields(node)).get(2))
        given = self._children(node, (1, 3), known)
        if function in _ONE or not given:
            return Weight(ITEM)
        if function == _CHOICE:
            return max(given[1:], key=lambda one: one.whole)
        if function == _INDEX:
            return Weight(given[0].whole, given[0].whole)
        whole = sum(one.whole for one in given)
        self.made += whole if function == _SUM else 0
        return Weight(whole, sum(one.items for one in given))

    def _loop(self, node: bytes, known: Mapping[str, Weight]) -> Weight:
        """Return what a loop gathers: the most if one item weighs as much as all of them."""
        if self._depth == MOST_NESTED:
            return Weight(ENDLESS)
        parts = dict(fields(node))
        item, gathered = _text(parts.get(1)), _text(parts.get(3))
        over = self.weigh(_bytes(parts.get(2)), known)
        inner, step = {**known, gathered: Weight(0, 0)}, _bytes(parts.get(6))
        self._depth += 1
        heavy = self.weigh(step, {**inner, item: Weight(over.whole, over.whole)})
        before = self.made
        light = self.weigh(step, {**inner, item: Weight(ITEM)})
        self._depth -= 1
        times = min(over.items, MOST_ITERATIONS)
        self.made = before + (self.made - before) * times
        return Weight(heavy.whole + light.whole * times, times)

    def _together(self, parts: list[Weight]) -> Weight:
        return Weight(ITEM + sum(one.whole for one in parts), len(parts))

    def _children(
        self, node: bytes, numbers: tuple[int, ...], known: Mapping[str, Weight]
    ) -> list[Weight]:
        found = fields(node)
        return [self.weigh(_bytes(value), known) for number, value in found if number in numbers]


def _bytes(value: Value | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: Value | None) -> str:
    return _bytes(value).decode(errors="replace")


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0

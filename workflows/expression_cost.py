"""Says beforehand how much an expression can make of its data, and how long that can take.

CEL counts iterations and bounds depth, but `['a'].map(x, x + x)` chained twenty times doubles a
text twenty times in twenty iterations, and one iteration may put a pattern together for a quarter
of a second, in which no other thread of Python goes on. The tree of a checked expression is read
from the public message `cel.expr.CheckedExpr` and gone through once, with weights in place of
values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflows.message_bytes import Value, fields, inside
from workflows.pattern import effort_of

ITEM = 16  # What a value weighs beside its text.
MOST_NESTED = 6  # Each loop in a loop is gone through twice as often; so many end none in time.
ENDLESS = 2**63
MOST_ITERATIONS = 10_000  # CEL's own bound, over all loops of one evaluation.
FEW_CALLS = 16  # So many look at all of their data in no time, unless they match patterns.

_ANY_VALUE, _REFERENCE_MAP, _EXPRESSION = 2, 2, 4
_CONSTANT, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = range(3, 10)
_INSIDE = {_SELECT: (1,), _CALL: (1, 3), _LIST: (1,), _LOOP: (2, 4, 5, 6, 7)}
_IN_ENTRY = (2, 3, 4)
_TEXT = 6
_ONE = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "@in", "size")
_SUM, _CHOICE, _INDEX, _CONTAINS, _MATCHES = "_+_", "_?_:_", "_[_]", "contains", "matches"
_AT_ONCE = ("_&&_", "_||_", "!_", _CHOICE, _INDEX)  # They look through none of their data.

# Work is told in steps of about a nanosecond, such as to look at one character.
_NODE = 100
_COMPARED = 64  # Characters that are compared in one step.


@dataclass(frozen=True, slots=True)
class Weight:
    """The most that a value can weigh, and how many items it can have."""

    whole: int
    items: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The most that an evaluation can put together, and the most work that it can be."""

    made: int
    work: int


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


def cost_of(serialized: bytes, data: Mapping[str, object]) -> Cost:
    """Return what evaluating a serialized checked expression over `data` can cost."""
    known = {name: weight_of(value) for name, value in data.items()}
    made = work = 0
    for checked in inside(serialized, _ANY_VALUE):
        names = dict(_reference(one) for one in inside(checked, _REFERENCE_MAP))
        for tree in inside(checked, _EXPRESSION):
            weighing = _Weighing(names)
            result = weighing.weigh(tree, known)
            made += weighing.made + result.whole
            work += weighing.work
    return Cost(made=made, work=work)


def can_cost_much(serialized: bytes) -> bool:
    """Say whether an expression does more than to look at its data a few times."""
    trees = (tree for one in inside(serialized, _ANY_VALUE) for tree in inside(one, _EXPRESSION))
    called = [name for tree in trees for name in _called(tree)]
    return len(called) > FEW_CALLS or not {"", _CONTAINS, _MATCHES}.isdisjoint(called)


def _called(tree: bytes) -> Iterator[str]:
    """Yield the name of each function that is called, and no name for each loop."""
    kind, node = _node(tree)
    if kind in (_CALL, _LOOP):
        yield _function(node) if kind == _CALL else ""
    for one in _inside(kind, node):
        yield from _called(one)


def _node(tree: bytes) -> tuple[int, bytes]:
    """Return the kind of a node and what it holds."""
    parts = dict(fields(tree))
    kind = next((one for one in parts if _CONSTANT <= one <= _LOOP), _CONSTANT)
    return kind, _bytes(parts.get(kind))


def _inside(kind: int, node: bytes) -> list[bytes]:
    """Return the trees that stand in a node."""
    if kind == _STRUCT:
        return [one for entry in inside(node, 2) for one in _numbered(entry, _IN_ENTRY)]
    return _numbered(node, _INSIDE.get(kind, ()))


def _numbered(node: bytes, numbers: tuple[int, ...]) -> list[bytes]:
    return [_bytes(value) for number, value in fields(node) if number in numbers]


def _function(node: bytes) -> str:
    return _text(dict(fields(node)).get(2))


def _reference(entry: bytes) -> tuple[int, str]:
    """Return the number of a node and the name of the variable it stands for, if it is one."""
    found = dict(fields(entry))
    reference = dict(fields(_bytes(found.get(2))))
    return _number(found.get(1)), _text(reference.get(1))


class _Weighing:
    """Goes through one tree; `made` is all that was put together on the way, `work` all of it."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names
        self._depth = 0
        self._times = 1  # How often what is gone through now is evaluated.
        self.made = 0
        self.work = 0

    def weigh(self, tree: bytes, known: Mapping[str, Weight]) -> Weight:
        """Return the weight of what a node gives."""
        self.work += _NODE
        name = self._names.get(_number(dict(fields(tree)).get(2)), "")
        if name in known:
            return known[name]
        kind, node = _node(tree)
        if kind == _IDENT:
            return known.get(_text(dict(fields(node)).get(1)), Weight(ITEM))
        if kind == _SELECT:
            return self._each(kind, node, known)[0]
        if kind == _CALL:
            return self._call(node, known)
        if kind == _LOOP:
            return self._loop(node, known)
        if kind in (_LIST, _STRUCT):
            parts = self._each(kind, node, known)
            return Weight(ITEM + sum(one.whole for one in parts), len(parts))
        return Weight(ITEM + len(node))

    def _each(self, kind: int, node: bytes, known: Mapping[str, Weight]) -> list[Weight]:
        return [self.weigh(one, known) for one in _inside(kind, node)]

    def _call(self, node: bytes, known: Mapping[str, Weight]) -> Weight:
        function, given = _function(node), self._each(_CALL, node, known)
        whole = sum(one.whole for one in given)
        self.work += 0 if function in _AT_ONCE else whole
        if function in (_CONTAINS, _MATCHES) and len(given) > 1:
            self.work += _search(function, node, *given[:2])
        if function in _ONE or not given:
            return Weight(ITEM)
        if function == _CHOICE:
            return max(given[1:], key=lambda one: one.whole)
        if function == _INDEX:
            return Weight(given[0].whole, given[0].whole)
        self.made += whole if function == _SUM else 0
        return Weight(whole, sum(one.items for one in given))

    def _loop(self, node: bytes, known: Mapping[str, Weight]) -> Weight:
        """Return what a loop gathers: the most if one item weighs as much as all of them."""
        if self._depth == MOST_NESTED:
            return Weight(ENDLESS)
        parts = dict(fields(node))
        item, gathered = _text(parts.get(1)), _text(parts.get(3))
        over = self.weigh(_bytes(parts.get(2)), known)
        times = min(over.items, -(-MOST_ITERATIONS // self._times))
        inner, step = {**known, gathered: Weight(0, 0)}, _bytes(parts.get(6))
        self._depth += 1
        heavy = self.weigh(step, {**inner, item: Weight(over.whole, over.whole)})
        made, work, around = self.made, self.work, self._times
        self._times *= max(1, times)
        light = self.weigh(step, {**inner, item: Weight(ITEM)})
        self._depth, self._times = self._depth - 1, around
        self.made = made + (self.made - made) * times
        self.work = work + (self.work - work) * times
        return Weight(heavy.whole + light.whole * times, times)


def _search(function: str, node: bytes, text: Weight, wanted: Weight) -> int:
    """Return how much work it is at most to look for something in a text."""
    if function == _CONTAINS:
        return text.whole * wanted.whole // _COMPARED
    pattern = effort_of(_constant_text(_inside(_CALL, node)[1]), longest=wanted.whole)
    return text.whole * pattern.signs + pattern.work


def _constant_text(tree: bytes) -> str | None:
    """Return the text that stands in an expression as it is, None for any other node."""
    kind, node = _node(tree)
    found = dict(fields(node)) if kind == _CONSTANT else {}
    return _text(found[_TEXT]) if _TEXT in found else None


def _bytes(value: Value | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: Value | None) -> str:
    return _bytes(value).decode(errors="replace")


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0
